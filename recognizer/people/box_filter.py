"""Where people are, smoothed as if every frame had been looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from recognizer.types import Box

_MOST_FRAMES = 6
"""Somebody who was not looked at for more frames is where they were found: with so many in between the filter
would have come there, too."""

_POSITION, _VELOCITY = 1 / 20, 1 / 160
"""Standard deviations of a box's place and of its change in a frame, in widths and heights of the box: those of
BoT-SORT (arXiv 2206.14651) as Ultralytics ships it."""

_Axes = tuple["_Axis", "_Axis", "_Axis", "_Axis"]
_Numbers = tuple[float, float, float, float]


class _Axis(NamedTuple):
    """One number of a box, how it changes in a frame, and how sure that is: two variances, and the covariance."""

    value: float
    change: float
    value_var: float
    covariance: float
    change_var: float


class _State(NamedTuple):
    """What is known of one person's box, and when and where it was found last."""

    update: int
    xywh: _Numbers
    axes: _Axes


class BoxFilter:
    """Smooths each person's box as BoT-SORT does, as if every frame had been looked at.

    The filter of a tracker counts calls. Called for every second frame only, it lags behind people by another way than
    where all frames are tracked, and the crops are others. So the frames in between are thought up on a straight line
    between the two boxes, which OC-SORT does where somebody was out of sight (arXiv 2203.14360): boxes overlap with
    those of all frames by 0.996 instead of 0.989, and labels that are not "unknown" agree better (docs/performance.md).

    Centre, width and height do not know of each other in that filter, so four small ones are the same; Ultralytics'
    ``KalmanFilterXYWH``, which a test compares this with, takes ten times as long.

    Args:
        frame_rate_hz: of the stream.
    """

    def __init__(self, frame_rate_hz: float) -> None:
        self._frame_rate_hz = frame_rate_hz
        self._frames_per_update = 1
        self._updates = 0
        self._states: dict[int, _State] = {}

    def expect(self, updates_per_s: float) -> None:
        """``update`` is called this often from now on."""
        self._frames_per_update = max(1, round(self._frame_rate_hz / updates_per_s))

    def update(self, found_xyxy: Mapping[int, Box]) -> dict[int, Box]:
        """Where people are, from where they were found in the next frame that is looked at; by the tracker's ids."""
        self._updates += 1
        newest = {track_id: self._filtered(track_id, box) for track_id, box in found_xyxy.items()}
        recent = {i: state for i, state in self._states.items() if self._frames_since(state) <= _MOST_FRAMES}
        self._states = recent | newest
        return {track_id: _xyxy(state.axes) for track_id, state in newest.items()}

    def _frames_since(self, state: _State) -> int:
        return (self._updates - state.update) * self._frames_per_update

    def _filtered(self, track_id: int, box_xyxy: Box) -> _State:
        xywh = _xywh(box_xyxy)
        before = self._states.get(track_id)
        if before is None or (frames := self._frames_since(before)) > _MOST_FRAMES:
            return _State(self._updates, xywh, _begun(xywh))
        axes = before.axes
        for frame in range(1, frames + 1):
            share = frame / frames
            x, y, width, height = (was + (now - was) * share for was, now in zip(before.xywh, xywh, strict=True))
            axes = _stepped(axes, (x, y, width, height))
        return _State(self._updates, xywh, axes)


def _begun(xywh: _Numbers) -> _Axes:
    """What is known from the first box alone."""

    def axis(value: float, size: float) -> _Axis:
        return _Axis(value, 0.0, (2 * _POSITION * size) ** 2, 0.0, (10 * _VELOCITY * size) ** 2)

    x, y, width, height = xywh
    return axis(x, width), axis(y, height), axis(width, width), axis(height, height)


def _stepped(axes: _Axes, found_xywh: _Numbers) -> _Axes:
    """One frame later, with where the box was found there."""
    width, height = axes[2], axes[3]
    sizes = (width.value, width.value + width.change), (height.value, height.value + height.change)

    def axis(before: _Axis, found: float, size: float, next_size: float) -> _Axis:
        value, change, value_var, covariance, change_var = before
        value += change
        value_var += 2 * covariance + change_var + (_POSITION * size) ** 2
        covariance += change_var
        change_var += (_VELOCITY * size) ** 2
        total_var = value_var + (_POSITION * next_size) ** 2
        gain, change_gain = value_var / total_var, covariance / total_var
        off = found - value
        return _Axis(
            value + gain * off,
            change + change_gain * off,
            (1 - gain) * value_var,
            (1 - gain) * covariance,
            change_var - change_gain * covariance,
        )

    x, y, w, h = axes
    found_x, found_y, found_w, found_h = found_xywh
    return (
        axis(x, found_x, *sizes[0]),
        axis(y, found_y, *sizes[1]),
        axis(w, found_w, *sizes[0]),
        axis(h, found_h, *sizes[1]),
    )


def _xywh(box_xyxy: Box) -> _Numbers:
    """Centre, width and height."""
    x1, y1, x2, y2 = box_xyxy
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


def _xyxy(axes: _Axes) -> Box:
    x, y, width, height = (axis.value for axis in axes)
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
