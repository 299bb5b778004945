"""Crop people and their surroundings for a classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.clips.pictures import KeptCrop, KeptSurroundings, resized
from recognizer.settings import CropStyle
from recognizer.types import CROP_SIZE_PX, Box, TrackedPerson

Squares = dict[tuple[int, int], tuple[NDArray[np.uint8], NDArray[np.int16]]]
"""A frame's largest squares, shrunk, and where everybody is in them (``KeptSurroundings``), by left and top: people at
the same end of a frame share one."""

STEADY_WITHIN_S = 0.5
"""Time constant of a steady crop that follows its person: long compared with the jitter of a box between samples, short
compared with a walk during a clip."""


class Cropper:
    """Crops people out of the frames of one stream. One per stream, because a steady crop depends on its last place.

    Args:
        style: how the crops are cut.
        max_gap_s: after a longer absence, a person's steady crop starts afresh.
    """

    def __init__(self, style: CropStyle, max_gap_s: float) -> None:
        self._style = style
        self._max_gap_s = max_gap_s
        self._steady: dict[int, tuple[float, Box]] = {}

    def change(self, style: CropStyle, max_gap_s: float) -> None:
        """Continue with another style."""
        self._style, self._max_gap_s = style, max_gap_s

    def swap(self, one_id: int, other_id: int) -> None:
        """Exchange the places of two people whose numbers were swapped."""
        places = {one_id: self._steady.pop(other_id, None), other_id: self._steady.pop(one_id, None)}
        self._steady |= {person_id: place for person_id, place in places.items() if place is not None}

    def boxes(self, time_s: float, people: Sequence[TrackedPerson]) -> list[Box]:
        """Return the box to crop around for each of ``people``; call this once per frame, in order of time."""
        if not self._style.steady:
            return [person.box_xyxy for person in people]
        for person_id in [i for i, (seen_s, _) in self._steady.items() if time_s - seen_s > self._max_gap_s]:
            del self._steady[person_id]
        for person in people:
            box = _square(person.box_xyxy)
            if person.person_id in self._steady:
                seen_s, before = self._steady[person.person_id]
                share = 1.0 - math.exp(-(time_s - seen_s) / STEADY_WITHIN_S)
                x1, y1, x2, y2 = (was + share * (now - was) for was, now in zip(before, box, strict=True))
                box = (x1, y1, x2, y2)
            self._steady[person.person_id] = (time_s, box)
        return [self._steady[person.person_id][1] for person in people]

    def cut(
        self, rgb: NDArray[np.uint8], time_s: float, people: Sequence[TrackedPerson]
    ) -> tuple[tuple[KeptCrop, ...], tuple[KeptSurroundings, ...]]:
        """Return the crops of ``people`` in one frame, and their surroundings if the style includes them.

        Args:
            rgb: uint8 (H, W, 3).
            time_s: time of the frame; call this once per frame, in order of time.
            people: the people in it.

        Returns:
            A crop, (CROP_SIZE_PX, CROP_SIZE_PX, 3), for each of ``people``; the same for the surroundings, or nothing.
            None of them refers to ``rgb``.
        """
        boxes = self.boxes(time_s, people)
        crops = tuple(self.crop(rgb, box) for box in boxes)
        if not self._style.surroundings:
            return crops, ()
        squares: Squares = {}
        return crops, tuple(self.surroundings(rgb, box, people, k, squares) for k, box in enumerate(boxes))

    @property
    def cuts_surroundings(self) -> bool:
        """Whether ``cut`` returns surroundings."""
        return self._style.surroundings

    def crop(self, rgb: NDArray[np.uint8], box: Box) -> KeptCrop:
        """Return the crop at a box of ``boxes``."""
        return _kept_crop(rgb, box, self._style.margin_percentage, CROP_SIZE_PX)

    def surroundings(
        self,
        rgb: NDArray[np.uint8],
        box: Box,
        people: Sequence[TrackedPerson],
        k: int,
        squares: Squares,
    ) -> KeptSurroundings:
        """Return the surroundings of the k-th of ``people`` around a box of ``boxes``; see ``surroundings_crop``.

        Args:
            rgb: the frame, uint8 (H, W, 3).
            box: the box to centre the square on.
            people: everybody in the frame.
            k: whose surroundings.
            squares: the frame's squares so far; new ones are added.
        """
        return _kept_surroundings(rgb, box, [person.box_xyxy for person in people], k, CROP_SIZE_PX, squares)


def _square(box_xyxy: Box) -> Box:
    """Return the square around a box, so that a crop's size changes as smoothly as its place."""
    x1, y1, x2, y2 = box_xyxy
    half = max(x2 - x1, y2 - y1) / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - half, y - half, x + half, y + half


