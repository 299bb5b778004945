"""Project files of BORIS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recognizer.annotations.model import Answers
from recognizer.annotations.reading import read_labels
from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import fitted, labels_in, read, rows_of, video_of

BEHAVIORS = {
    "0": {"type": "State event", "code": "walk"},
    "1": {"type": "State event with coding map", "code": "sit"},
    "2": {"type": "Point event", "code": "nod"},
}


def project(events: list[list[Any]], *, file: Any = None, **observation: Any) -> str:
    one = {
        "file": file or {"1": ["/v/clip.mp4"]},
        "events": events,
        "media_info": {},
        "time offset": 0.0,
        **observation,
    }
    return json.dumps({"behaviors_conf": BEHAVIORS, "observations": {"one": one}})


def test_each_second_event_of_a_state_ends_it() -> None:
    events = [[4.0, "Anna", "walk", "", ""], [1.0, "Anna", "walk", "", ""], [2.0, "Ben", "walk", "", "", 50]]
    events += [[3.0, "Anna", "nod", "", ""], [5.0, "Anna", "sit", "fast", ""], [6.0, "Anna", "sit", "slow", ""]]
    file = read(project(events), "a.boris")
    assert file.format == "BORIS project"
    expected = [("Anna", "walk", 1, 4), ("Ben", "walk", 2, None), ("Anna", "sit", 5, None), ("Anna", "sit", 6, None)]
    assert sorted(labels_in(file), key=lambda label: label[2]) == expected
    assert file.remarks == (Remark("point events, which have no duration", 1, left_out=True),)
    truth = fitted(file, answers=Answers(people={"Ben": 2}))
    assert rows_of(truth.rows) == [(2, "walk", 2, 10)]


def test_times_include_the_offset_of_observation_and_player() -> None:
    facts = {"length": {"a.mp4": 10.0, "b.mp4": 20.0}, "offset": {"1": 0.0, "2": 4.0}}
    events = [[101.0, "", "walk", "", ""], [112.0, "", "walk", "", ""]]
    media = {"1": ["a.mp4", "b.mp4"], "2": ["c.mp4"], "3": []}
    text = project(events, file=media, media_info=facts, **{"time offset": 100.0})
    file = read(text, "a.boris")
    assert [(part.name, part.begins_s, part.ends_s) for part in file.parts] == [
        ("a.mp4", 100, 110), ("b.mp4", 110, 130), ("c.mp4", 104, None),
    ]  # fmt: skip
    assert rows_of(fitted(file, video_of(10.0, name="a.mp4")).rows) == [(None, "walk", 1, 10)]
    assert rows_of(fitted(file, video_of(20.0, name="b.mp4")).rows) == [(None, "walk", 0, 2)]
    assert rows_of(fitted(file, video_of(20.0, name="c.mp4")).rows) == [(None, "walk", 0, 8)]


@pytest.mark.parametrize("events", [[["soon", "", "walk", "", ""]], [[1.0]], None])
def test_a_damaged_project_is_refused_in_one_sentence(events: Any) -> None:
    with pytest.raises(TruthError, match=r"^'a\.boris' is damaged \(.*\); save the project again in BORIS\.$"):
        read(project(events), "a.boris")


def test_a_real_project_asks_which_observation(annotations_dir: Path) -> None:
    path = annotations_dir / "boris_project.boris"
    file = read_labels(path.read_bytes(), path.name)
    assert [part.name for part in file.parts][:4] == [
        "observation #1, video_test_25fps_360s.mp4",
        "observation #2, video_test_25fps_180s.mp4",
        "observation #2, video_test_25fps_360s.mp4",
        "live not paired",
    ]
    with pytest.raises(TruthError, match=r"has labels of 10 recordings .* and 5 more\), and none alone is named like"):
        fitted(file, video_of(359.96, name="video_test_25fps_360s.mp4"))
    truth = fitted(
        file,
        video_of(359.96, name="video_test_25fps_360s.mp4"),
        Answers(part="observation #1, video_test_25fps_360s.mp4", people={"subject1": 1, "subject2": 2}),
    )
    assert rows_of(truth.rows) == [
        (1, "s", 3.3, 7.75),
        (1, "s", 9.9, 16.2),
        (1, "s", 18.35, 24.475),
        (2, "s", 38.425, 46.1),
    ]


def test_project_and_its_aggregated_events_say_the_same(annotations_dir: Path) -> None:
    """The old table has no length of each file, only of all; the project states where the second begins."""
    project = read_labels((annotations_dir / "boris_project.boris").read_bytes(), "p.boris")
    table = read_labels((annotations_dir / "boris_aggregated_two_media.tsv").read_bytes(), "t.tsv")
    people = {"subject1": 1, "subject2": 2}
    for name, duration_s in (("video_test_25fps_180s.mp4", 179.96), ("video_test_25fps_360s.mp4", 359.96)):
        video = video_of(duration_s, name=name)
        ours = rows_of(fitted(project, video, Answers(part=f"observation #2, {name}", people=people)).rows)
        theirs = rows_of(fitted(table, video, Answers(people=people)).rows)
        assert len(ours) > 2
        assert [one[:2] for one in ours] == [one[:2] for one in theirs]
        assert [one[2:] for one in ours] == [pytest.approx(one[2:]) for one in theirs]
