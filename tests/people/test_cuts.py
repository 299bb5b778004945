"""Cuts: detected between shots of any size, not when a camera swings, a person comes near or a light flashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.people.cuts import CutDetector
from recognizer.video import open_video

Picture = NDArray[np.uint8]


def scene(seed: int, size_wh: tuple[int, int] = (320, 240), seen_from: int = 0) -> Picture:
    """A wide picture of coloured surfaces; a frame shows a part of it."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(20, 236, (4, 3), np.uint8)
    wide = palette[rng.integers(0, 4, (6, 40))].astype(np.uint8)
    wide = np.asarray(cv2.resize(wide, (1600, size_wh[1]), interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.ascontiguousarray(wide[:, seen_from : seen_from + size_wh[0]])


def cuts(pictures: Sequence[Picture]) -> list[int]:
    detector = CutDetector()
    return [k for k, rgb in enumerate(pictures) if detector.push(rgb)]


def test_a_cut_is_the_first_frame_of_the_new_shot() -> None:
    assert cuts([scene(1)] * 5 + [scene(2)] * 5 + [scene(3)] * 2) == [5, 10]


@pytest.mark.parametrize("size_wh", [(64, 48), (320, 240), (1280, 720), (240, 426)])
def test_the_size_of_the_picture_does_not_matter(size_wh: tuple[int, int]) -> None:
    assert cuts([scene(1, size_wh)] * 3 + [scene(2, size_wh)] * 3) == [3]


def test_a_swinging_camera_does_not_cut() -> None:
    assert cuts([scene(1, seen_from=90 * k) for k in range(12)]) == []


def test_a_flash_and_a_black_picture_do_not_cut_but_the_next_picture_may() -> None:
    white, black = np.full((240, 320, 3), 255, np.uint8), np.zeros((240, 320, 3), np.uint8)
    assert cuts([scene(1), white, scene(1), black, scene(1)]) == []
    assert cuts([scene(1), black, black, scene(2)]) == [3]
    assert cuts([black, scene(1), scene(1)]) == []


def test_a_stream_that_changes_its_size_is_still_compared() -> None:
    assert cuts([scene(1), scene(1), scene(2, (640, 480))]) == [2]
    assert cuts([scene(1), np.asarray(cv2.resize(scene(1), (640, 480)), np.uint8)]) == []


REAL = {
    "mmaction2_structuralize.mp4": "hand-held, the camera is swung round at 9.2 s",
    "mmaction2_demo.mp4": "hand-held and close, damaged at the end",
    "decord_flipping_a_pancake.mkv": "a hand covers the camera at the end",
    "tv_R6llTwEh07w.mp4": "the camera follows",
    "stgcn_ta_chi.mp4": "quiet",
    "tv_basketball.mp4": "quiet",
}


def sampled(path: Path, skip: int) -> Iterator[Picture]:
    with open_video(path) as reader:
        for frame in reader.frames(lambda index, _: index % skip == 0):
            yield frame.rgb


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_real_shots_are_not_cut(clips_dir: Path, name: str) -> None:
    pictures = list(sampled(clips_dir / name, 2))
    for among in (1, 3):
        assert cuts(pictures[::among]) == [], among


@pytest.fixture(scope="module")
def beginnings(clips_dir: Path) -> list[Picture]:
    """Twelve pictures of each clip."""
    return [rgb for name in REAL for rgb in islice(sampled(clips_dir / name, 5), 12)]


@pytest.mark.real
@pytest.mark.parametrize(
    ("size_wh", "skip"), [((160, 120), 1), ((426, 240), 2), ((854, 480), 4)], ids=["small", "middle", "large"]
)
def test_joined_clips_are_cut_where_they_are_joined_and_nowhere_else(
    beginnings: list[Picture], make_video: Callable[..., Path], size_wh: tuple[int, int], skip: int
) -> None:
    pictures = [np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_AREA), np.uint8) for rgb in beginnings]
    video = make_video("joined.mp4", frames=pictures, fps=15)
    assert cuts(list(sampled(video, skip))) == [12 // skip * k for k in range(1, len(REAL))]