def square_window(box_xyxy: Box, margin_percentage: float) -> tuple[int, int, int]:
    """Return left, top and side (pixels) of the square around a box, with the margin added on each side."""
    x1, y1, x2, y2 = box_xyxy
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * margin_percentage / 100)))
    return round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2), side


def square_crop(
    rgb: NDArray[np.uint8], box_xyxy: Box, margin_percentage: float, size_px: int = CROP_SIZE_PX
) -> NDArray[np.uint8]:
    """Cut a square around a person out of uint8 (H, W, 3); pad it at the border, never squash it, resize it once.

    Returns:
        uint8 (size_px, size_px, 3).
    """
    return np.asarray(_kept_crop(rgb, box_xyxy, margin_percentage, size_px))


def _kept_crop(rgb: NDArray[np.uint8], box_xyxy: Box, margin_percentage: float, size_px: int) -> KeptCrop:
    left, top, side = square_window(box_xyxy, margin_percentage)
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if x2 <= x1 or y2 <= y1:
        return KeptCrop(np.empty((0, 0, 3), np.uint8), (0, 0, 0, 0), size_px)
    scale = size_px / side
    to_x1, to_y1 = round((x1 - left) * scale), round((y1 - top) * scale)
    to_x2, to_y2 = max(to_x1 + 1, round((x2 - left) * scale)), max(to_y1 + 1, round((y2 - top) * scale))
    inside, to_width, to_height = rgb[y1:y2, x1:x2], to_x2 - to_x1, to_y2 - to_y1
    grows = inside.size < 3 * to_width * to_height
    # a copy, because a view would keep the whole frame in memory
    inside = inside.copy() if grows else resized(inside, to_width, to_height)
    return KeptCrop(inside, (to_x1, to_y1, to_x2, to_y2), size_px)


def surroundings_crop(
    rgb: NDArray[np.uint8],
    box_xyxy: Box,
    person_xyxy: Box,
    others_xyxy: Sequence[Box] = (),
    size_px: int = CROP_SIZE_PX,
) -> NDArray[np.uint8]:
    """Return the frame's largest square, placed around a person but inside the frame, with all other people covered.

    The networks were trained on such squares of whole pictures, and a person's surroundings often reveal the action.
    But a person sitting next to a cook does not flip a pancake, so other people are covered (docs/accuracy.md).

    Args:
        rgb: uint8 (H, W, 3).
        box_xyxy: the box to centre the square on.
        person_xyxy: the person's box; nothing in it is covered.
        others_xyxy: the boxes of other people.
        size_px: side of the result.

    Returns:
        uint8 (size_px, size_px, 3).
    """
    return np.asarray(_kept_surroundings(rgb, box_xyxy, [person_xyxy, *others_xyxy], 0, size_px, {}))


def _kept_surroundings(
    rgb: NDArray[np.uint8], box_xyxy: Box, people_xyxy: Sequence[Box], k: int, size_px: int, squares: Squares
) -> KeptSurroundings:
    height, width = rgb.shape[:2]
    side = min(height, width)
    x1, y1, x2, y2 = box_xyxy
    left = round(min(max((x1 + x2 - side) / 2, 0), width - side))
    top = round(min(max((y1 + y2 - side) / 2, 0), height - side))
    if (left, top) not in squares:
        square = resized(rgb[top : top + side, left : left + side], size_px, size_px)
        parts = np.rint((np.array(people_xyxy, np.float64) - (left, top, left, top)) * size_px / side)
        squares[left, top] = square, np.clip(parts, 0, size_px).astype(np.int16)
    return KeptSurroundings(*squares[left, top], k)
