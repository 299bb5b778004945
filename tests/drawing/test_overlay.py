"""Boxes and labels on a picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.drawing.overlay import FONT_MIN_PX, Overlay, OverlayPerson, draw_overlay, fitting_plate
from recognizer.palette import UNKNOWN_STYLE, ActionPalette, rgb_of
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, Segment, VideoInfo

RED = (220, 20, 10)


def person(box: tuple[float, float, float, float] = (40, 60, 100, 140), **changes: Any) -> OverlayPerson:
    return replace(OverlayPerson(1, box, "jogging", 0.85, RED), **changes)


def grey(height: int = 180, width: int = 240) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    different: NDArray[np.bool_] = (before != after).any(axis=2)
    return different


# --- the words ---


def test_overlay_reads_as_documented() -> None:
    assert person(label=None, confidence=None).text == "detecting..."
    assert person().text == "jogging (0.85)"
    assert person(label="unknown", confidence=None).text == "unknown"


def test_a_name_takes_the_place_of_the_number() -> None:
    assert person().badge == "1"
    assert person(name=" ").badge == "1"
    assert person(name="Anna\nMaria").badge == "Anna Maria"
    named = fitting_plate(person(name="Anna"), 14, 400)
    assert named.shape[1] > fitting_plate(person(), 14, 400).shape[1]
    assert fitting_plate(person(name="A" * 40), 11, 240).shape[1] <= 240
    [drawn] = Overlay(make_timeline(), (), ActionPalette(), {1: "Anna", 2: "Ben"}).at(1.0)
    assert drawn.badge == "Anna"


def test_what_a_person_decided_has_no_probability() -> None:
    decided = Segment(1, "waving", 0.0, 3.0, 1.0, source="human")
    [drawn] = Overlay(make_timeline(), [decided], ActionPalette()).at(1.0)
    assert drawn.text == "waving"


def make_timeline() -> Timeline:
    """Person 1 is visible from 0 to 3 s and from 5 to 6 s, person 2 from 2 to 4 s without a label."""
    times_s = np.array([0.0, 1.0, 2.0, 2.9, 5.0, 5.5])
    boxes = np.stack([times_s * 10, times_s * 0, times_s * 10 + 30, times_s * 0 + 60], axis=1).astype(np.float32)
    return Timeline(
        video=VideoInfo(None, 240, 180, Fraction(10), 6.0, 60, "h264"),
        settings=Settings(),
        people=(
            PersonTrack(1, times_s, boxes, np.ones(6, np.float32), ((0.0, 3.0), (5.0, 6.0))),
            PersonTrack(2, np.array([2.0, 3.9]), boxes[:2], np.ones(2, np.float32), ((2.0, 4.0),)),
            PersonTrack(3, np.empty(0), np.empty((0, 4), np.float32), np.empty(0, np.float32), ((0.0, 6.0),)),
        ),
        predictions=(
            Prediction(1, 0.5, 1.5, (("jogging", 0.85),), "i3d"),
            Prediction(1, 1.5, 2.0, (("yoga", 0.1),), "i3d"),
        ),
        frame_times_s=np.arange(60) / 10,
        analysed_s=6.0,
        complete=True,
    )


@pytest.mark.parametrize(
    ("time_s", "texts"),
    [
        (0.0, ["detecting..."]),
        (0.5, ["jogging (0.85)"]),
        (1.49, ["jogging (0.85)"]),
        (1.5, ["unknown"]),
        (2.5, ["unknown", "detecting..."]),  # the last label holds until the visit ends
        (3.0, ["detecting..."]),  # person 2 alone
        (4.5, []),
        (5.2, ["detecting..."]),  # a new visit starts without a label
        (6.0, []),
    ],
)
def test_label_follows_the_time(time_s: float, texts: list[str]) -> None:
    timeline = make_timeline()
    people = Overlay(timeline, timeline.segments(min_confidence=0.3), ActionPalette()).at(time_s)
    assert [p.text for p in people] == texts


def test_a_person_too_small_to_be_classified_is_marked_as_such() -> None:
    timeline = make_timeline()
    half = np.float32(0.5)
    small = replace(timeline, people=tuple(replace(one, box_xyxy=one.box_xyxy * half) for one in timeline.people))
    found = Overlay(small, small.segments(0.0), ActionPalette()).at(2.5)
    assert [one.text for one in found] == ["too small", "too small"]


def test_boxes_follow_the_track_at_any_time() -> None:
    timeline = make_timeline()
    overlay = Overlay(timeline, timeline.segments(), ActionPalette())
    for time_s in np.arange(0, 6.2, 0.05):
        expected = {t.person_id: t.box_at(time_s) for t in timeline.people if len(t.time_s)}
        drawn = {p.person_id: p.box_xyxy for p in overlay.at(time_s)}
        assert drawn.keys() == {person_id for person_id, box in expected.items() if box is not None}
        for person_id, box in drawn.items():
            assert box == pytest.approx(expected[person_id], abs=1e-4)


def test_colours_match_the_charts_and_are_grey_before_the_first_label() -> None:
    timeline, palette = make_timeline(), ActionPalette({"jogging": 4})
    overlay = Overlay(timeline, timeline.segments(0.3), palette)
    grey_rgb = rgb_of(UNKNOWN_STYLE.colour_light)
    assert [overlay.at(t)[0].colour_rgb for t in (0.1, 1.0, 1.7)] == [
        grey_rgb,
        rgb_of(palette.style("jogging").colour_light),
        grey_rgb,
    ]


# --- the picture ---


def test_the_callers_picture_stays_unchanged() -> None:
    picture = grey()
    picture.setflags(write=False)
    drawn = draw_overlay(picture, [person()])
    assert (picture == 128).all()
    assert not np.shares_memory(picture, drawn)
    assert changed(picture, drawn).any()
    untouched = draw_overlay(picture, [])
    assert not np.shares_memory(picture, untouched)
    assert np.array_equal(picture, untouched)


def test_box_is_drawn_in_the_actions_colour_as_rgb() -> None:
    drawn = draw_overlay(grey(), [person((40, 60, 100, 140))])
    assert tuple(drawn[100, 40]) == RED
    assert tuple(drawn[100, 99]) == RED, "x2 is exclusive"
    assert tuple(drawn[139, 70]) == RED
    assert tuple(drawn[100, 70]) == (128, 128, 128), "the person is not covered"


def test_plate_is_above_the_box_and_its_text_contrasts() -> None:
    drawn = draw_overlay(grey(), [person((40, 60, 100, 140))])
    plate = drawn[40:58, 60:130]
    assert (plate == RED).all(axis=2).mean() > 0.4
    assert (plate.min(axis=2) > 240).any(), "white letters on this red"
    light = draw_overlay(grey(), [person((40, 60, 100, 140), colour_rgb=(250, 240, 100))])[40:58, 60:130]
    assert (light.max(axis=2) < 15).any(), "black letters on yellow"


@settings(max_examples=60)
@given(
    st.tuples(*[st.floats(-400, 700)] * 4),
    st.sampled_from([None, "jogging", "sign language interpreting " * 4, "чтение", "日本", ""]),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.integers(1, 99999),
)
def test_any_box_label_and_size_is_drawn_within_the_picture(
    box: tuple[float, float, float, float], label: str | None, size: tuple[int, int], person_id: int
) -> None:
    picture = grey(*size)
    drawn = draw_overlay(picture, [person(box, label=label, person_id=person_id)])
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.uint8
    assert changed(picture, drawn).any()


@pytest.mark.parametrize(
    "box", [(-50, -50, 20, 20), (230, 0, 400, 50), (200, 170, 300, 300), (-99, 100, 5, 400), (0, 0, 240, 180)]
)
def test_whole_label_stays_inside_at_every_border(box: tuple[float, float, float, float]) -> None:
    """The drawn picture contains the whole plate, pixel for pixel."""
    someone = person(box)
    drawn = draw_overlay(grey(), [someone])
    plate = fitting_plate(someone, FONT_MIN_PX, 240)
    windows = np.lib.stride_tricks.sliding_window_view(drawn, plate.shape)[:, :, 0]
    assert (windows == plate).all(axis=(2, 3, 4)).any()


def test_labels_of_neighbours_do_not_cover_each_other() -> None:
    people = [
        person((40, 60, 100, 160)),
        person((44, 62, 104, 158), person_id=2, label="yoga", colour_rgb=(0, 80, 160)),
    ]
    drawn = draw_overlay(grey(), people)
    for someone in people:
        plate = fitting_plate(someone, FONT_MIN_PX, 240)
        windows = np.lib.stride_tricks.sliding_window_view(drawn, plate.shape)[:, :, 0]
        assert (windows == plate).all(axis=(2, 3, 4)).any(), f"the plate of person {someone.person_id} is whole"


def test_long_labels_are_shortened_and_keep_their_probability() -> None:
    someone = person(label="interpreting " * 20)
    plate = fitting_plate(someone, 11, 200)
    assert 150 < plate.shape[1] <= 200
    other = fitting_plate(replace(someone, confidence=0.11), 11, 200)
    assert not np.array_equal(plate[:, -40:], other[:, -40:])


def test_letters_grow_with_the_picture() -> None:
    small = changed(grey(240, 400), draw_overlay(grey(240, 400), [person((10, 100, 200, 230))]))[:98].any(axis=1).sum()
    large = (
        changed(grey(1080, 1800), draw_overlay(grey(1080, 1800), [person((10, 400, 900, 1000))]))[:390]
        .any(axis=1)
        .sum()
    )
    assert large > 2 * small


@pytest.mark.parametrize("picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_a_picture_of_another_kind_is_refused(picture: Any) -> None:
    with pytest.raises(ValueError, match=r"must be uint8 \(H, W, 3\)"):
        draw_overlay(picture, [])


@pytest.mark.real
def test_label_is_drawn_on_a_real_frame(clips_dir: Path) -> None:
    with av.open(str(clips_dir / "stgcn_ta_chi.mp4")) as container:
        rgb = np.asarray(next(container.decode(video=0)).to_ndarray(format="rgb24"), np.uint8)
    before = rgb.copy()
    drawn = draw_overlay(rgb, [person((110, 40, 230, 250), label="tai chi")])
    assert np.array_equal(rgb, before)
    assert tuple(drawn[150, 110]) == RED
    assert not changed(rgb, drawn)[60:240, 120:220].any(), "the person is not covered"
