"""Measure how fast people travel, from their boxes and the camera's motion.

Speeds are in body heights per second, which needs no calibration: a person of 1.7 m who walks at 1.4 m/s across the
picture travels at 0.8. Only motion across the picture is measured: somebody who walks at an angle to it travels less in
the picture than on the ground, and of somebody who walks straight towards the camera the speed is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import least_height_px
from recognizer.timeline.model import PersonTrack
from recognizer.types import CameraPath

_HALF_WINDOW_S: Final = 0.25
"""A speed is the slope of a line through the boxes of half a second, the time of one step of a walking person: swinging
arms and legs average out."""

_LEAST_SPAN: Final = 0.75
"""The samples must span at least this share of half the window."""

_HEIGHT_WINDOW_S: Final = 1.0
_HEIGHT_QUANTILE: Final = 0.75
"""The body height at each moment is the upper quartile of the boxes' longer sides up to a second away: a person who
bends for a moment keeps their height, and so does one who lies down."""

_CHANGES_SIZE_PER_S: Final = 0.04
"""A box whose width and height both change by this share per second, measured over two seconds, belongs to somebody who
comes closer or moves away. The boxes of people who stand change by less in nine of ten samples (0.01 in the median of
the line judges in ``tennis_analyzer_tennis.mp4``); those of people who walk along the street in ``openpose_video.avi``
mostly by 0.1 and more."""

_FOCAL_LENGTH: Final = 1.0
"""Assumed focal length of the camera, in picture widths (a view of 53 degrees). It decides only from which change of
size on the movement of a large person, whose box changes with their pose, is called unknown."""

_BORDER: Final = 0.005
_BORDER_PX: Final = 2.0
"""A box that ends this close to the border of the picture (share of the picture's longer side, or pixels) is cut off
there: neither its height nor its centre are the person's."""

_ROWS_AT_ONCE: Final = 20_000


class Unknown(Enum):
    """Why a person's movement is unknown, in words."""

    CAMERA = "the camera's motion cannot be measured"
    BORDER = "cut off by the border of the picture"
    SMALL = "too small in the picture"
    DEPTH = "comes closer or moves away, and the picture does not show how fast"
    BRIEF = "seen too briefly"


@dataclass(frozen=True, eq=False)
class Speeds:
    """One person's speed in each of their samples.

    Attributes:
        time_s: float64 (n,), times of the samples.
        per_s: float64 (n,), body heights per second; NaN where it is unknown.
        closing_per_s: float64 (n,), rough estimate of how fast the person comes closer or moves away, in body heights
            per second; 0 where their size hardly changes. Decides only whether somebody who does not travel is still.
        unknown: one for each sample: the reason, or None where the speed is known.
    """

    time_s: NDArray[np.float64]
    per_s: NDArray[np.float64]
    closing_per_s: NDArray[np.float64]
    unknown: tuple[Unknown | None, ...]


_of_track: WeakKeyDictionary[PersonTrack, tuple[CameraPath, Speeds]] = WeakKeyDictionary()


def speeds_of(track: PersonTrack, camera: CameraPath, size_wh: tuple[int, int]) -> Speeds:
    """Return the speeds of a person; computed once for each track.

    Args:
        track: the person's boxes.
        camera: the camera's motion; at times of the track between its samples it is interpolated.
        size_wh: width and height of the frames.
    """
    cached = _of_track.get(track)
    if cached is None or cached[0] is not camera:
        cached = _of_track[track] = camera, measure(track.time_s, track.box_xyxy, camera, size_wh)
    return cached[1]


def measure(
    time_s: NDArray[np.float64], box_xyxy: NDArray[np.floating], camera: CameraPath, size_wh: tuple[int, int]
) -> Speeds:
    """Return the speeds of a person from their boxes, (n, 4), at ``time_s``, (n,)."""
    if not len(time_s):
        return Speeds(time_s, np.zeros(0), np.zeros(0), ())
    boxes = box_xyxy.astype(np.float64)
    places = still_places(camera, time_s)
    run, turn, shift = places.run, places.turn, places.shift
    edges = _edges(boxes, turn, shift)
    # sizes as in the run's first picture, so that a zoom does not count
    sides = np.stack((boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]), axis=1) / np.abs(turn)[:, None]
    is_whole = ~_at_border(boxes, size_wh)
    half_s = max(_HALF_WINDOW_S, 1.05 * float(np.median(np.diff(time_s)))) if len(time_s) > 1 else _HALF_WINDOW_S
    speed, height, growth = (np.full(len(time_s), np.nan) for _ in range(3))
    is_parted = np.zeros(len(time_s), bool)
    for rows, near in _windows(time_s, half_s):
        whole = near.is_in & is_whole[near.at]
        counts = whole & (run[near.at] == run[rows, None])
        is_parted[rows] = (whole & ~counts).any(axis=1)
        speed[rows] = _common_speed(_slopes(time_s, edges, near.at, counts, half_s) * turn[rows, None])
    for rows, near in _windows(time_s, _HEIGHT_WINDOW_S):
        counts = near.is_in & is_whole[near.at] & (run[near.at] == run[rows, None])
        height[rows] = _upper(np.where(counts, sides.max(axis=1)[near.at], np.nan)) * np.abs(turn[rows])
        wider, higher = _slopes(time_s, np.log(sides) + 0j, near.at, counts, _HEIGHT_WINDOW_S).real.T
        growth[rows] = np.abs(_shared(wider, higher))
    speed /= height
    is_small = ~(height >= least_height_px(size_wh[1]))
    unknown = np.isnan(speed) | is_small | ~is_whole
    closing = np.where(growth >= _CHANGES_SIZE_PER_S, growth * _FOCAL_LENGTH * size_wh[0] / height, 0.0)
    reasons: list[Unknown | None] = [None] * len(time_s)
    for k in np.flatnonzero(unknown).tolist():
        if not is_whole[k]:
            reasons[k] = Unknown.BORDER
        elif np.isnan(speed[k]):
            reasons[k] = Unknown.CAMERA if is_parted[k] else Unknown.BRIEF
        else:
            reasons[k] = Unknown.SMALL
    return Speeds(time_s, np.where(unknown, np.nan, speed), np.where(unknown, 0.0, closing), tuple(reasons))


