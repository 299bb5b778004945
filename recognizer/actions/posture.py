"""Posture and movement of a person in a moment, from their boxes: what the shape of a box and its path tell."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from recognizer.timeline.model import PersonTrack
from recognizer.timeline.speeds import StillPlaces, still_places
from recognizer.types import CameraPath


class Measure(NamedTuple):
    """One number of a posture.

    Attributes:
        name: what it measures.
        centre: its usual value: the mean of everyday moments.
        spread: how far it usually is from that: their standard deviation.
        weight: how much it counts next to the others.
    """

    name: str
    centre: float
    spread: float
    weight: float = 1.0


_THIRD: Final = 3**-0.5
"""Three numbers that mostly say the same count as one."""


POSTURE: Final = (
    Measure("log of 1 + the centre's path, body heights per second", 0.15, 0.17, _THIRD),
    Measure("log of 1 + the foot point's path, body heights per second", 0.14, 0.17, _THIRD),
    Measure("log of 1 + the way sideways, body heights per second", 0.07, 0.13, _THIRD),
    Measure("the top goes down, body heights", 0.06, 0.22),
    Measure("log of width by height", -0.6, 0.61),
    Measure("change of that", 0.1, 0.47),
    Measure("change of the log of the height", -0.04, 0.28),
    Measure("spread of the log of the height", 0.08, 0.12),
    Measure("spread of the log of the width", 0.13, 0.13),
)
"""The numbers of a posture, in order, with centres and spreads of everyday actions. Where in the picture somebody is,
and how large, tells more of the place than of the action (docs/own-actions.md)."""

_MOVING: Final = 4
"""The first numbers tell how the person moves; the camera's motion must be known for them."""

_TOUCHING_S: Final = 1e-3
"""Files keep the times of boxes in single precision."""
_LEAST_SAMPLES: Final = 4
_UPRIGHT_SHARE: Final = 0.6
"""A person is at least this share of their box's width tall, also where they lie."""
_HEIGHT_QUANTILE: Final = 0.9
_SMOOTHED: Final = 2
"""Boxes are averaged with so many samples before and after, because detections tremble."""
_ROWS_AT_ONCE: Final = 2048


def posture_of(
    track: PersonTrack, start_s: float, end_s: float, camera: CameraPath | None = None
) -> NDArray[np.float64]:
    """Return the posture of one person from ``start_s`` to ``end_s``, float64 (P,); see ``postures_of``."""
    return np.asarray(postures_of(track, np.array([[start_s, end_s]]), camera)[0])


def postures_of(
    track: PersonTrack, spans_s: NDArray[np.float64], camera: CameraPath | None = None
) -> NDArray[np.float64]:
    """Return the postures of one person in n moments, float64 (n, P).

    Args:
        track: the person's boxes.
        spans_s: float64 (n, 2), start and end of each moment; the ends are exclusive.
        camera: the camera's motion, which does not count as the person's; None if it was not measured.

    Returns:
        the numbers of ``POSTURE``; NaN where there are too few boxes, and in what moves where the camera's motion is
        unknown.
    """
    first = np.searchsorted(track.time_s, spans_s[:, 0] - _TOUCHING_S)
    past = np.searchsorted(track.time_s, spans_s[:, 1] - _TOUCHING_S)
    found = np.full((len(spans_s), len(POSTURE)), np.nan)
    enough = np.flatnonzero(past - first >= _LEAST_SAMPLES)
    places = None if camera is None else still_places(camera, track.time_s)
    for begin in range(0, len(enough), _ROWS_AT_ONCE):
        rows = enough[begin : begin + _ROWS_AT_ONCE]
        found[rows] = _postures(_Windows.of(track, first[rows], past[rows], places))
    return found


