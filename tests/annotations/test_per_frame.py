"""Labels frame by frame: DeepEthogram, SimBA, FERAL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recognizer.annotations.reading import read_labels
from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import fitted, labels_in, read, rows_of, video_of


def test_one_hot_table(annotations_dir: Path) -> None:
    path = annotations_dir / "one_hot_per_frame.csv"
    file = read_labels(path.read_bytes(), path.name)
    assert labels_in(file) == [("", "walking", 10, 60), ("", "sitting", 60, 100)]
    assert rows_of(fitted(file, video_of(4.0)).rows) == [(None, "walking", 0.4, 2.4), (None, "sitting", 2.4, 4)]


def test_frames_that_are_not_labelled_are_judged_for_each_action() -> None:
    file = read(",background,walk,talk\n0,-1,-1,1\n1,0,1,1\n2,0,1,0\n3,-1,-1,-1\n")
    assert labels_in(file) == [("", "talk", 0, 2), ("", "walk", 1, 3)]
    assert [(remark.what, remark.count) for remark in file.remarks] == [
        ("actions that are not labelled in every frame, there: walk", 1),
        ("actions that are not labelled in every frame, there: talk", 1),
    ]


def test_columns_with_a_probability_are_the_actions_of_simba() -> None:
    header = ",Nose_x,Is_far,Probability_Attack,Attack\n"
    file = read(f"{header}0,1.5,0,0.2,0\n1,1.5,1,0.9,1\n2,1.5,1,0.8,1.0\n")
    assert labels_in(file) == [("", "Attack", 1, 3)]
    targets = read(",Nose_x,Attack\n0,1.5,0\n1,2.25,1\n")
    assert labels_in(targets) == [("", "Attack", 1, 2)]


def test_videos_of_feral_are_parts(annotations_dir: Path) -> None:
    path = annotations_dir / "feral_labels.json"
    file = read_labels(path.read_bytes(), path.name)
    document = json.loads(path.read_text())
    assert [part.media for part in file.parts] == list(document["labels"])
    for part in file.parts:
        assert part.media is not None
        numbers = document["labels"][part.media]
        again = ["other"] * len(numbers)
        for label in part.labels:
            assert label.in_frames
            assert label.end is not None
            frames = range(int(label.start), int(label.end))
            again[frames.start : frames.stop] = [label.action] * len(frames)
        assert again == [document["class_names"][str(number)] for number in numbers]
    assert file.remarks == (Remark("the class other, which is no action", 1, left_out=True),)


def test_several_classes_a_frame() -> None:
    document = {"class_names": {"0": "other", "1": "walk", "2": "talk"}, "labels": {"a.mp4": [[0, 1, 0], [0, 1, 1]]}}
    assert labels_in(read(json.dumps(document), "a.json")) == [("", "walk", 0, 2), ("", "talk", 1, 2)]


@pytest.mark.parametrize("text", ['{"class_names": 3, "labels": {}}', '{"class_names": {}, "labels": {}}'])
def test_a_damaged_file_of_feral_is_refused(text: str) -> None:
    with pytest.raises(TruthError, match=r"^'a\.json' (lacks FERAL's|has no label)"):
        read(text, "a.json")
