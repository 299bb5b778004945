"""Measure the camera's motion from one sampled frame to the next."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.types import UNKNOWN_STEP, CameraStep, TrackedPerson

_COMPARED_PX = 240
"""Longer side of the compared pictures. Known shifts of real pictures are measured to 0.2 thousandths of the picture's
width; at 160 pixels the error is three times as large."""

_ROWS_OF_EACH = 2
"""At least this many rows of a large picture are averaged into one row of the small one; more take longer."""

_POINTS = 80
_LEAST_POINTS = 8
_POINTS_APART_PX = 7
_CORNER_QUALITY = 0.01
"""Up to this many corners of the surroundings are followed (Shi and Tomasi, CVPR 1994); more take longer.
With fewer than 8, a few of them on something that moves would decide."""

_WINDOW_PX = 15
_PYRAMID_LEVELS = 3
"""Corners are followed over up to a tenth of the picture's width (Bouguet's pyramidal Lucas-Kanade, OpenCV)."""

_WITHIN_PX = 0.7
_LEAST_SHARE = 0.5
"""Share of the corners that must agree on one motion, to this many pixels of the small picture."""

_ROUGHLY_WITHIN_PX = 2.0
_LEAST_ROUGH_SHARE = 0.35
"""To follow people through a whip of the camera, a few pixels matter little: phase correlation of the whole pictures
differs by 1 to 4 pixels of 340 in the hand-held ``tv_WUzgd7C1pWA.mp4``, where a third of the steps is only known so."""

_AROUND_PERSON = 0.05
"""A person's box is widened by this share of its height, because hands and shadows move with the person."""


class CameraMeter:
    """Measures how the camera of one stream moves: corners outside people's boxes are followed to the next sample.

    The motion is a similarity (shift, rotation, zoom). It describes a camera that turns or zooms exactly, and one that
    travels only for what is as far away as most of the surroundings.
    """

    def __init__(self) -> None:
        self._grey: NDArray[np.uint8] | None = None
        self._scale = 1.0
        self._corners = np.zeros((0, 1, 2), np.float32)

    def measure(self, rgb: NDArray[np.uint8], *, is_cut: bool = False) -> tuple[CameraStep, CameraStep]:
        """Add the next frame, uint8 (H, W, 3), before its people are known; ``look_around`` must follow.

        Returns:
            The motion since the frame before, and the same if need be roughly: to ``_ROUGHLY_WITHIN_PX``, as far as a
            fast or shaken camera lets it be measured. Unknown if it cannot be measured.
        """
        before, corners = self._grey, self._corners
        self._grey, self._scale = _small(rgb)
        if before is None or is_cut or before.shape != self._grey.shape or len(corners) < _LEAST_POINTS:
            return UNKNOWN_STEP, UNKNOWN_STEP
        after, found, _ = cv2.calcOpticalFlowPyrLK(
            before,
            self._grey,
            corners,
            np.zeros_like(corners),
            winSize=(_WINDOW_PX, _WINDOW_PX),
            maxLevel=_PYRAMID_LEVELS,
        )
        followed = found[:, 0] > 0
        if np.count_nonzero(followed) < _LEAST_POINTS:
            return UNKNOWN_STEP, UNKNOWN_STEP

        def step(within_px: float, least_share: float) -> CameraStep:
            matrix, agrees = cv2.estimateAffinePartial2D(
                corners[followed], after[followed], ransacReprojThreshold=within_px
            )
            # corners that were lost count as disagreeing
            if matrix is None or np.count_nonzero(agrees) < max(_LEAST_POINTS, least_share * len(corners)):
                return UNKNOWN_STEP
            (cosine, _, x), (sine, _, y) = matrix.tolist()
            # as many digits as can be measured: an analysis stores one step for each sample
            return CameraStep(round(cosine, 7), round(sine, 7), round(x / self._scale, 3), round(y / self._scale, 3))

        exact = step(_WITHIN_PX, _LEAST_SHARE)
        return exact, exact if exact.is_known else step(_ROUGHLY_WITHIN_PX, _LEAST_ROUGH_SHARE)

    def look_around(self, people: Iterable[TrackedPerson]) -> None:
        """Choose the corners to follow to the next frame, outside the boxes of the people in this one."""
        if self._grey is not None:
            self._corners = _corners(self._grey, people, self._scale)


def _small(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Return the frame, small and grey, and the size of its pixels relative to the frame's."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _COMPARED_PX / max(width, height))
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    every = max(1, height // (_ROWS_OF_EACH * size_wh[1]))
    small = cv2.resize(rgb[::every], size_wh, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8), scale


def _corners(grey: NDArray[np.uint8], people: Iterable[TrackedPerson], scale: float) -> NDArray[np.float32]:
    """Return the corners outside people's boxes, float32 (n, 1, 2)."""
    surroundings = np.full(grey.shape, 255, np.uint8)
    for person in people:
        x1, y1, x2, y2 = person.box_xyxy
        more = _AROUND_PERSON * (y2 - y1)
        left, top = (max(0, int((edge - more) * scale)) for edge in (x1, y1))
        right, bottom = (int(np.ceil((edge + more) * scale)) for edge in (x2, y2))
        surroundings[top:bottom, left:right] = 0
    corners = cv2.goodFeaturesToTrack(grey, _POINTS, _CORNER_QUALITY, _POINTS_APART_PX, mask=surroundings)
    return np.zeros((0, 1, 2), np.float32) if corners is None else np.asarray(corners, np.float32)
