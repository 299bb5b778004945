"""Pictures that are kept in less memory, and made when they are needed."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.clips.cropping import Cropper, square_crop, square_window, surroundings_crop
from recognizer.clips.pictures import PAD_RGB
from recognizer.clips.sampling import ClipSampler
from recognizer.settings import CropStyle, Settings
from recognizer.types import CROP_SIZE_PX, Box, Clip, Observation, TrackedPerson

STYLE = CropStyle(10, steady=False, surroundings=True)

boxes = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h),
    st.floats(-120, 420),
    st.floats(-120, 330),
    st.floats(0.5, 500),
    st.floats(0.5, 500),
)


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)


def resize(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if width < rgb.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=way), np.uint8)


def plain_crop(rgb: NDArray[np.uint8], box: Box, margin_percentage: float) -> NDArray[np.uint8]:
    """The rule, applied at once to the frame itself."""
    left, top, side = square_window(box, margin_percentage)
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if (x2 - x1, y2 - y1) == (side, side):
        return resize(rgb[y1:y2, x1:x2], CROP_SIZE_PX, CROP_SIZE_PX)
    crop = np.full((CROP_SIZE_PX, CROP_SIZE_PX, 3), PAD_RGB, np.uint8)
    if x2 > x1 and y2 > y1:
        scale = CROP_SIZE_PX / side
        to_x1, to_y1 = round((x1 - left) * scale), round((y1 - top) * scale)
        to_x2, to_y2 = max(to_x1 + 1, round((x2 - left) * scale)), max(to_y1 + 1, round((y2 - top) * scale))
        inside = resize(rgb[y1:y2, x1:x2], to_x2 - to_x1, to_y2 - to_y1)
        crop[to_y1:to_y2, to_x1:to_x2] = inside[: CROP_SIZE_PX - to_y1, : CROP_SIZE_PX - to_x1]
    return crop


def plain_surroundings(rgb: NDArray[np.uint8], box: Box, own: Box, others: Sequence[Box]) -> NDArray[np.uint8]:
    """The rule, applied at once to the frame itself."""
    height, width = rgb.shape[:2]
    side = min(height, width)
    left = round(min(max((box[0] + box[2] - side) / 2, 0), width - side))
    top = round(min(max((box[1] + box[3] - side) / 2, 0), height - side))
    crop = resize(rgb[top : top + side, left : left + side], CROP_SIZE_PX, CROP_SIZE_PX)

    def part(one: Box) -> NDArray[np.uint8]:
        x1, y1, x2, y2 = (
            min(max(round((value - start) * CROP_SIZE_PX / side), 0), CROP_SIZE_PX)
            for value, start in zip(one, (left, top, left, top), strict=True)
        )
        return crop[y1:y2, x1:x2]

    person = part(own).copy()
    for other in others:
        part(other)[:] = PAD_RGB
    part(own)[:] = person
    return crop


def tracked(people: Sequence[Box]) -> tuple[TrackedPerson, ...]:
    return tuple(TrackedPerson(number, box, 0.9) for number, box in enumerate(people, 1))


class TestAsIfMadeAtOnce:
    """A picture that is made later equals, to the bit, one that is made from the frame."""

    @pytest.mark.slow
    @pytest.mark.parametrize("size_wh", [(300, 210), (640, 480), (210, 300), (1280, 720)], ids=str)
    @given(people=st.lists(boxes, min_size=1, max_size=6), margin=st.integers(0, 60))
    @settings(max_examples=60)
    def test_pictures_of_any_people(self, size_wh: tuple[int, int], people: list[Box], margin: int) -> None:
        rgb = noise(*size_wh)
        seen = rgb.copy()
        crops, around = Cropper(STYLE._replace(margin_percentage=margin), 1.0).cut(seen, 0.0, tracked(people))
        seen[:] = 0  # the decoder's memory is used again
        for k, box in enumerate(people):
            others = [other for j, other in enumerate(people) if j != k]
            expected = plain_crop(rgb, box, margin), plain_surroundings(rgb, box, box, others)
            for kept, plain in zip((crops[k], around[k]), expected, strict=True):
                np.testing.assert_array_equal(kept, plain)
                assert kept.shape == plain.shape
            np.testing.assert_array_equal(square_crop(rgb, box, margin), expected[0])
            np.testing.assert_array_equal(surroundings_crop(rgb, box, box, others), expected[1])

    @pytest.mark.parametrize("side", [1, 2, 40, 223, 224, 225, 300])
    @pytest.mark.parametrize("x", [-20.5, 0.0, 100.4, 400.0])
    def test_sizes_around_that_of_a_crop(self, side: int, x: float) -> None:
        rgb, box = noise(480, 360), (x, 3.0, x + side, 3.0 + side)
        ((crop,), _) = Cropper(STYLE._replace(margin_percentage=0), 1.0).cut(rgb, 0.0, tracked([box]))
        np.testing.assert_array_equal(crop, plain_crop(rgb, box, 0))

    def test_who_changes_one_changes_no_other(self) -> None:
        people = [(10.0, 40.0, 60.0, 140.0), (20.0, 30.0, 80.0, 150.0)]
        crops, around = Cropper(STYLE, 1.0).cut(noise(640, 240), 0.0, tracked(people))
        before = [np.array(one) for one in (*crops, *around)]
        for one in (*crops, *around):
            np.asarray(one)[:] = 0
        for one, as_before in zip((*crops, *around), before, strict=True):
            np.testing.assert_array_equal(one, as_before)


def crowd(number: int) -> list[Box]:
    """Four rows of four people in 1280 x 720, who sway."""
    corners = [(135 + 320 * (k % 4) + 12 * math.sin(number / 5 + k), 18.0 + 180 * (k // 4)) for k in range(16)]
    return [(x, y, x + 50, y + 144) for x, y in corners]


def memory_of(people: int) -> int:
    """Return the bytes that one clip of each person takes before it is needed."""
    clip_settings = Settings(num_video_sequence_samples=38, skip_frame=2)
    sampler, cropper = ClipSampler(clip_settings, 30.0), Cropper(STYLE, 1.0)
    picture = noise(1280, 720)
    np.asarray(cropper.crop(picture, crowd(0)[0]))  # what is made once
    clips: list[Clip] = []
    tracemalloc.start()
    for k in range(38):
        seen, frame_rgb = tracked(crowd(k)[:people]), picture.copy()
        crops, around = cropper.cut(frame_rgb, k / 15, seen)
        clips += sampler.add(Observation(2 * k, k / 15, seen, crops, surroundings_rgb=around))
    del frame_rgb, crops, around
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [clip.length for clip in clips] == [38] * people
    return taken


def test_sixteen_people_take_far_less_than_their_pictures() -> None:
    """Regression: they took 183 MB, all of their pictures."""
    pictures = 16 * 38 * 2 * CROP_SIZE_PX**2 * 3
    taken = memory_of(16)
    assert taken < 0.7 * pictures, f"{taken / 1e6:.0f} of {pictures / 1e6:.0f} MB"