@dataclass(frozen=True, eq=False)
class StillPlaces:
    """Positions of still things in some pictures.

    A point ``z`` of a run's first picture is at ``turn * z + shift`` in the picture of that time.

    Attributes:
        run: int64 (n,), the run of known camera motion that each picture belongs to; only within one can places be
            compared.
        turn: complex128 (n,).
        shift: complex128 (n,).
    """

    run: NDArray[np.int64]
    turn: NDArray[np.complex128]
    shift: NDArray[np.complex128]


_of_camera: WeakKeyDictionary[CameraPath, StillPlaces] = WeakKeyDictionary()


def _places_of(camera: CameraPath) -> StillPlaces:
    """Return where still things are in the camera's own samples; computed once for each path."""
    cached = _of_camera.get(camera)
    if cached is not None:
        return cached
    turn, shift = np.ones(len(camera.time_s), np.complex128), np.zeros(len(camera.time_s), np.complex128)
    step_turn = camera.steps[:, 0] + 1j * camera.steps[:, 1]
    step_shift = camera.steps[:, 2] + 1j * camera.steps[:, 3]
    known = ~np.isnan(camera.steps[:, 0])
    for k in np.flatnonzero(known):
        if k:
            turn[k] = step_turn[k] * turn[k - 1]
            shift[k] = step_turn[k] * shift[k - 1] + step_shift[k]
    return _of_camera.setdefault(camera, StillPlaces(np.cumsum(~known), turn, shift))


def still_places(camera: CameraPath, time_s: NDArray[np.float64]) -> StillPlaces:
    """Return where still things are in the pictures at ``time_s``, (n,)."""
    if not len(camera.time_s):
        ones = np.ones(len(time_s), np.complex128)
        return StillPlaces(np.arange(len(time_s)), ones, 0 * ones)
    places, known = _places_of(camera), ~np.isnan(camera.steps[:, 0])
    at = np.clip(np.searchsorted(camera.time_s, time_s), 0, len(camera.time_s) - 1)
    # a live camera's boxes are interpolated between detections, and so is its motion, which is measured only there
    between = (camera.time_s[at] > time_s) & (at > 0)
    before = np.where(between, at - 1, at)
    length_s = np.where(between, camera.time_s[at] - camera.time_s[before], 1.0)
    share = np.where(between, (camera.time_s[at] - time_s) / length_s, 0.0)
    # while the motion is unknown, no two moments can be compared
    run = np.where(between & ~known[at], -1 - np.arange(len(time_s)), places.run[at])
    turn, shift = (values[at] + share * (values[before] - values[at]) for values in (places.turn, places.shift))
    return StillPlaces(run, turn, shift)


