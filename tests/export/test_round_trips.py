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


def test_corrected_timeline_is_a_truth_without_unknown_time() -> None:
    made = content()
    truth = read_back(truth_csv(made).encode(), ".csv", made)
    assert len(truth.rows) == len([one for one in label_spans_ms(made) if one.label != UNKNOWN_ACTION])
    assert UNKNOWN_ACTION not in {row.action for row in truth.rows}
