"""What is exported comes back through the readers of labels: people, actions, times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recognizer.annotations.fitting import LabelledVideo, fit_labels
from recognizer.annotations.model import Answers, Truth
from recognizer.annotations.reading import read_labels
from recognizer.export import Content, format_of
from recognizer.export.content import label_spans_ms
from recognizer.export.csv_file import truth_csv
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Merge, Name
from recognizer.types import Segment
from tests.support.exports import exported


def content() -> Content:
    """Segments that labels can express: a reader joins touching ones of one action."""
    made = exported(names={})
    return replace(made, segments=[one for one in made.segments if one.source == "machine"])


def read_back(data: bytes, ending: str, made: Content) -> Truth:
    numbers = tuple(track.person_id for track in made.timeline.people)
    video = LabelledVideo(made.video_name, 3700.0, numbers, np.empty(0), 10.0)
    return fit_labels(read_labels(data, f"my video{ending}"), video, Answers())


@pytest.mark.parametrize("ending", [".csv", ".eaf", ".boris", ".tsv", ".TextGrid"])
def test_labels_come_back_to_the_millisecond(ending: str) -> None:
    made = content()
    truth = read_back(format_of(f"x{ending}").write(made), ending, made)
    found = [
        (row.person_id, row.action, round(row.start_s * 1000), round(row.end_s * 1000))
        for row in (*truth.rows, *truth.apart)
    ]
    spans = [(one.person_id, one.label, one.start_ms, one.end_ms) for one in label_spans_ms(made)]
    assert sorted(found, key=str) == sorted(spans, key=str)
    assert truth.unknown == ()


def test_corrected_timeline_is_a_truth_without_unknown_time_and_with_the_machines_numbers() -> None:
    made = content()
    corrected = Corrections((Merge(2, 1), Name(1, "Anna"))).applied_to(made.timeline)
    segments = (Segment(1, "tai chi", 0.5, 2.5, 0.9), Segment(1, UNKNOWN_ACTION, 2.5, 3.0, 0.2))
    truth = read_back(truth_csv(corrected, segments, same_people=True).encode(), ".csv", made)
    assert corrected.sources[1], "two of the machine's people are one"
    spans = {(row.person_id, row.action, row.start_s, row.end_s) for row in truth.rows}
    assert spans == {(1, "tai chi", 0.5, 2.5)}
    late = (Segment(1, "jogging", 3661.0, 3662.5, 0.9),)  # then the machine's person 2 is seen
    truth = read_back(truth_csv(corrected, late, same_people=True).encode(), ".csv", made)
    assert [(row.person_id, row.action) for row in truth.rows] == [(2, "jogging")]
    of_others = read_labels(truth_csv(corrected, segments, same_people=False).encode(), "x.csv")
    assert [label.subject for label in of_others.parts[0].labels] == ["Anna"]
