"""Smooth people's boxes as if every frame had been sampled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ultralytics.trackers.utils.kalman_filter import KalmanFilterXYWH

from recognizer.people.compensation import moved
from recognizer.types import Box, CameraStep

_MAX_FRAMES = 6
"""After a longer gap, a box restarts where it is detected; the filter would converge to it within this many frames
anyway."""


class _State(NamedTuple):
    """The filter's state for one person, with the update and the box of the latest detection."""

    update: int
    xywh: NDArray[np.float64]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


class BoxFilter:
    """Smooths each person's box with BoT-SORT's Kalman filter (arXiv 2206.14651), one step per frame.

    A tracker's own filter counts calls. If it is called only for every second frame, its lag differs from that of
    tracking every frame, and so do the crops. Boxes for the skipped frames are interpolated linearly, as OC-SORT does
    for occlusions (arXiv 2203.14360): boxes then overlap those of a run over every frame by 0.996 instead of 0.989,
    and more labels agree (docs/performance.md).

    Args:
        frame_rate_hz: frame rate of the stream.
    """

    def __init__(self, frame_rate_hz: float) -> None:
        self._frame_rate_hz = frame_rate_hz
        self._frames_per_update = 1
        self._updates = 0
        self._kalman = KalmanFilterXYWH()
        self._states: dict[int, _State] = {}

    def expect(self, updates_per_s: float) -> None:
        """Set how often ``update`` will be called."""
        self._frames_per_update = max(1, round(self._frame_rate_hz / updates_per_s))

    def move(self, camera: CameraStep, beyond: float) -> None:
        """Move everyone whom the camera's motion takes further than ``beyond``, a share of their width."""
        self._states = {
            track_id: state._replace(xywh=moved(state.xywh, camera, beyond), mean=moved(state.mean, camera, beyond))
            for track_id, state in self._states.items()
        }

    def update(self, found_xyxy: Mapping[int, Box]) -> dict[int, Box]:
        """Return the smoothed boxes for the boxes detected in the next sampled frame, by track id."""
        self._updates += 1
        latest = {track_id: self._filtered(track_id, box) for track_id, box in found_xyxy.items()}
        recent = {i: state for i, state in self._states.items() if self._frames_since(state) <= _MAX_FRAMES}
        self._states = recent | latest
        return {track_id: _xyxy(state.mean[:4]) for track_id, state in latest.items()}

    def _frames_since(self, state: _State) -> int:
        return (self._updates - state.update) * self._frames_per_update

    def _filtered(self, track_id: int, box_xyxy: Box) -> _State:
        xywh = _xywh(box_xyxy)
        before = self._states.get(track_id)
        if before is None or (frames := self._frames_since(before)) > _MAX_FRAMES:
            return _State(self._updates, xywh, *self._kalman.initiate(xywh))
        mean, covariance = before.mean, before.covariance
        for frame in range(1, frames + 1):
            mean, covariance = self._kalman.predict(mean, covariance)
            interpolated = before.xywh + (xywh - before.xywh) * (frame / frames)
            mean, covariance = self._kalman.update(mean, covariance, interpolated)
        return _State(self._updates, xywh, mean, covariance)


def _xywh(box_xyxy: Box) -> NDArray[np.float64]:
    """Return centre, width and height."""
    x1, y1, x2, y2 = box_xyxy
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])


def _xyxy(xywh: NDArray[np.float64]) -> Box:
    x, y, width, height = xywh.tolist()
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