def _edges(
    boxes: NDArray[np.float64], turn: NDArray[np.complex128], shift: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return the middles of the left, right, upper and lower edges, complex (n, 4), in the run's first picture."""
    x1, y1, x2, y2 = boxes.T
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    middles = np.stack((x1 + 1j * y, x2 + 1j * y, x + 1j * y1, x + 1j * y2), axis=1)
    return np.asarray((middles - shift[:, None]) / turn[:, None])


def _at_border(boxes: NDArray[np.float64], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    width, height = size_wh
    near_px = max(_BORDER_PX, _BORDER * max(width, height))
    x1, y1, x2, y2 = boxes.T
    return np.asarray((x1 < near_px) | (y1 < near_px) | (x2 > width - near_px) | (y2 > height - near_px))


class _Near(NamedTuple):
    """The samples around some rows: their numbers, int64 (rows, k), and which of them are in the window."""

    at: NDArray[np.int64]
    is_in: NDArray[np.bool_]


def _windows(time_s: NDArray[np.float64], half_s: float) -> Iterator[tuple[NDArray[np.int64], _Near]]:
    """Yield some rows at a time with the samples at most ``half_s`` away."""
    first = np.searchsorted(time_s, time_s - half_s)
    past = np.searchsorted(time_s, time_s + half_s, "right")
    longest = int((past - first).max())
    for start in range(0, len(time_s), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(time_s)))
        at = first[rows, None] + np.arange(longest)
        is_in = at < past[rows, None]
        yield rows, _Near(np.minimum(at, len(time_s) - 1), is_in)


def _slopes(
    time_s: NDArray[np.float64],
    values: NDArray[np.complex128],
    at: NDArray[np.int64],
    counts: NDArray[np.bool_],
    half_s: float,
) -> NDArray[np.complex128]:
    """Return the slopes of least-squares lines through the samples that count, complex (rows, m); NaN with too few."""
    number = np.maximum(counts.sum(axis=1), 1)
    times_s = time_s[at]
    earliest = np.where(counts, times_s, np.inf).min(axis=1)
    latest = np.where(counts, times_s, -np.inf).max(axis=1)
    enough = latest - earliest >= _LEAST_SPAN * half_s
    weights = np.where(counts, 1.0, 0.0) / number[:, None]
    apart_s = np.where(counts, times_s - (weights * times_s).sum(axis=1)[:, None], 0.0)
    spread = (apart_s**2).sum(axis=1)
    slopes = np.einsum("rk,rkm->rm", apart_s, values[at]) / np.where(enough, spread, 1.0)[:, None]
    return np.where(enough[:, None], slopes, np.nan)


def _common_speed(slopes: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the speed that opposite edges share, float64 (rows,), from the motion of all four, complex (rows, 4).

    Arms that open move two edges apart, and a person who sits down moves one edge: neither travels.
    """
    left, right, top, bottom = slopes.T
    return np.hypot(_shared(left.real, right.real), _shared(top.imag, bottom.imag))


def _shared(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the harmonic mean of two numbers of the same sign, otherwise 0 (van Leer, J. Comput. Phys. 14, 1974)."""
    product, total = one * other, one + other
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(np.isnan(product), np.nan, np.where(product > 0, 2 * product / total, 0.0)))


def _upper(sides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the upper quartile of each row without its NaN; NaN if nothing is left."""
    number = np.count_nonzero(~np.isnan(sides), axis=1)
    ascending = np.sort(sides, axis=1)  # NaN last
    place = np.maximum(np.ceil(_HEIGHT_QUANTILE * number).astype(np.int64) - 1, 0)
    return np.asarray(ascending[np.arange(len(sides)), place])
