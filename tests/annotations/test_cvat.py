"""CVAT's tracks."""

from __future__ import annotations

import pytest

from recognizer.annotations.model import Answers
from recognizer.errors import TruthError
from tests.support.labels import fitted, labels_in, read, rows_of


def box(frame: int, *, outside: int = 0, **attributes: str) -> str:
    inside = "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in attributes.items())
    return f'<box frame="{frame}" outside="{outside}" xtl="0" ytl="0" xbr="1" ybr="1" keyframe="1">{inside}</box>'


def cvat(*tracks: str, stop_frame: str = "99") -> str:
    stop = f"<stop_frame>{stop_frame}</stop_frame>" if stop_frame else ""
    meta = f"<meta><task>{stop}<source>clip.mp4</source></task></meta>"
    return f"<?xml version='1.0'?><annotations><version>1.1</version>{meta}{''.join(tracks)}</annotations>"


def track(number: int, label: str, *boxes: str) -> str:
    return f'<track id="{number}" label="{label}" source="manual">{"".join(boxes)}</track>'


def test_an_attribute_that_is_called_action_is_the_action() -> None:
    walks = [box(frame, action="walk", colour="red", age="30") for frame in range(5)]
    sits = [box(frame, action="sit", colour="red", age="30") for frame in range(5, 8)]
    gone = box(8, outside=1, action="sit", colour="red", age="30")
    file = read(cvat(track(0, "person", *walks, *sits, gone)), "annotations.xml")
    assert file.format == "CVAT tracks"
    assert file.parts[0].media == "clip.mp4"
    assert labels_in(file) == [("track 0 (person)", "walk", 0, 5), ("track 0 (person)", "sit", 5, 8)]
    truth = fitted(file, answers=Answers(people={"track 0 (person)": 2}))
    assert rows_of(truth.rows) == [(2, "walk", 0, 0.2), (2, "sit", 0.2, 0.32)]


def test_the_name_of_a_checkbox_is_an_action_and_numbers_are_none() -> None:
    boxes = [
        box(k, talking="true" if k > 1 else "false", posture="__undefined__" if k > 2 else "up", age="3")
        for k in range(4)
    ]
    file = read(cvat(track(1, "person", *boxes), stop_frame="3"), "annotations.xml")
    assert labels_in(file) == [("track 1 (person)", "up", 0, 3), ("track 1 (person)", "talking", 2, 4)]


def test_without_attributes_the_label_is_the_action_until_the_task_ends() -> None:
    text = cvat(track(2, "walking", box(10), box(20), box(30, outside=1), box(40), box(50)))
    assert labels_in(read(text, "a.xml")) == [
        ("track 2 (walking)", "walking", 10, 30),
        ("track 2 (walking)", "walking", 40, 100),
    ]
    text = cvat(track(2, "walking", box(40), box(50)), track(3, "empty"), stop_frame="")
    assert labels_in(read(text, "a.xml")) == [("track 2 (walking)", "walking", 40, 51)]


def test_a_track_is_nobody_until_somebody_says_so() -> None:
    truth = fitted(read(cvat(track(1, "person", box(0))), "a.xml"))
    assert truth.rows == ()
    assert truth.unknown == ("track 1 (person)",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (cvat('<track label="x"><box frame="0"/></track>'), "is damaged ('id'); export it again from CVAT."),
        (cvat(track(1, "x", '<box frame="soon"/>')), "is damaged (invalid literal"),
        (cvat('<image id="0"/>'), "is CVAT's format for images, which has no times; export 'CVAT for video 1.1'."),
        (cvat(), "has no label"),
    ],
)
def test_a_file_without_tracks_is_refused(text: str, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read(text, "a.xml")
    assert message in str(raised.value)