class _Windows(NamedTuple):
    """The boxes of r moments of up to m samples; the first and last are repeated around them.

    Attributes:
        time_s: float64 (r, 2), of the first and the last sample.
        boxes: float64 (4, r, _SMOOTHED + m + _SMOOTHED), x1, y1, x2 and y2, as if the camera stood still.
        still: bool (r,), whether the camera's motion is known.
        counts: int64 (r,), number of samples.
    """

    time_s: NDArray[np.float64]
    boxes: NDArray[np.float64]
    still: NDArray[np.bool_]
    counts: NDArray[np.int64]

    @classmethod
    def of(
        cls, track: PersonTrack, first: NDArray[np.int64], past: NDArray[np.int64], places: StillPlaces | None
    ) -> _Windows:
        offsets = np.arange(-_SMOOTHED, int((past - first).max()) + _SMOOTHED)
        at = np.clip(first[:, None] + offsets, first[:, None], past[:, None] - 1)
        boxes = np.moveaxis(track.box_xyxy[at].astype(np.float64), 2, 0)
        still = np.ones(len(first), np.bool_)
        if places is not None:
            middle = (first + past) // 2
            still = (places.run[at] == places.run[middle][:, None]).all(axis=1)
            corners = (boxes[::2] + 1j * boxes[1::2] - places.shift[at]) / places.turn[at]
            moved = corners * places.turn[middle][:, None] + places.shift[middle][:, None]
            moved = np.stack((moved[0].real, moved[0].imag, moved[1].real, moved[1].imag))
            boxes = np.where(still[:, None], moved, boxes)
        return cls(np.stack((track.time_s[first], track.time_s[past - 1]), axis=1), boxes, still, past - first)

    @property
    def is_in(self) -> NDArray[np.bool_]:
        """bool (r, m), which samples of the longest moment each has."""
        return np.asarray(np.arange(self.boxes.shape[2] - 2 * _SMOOTHED) < self.counts[:, None])

    def change(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean of the first and of the last quarter of values, (r, m)."""
        number, quarter = np.arange(values.shape[1]), np.maximum(1, self.counts // 4)[:, None]
        last = (number >= self.counts[:, None] - quarter) & self.is_in
        return _mean(values, number < quarter), _mean(values, last)


def _postures(windows: _Windows) -> NDArray[np.float64]:
    x1, y1, x2, y2 = windows.boxes[:, :, _SMOOTHED:-_SMOOTHED]
    is_in = windows.is_in
    height, width = np.maximum(y2 - y1, 1.0), np.maximum(x2 - x1, 1.0)
    body = _quantile(np.maximum(height, width * _UPRIGHT_SHARE), is_in, _HEIGHT_QUANTILE)
    length_s = np.maximum(windows.time_s[:, 1] - windows.time_s[:, 0], 1e-3)
    smooth_x1, smooth_y1, smooth_x2, smooth_y2 = _smoothed(windows.boxes)
    middle_x, middle_y = (smooth_x1 + smooth_x2) / 2, (smooth_y1 + smooth_y2) / 2
    shape_first, shape_last = windows.change(width / height)
    height_first, height_last = windows.change(height)
    sideways = np.subtract(*windows.change((x1 + x2) / 2))
    down = np.subtract(*windows.change(y1)[::-1])
    found = np.stack(
        (
            np.log1p(_path(middle_x, middle_y, is_in) / length_s / body),
            np.log1p(_path(middle_x, smooth_y2, is_in) / length_s / body),
            np.log1p(np.abs(sideways) / length_s / body),
            down / body,
            np.log(_quantile(width / height, is_in, 0.5)),
            np.log(shape_last / shape_first),
            np.log(height_last / height_first),
            _deviation(np.log(height), is_in),
            _deviation(np.log(width), is_in),
        ),
        axis=1,
    )
    found[~windows.still, :_MOVING] = np.nan
    return found


def _smoothed(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    width = 2 * _SMOOTHED + 1
    return np.asarray(sliding_window_view(boxes, width, axis=2).mean(axis=3))


def _path(x: NDArray[np.float64], y: NDArray[np.float64], is_in: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray((np.hypot(np.diff(x), np.diff(y)) * is_in[:, 1:]).sum(axis=1))


def _mean(values: NDArray[np.float64], counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray((values * counts).sum(axis=1) / counts.sum(axis=1))


def _deviation(values: NDArray[np.float64], counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.sqrt(_mean((values - _mean(values, counts)[:, None]) ** 2, counts))


def _quantile(values: NDArray[np.float64], counts: NDArray[np.bool_], share: float) -> NDArray[np.float64]:
    """Return a quantile of the values that count, interpolated."""
    ascending = np.sort(np.where(counts, values, np.inf), axis=1)
    place = (counts.sum(axis=1) - 1) * share
    below = np.floor(place).astype(np.int64)
    rows = np.arange(len(values))
    low, high = ascending[rows, below], ascending[rows, np.minimum(below + 1, counts.sum(axis=1) - 1)]
    return np.asarray(low + (place - below) * (high - low))
