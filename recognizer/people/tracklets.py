"""Tracks of a tracker, and those that show one person at the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.people.appearance import alike
from recognizer.types import APPEARANCE_SIZE

TWICE_SHARES = 0.5
TWICE_LOOK = 0.8
TWICE_SAMPLES = 0.8
TWICE_GAP_S = 1.0
"""Two simultaneous tracks show one person if the median intersection over union of their boxes exceeds TWICE_SHARES,
their colours overlap by TWICE_LOOK, and the longer track covers TWICE_SAMPLES of the shorter one's samples while both
last. A detector may find the whole of a person in one picture and a half in the next, so the longer track also covers
a gap of up to TWICE_GAP_S, where its box is interpolated. No two real people in the shared videos exceed an
intersection over union of 0.15, arm wrestlers included."""

_UNKNOWN_LOOK = 0.7
"""Overlap assumed if no appearance was recorded: enough for a lost person, too little for one who was away."""

_SLOT_S = 10.0
"""Tracks are looked up by the slots of so many seconds in which they are seen."""


@dataclass(frozen=True, eq=False)
class Tracklet:
    """One track of a tracker.

    Attributes:
        track_id: the tracker's number.
        time_s: float64 (n,), times of its samples, ascending.
        box_xyxy: float32 (n, 4), pixels of the frame.
        appearance: float64 (APPEARANCE_SIZE,), see ``Appearances``; None if not recorded.
    """

    track_id: int
    time_s: NDArray[np.float64]
    box_xyxy: NDArray[np.float32]
    appearance: NDArray[np.float64] | None


class Stretch:
    """Tracks that show one person at the same time; usually just one."""

    def __init__(self, tracklet: Tracklet) -> None:
        self.of = [tracklet]
        self.start_s, self.end_s = float(tracklet.time_s[0]), float(tracklet.time_s[-1])
        self.first = self.last = tracklet  # their boxes begin and end it
        self.main = tracklet  # the longest; its appearance counts

    def join(self, other: Tracklet) -> None:
        """Add a shorter track of the same person."""
        self.of.append(other)
        if other.time_s[0] < self.start_s:
            self.start_s, self.first = float(other.time_s[0]), other
        if other.time_s[-1] > self.end_s:
            self.end_s, self.last = float(other.time_s[-1]), other


def without_twice(tracklets: Sequence[Tracklet]) -> list[Stretch]:
    """Return one stretch per track; a track joins the stretch of a longer, simultaneous one of the same person."""
    longest_first = sorted(tracklets, key=lambda one: (-len(one.time_s), one.track_id))
    looks, bounds = looks_of(longest_first), np.array([_bounds(one.box_xyxy) for one in longest_first])
    seen: dict[int, list[int]] = defaultdict(list)
    """The tracks so far that have a stretch, by slot."""
    stretch_of: dict[int, Stretch] = {}
    for k, tracklet in enumerate(longest_first):
        slots = range(int(tracklet.time_s[0] // _SLOT_S), int(tracklet.time_s[-1] // _SLOT_S) + 1)
        meanwhile = np.array(sorted({j for slot in slots for j in seen[slot]}), np.int64)
        meanwhile = meanwhile[_meet(bounds[k], bounds[meanwhile])]
        similar = meanwhile[overlaps(looks[k], looks[meanwhile]) >= TWICE_LOOK].tolist()
        longer = next((j for j in similar if _are_in_one_place(longest_first[j], tracklet, bounds[k])), None)
        if longer is not None:
            stretch_of[longer].join(tracklet)
            continue
        stretch_of[k] = Stretch(tracklet)
        for slot in slots:
            seen[slot].append(k)
    return sorted(stretch_of.values(), key=lambda stretch: (stretch.start_s, stretch.first.track_id))


def _bounds(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smallest box around boxes (n, 4)."""
    return np.concatenate((boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)))


def _meet(one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of some boxes (n, 4) have an area in common with one; of two people, they rarely do."""
    return np.asarray((others[..., :2] < one[2:]).all(axis=-1) & (others[..., 2:] > one[:2]).all(axis=-1))


def _are_in_one_place(longer: Tracklet, shorter: Tracklet, bounds: NDArray[np.float32]) -> bool:
    from_s, to_s = max(longer.time_s[0], shorter.time_s[0]), min(longer.time_s[-1], shorter.time_s[-1])
    if from_s > to_s:
        return False
    first, last = np.searchsorted(longer.time_s, from_s, "right") - 1, np.searchsorted(longer.time_s, to_s)
    meanwhile = slice(int(first), int(last) + 1)
    if not _meet(bounds, _bounds(longer.box_xyxy[meanwhile])):
        return False
    while_both = slice(*np.searchsorted(shorter.time_s, (from_s, np.nextafter(to_s, np.inf))).tolist())
    boxes, is_covered = _boxes_at(shorter.time_s[while_both], longer.time_s[meanwhile], longer.box_xyxy[meanwhile])
    if np.count_nonzero(is_covered) < max(TWICE_SAMPLES * len(boxes), 1):
        return False
    own = shorter.box_xyxy[while_both].astype(np.float64)
    return float(np.median(intersections_over_union(boxes[is_covered], own[is_covered]))) > TWICE_SHARES


def _boxes_at(
    at_s: NDArray[np.float64], time_s: NDArray[np.float64], box_xyxy: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the boxes of a track at other times within it, float64 (n, 4), and which lie in no longer gap than
    ``TWICE_GAP_S``, bool (n,)."""
    boxes = np.stack([np.interp(at_s, time_s, side) for side in box_xyxy.T], axis=1)
    before, after = np.searchsorted(time_s, at_s, "right") - 1, np.searchsorted(time_s, at_s)
    return boxes, time_s[after] - time_s[before] <= TWICE_GAP_S


def looks_of(tracklets: Sequence[Tracklet]) -> NDArray[np.float64]:
    """Return the appearance of each, float64 (n, APPEARANCE_SIZE); NaN if it was not recorded."""
    looks = np.full((len(tracklets), APPEARANCE_SIZE), np.nan)
    for k, one in enumerate(tracklets):
        if one.appearance is not None:
            looks[k] = one.appearance
    return looks


def overlaps(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the overlap of one appearance with each of several of ``looks_of``, float64 (n,)."""
    found = alike(one, others)
    return np.where(np.isnan(found), _UNKNOWN_LOOK, found)


def intersections_over_union(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of boxes (n, 4), pair by pair."""
    # not torchvision.ops.box_iou, because torchvision.ops is slow to import
    both = common_areas(one, other)
    with np.errstate(invalid="ignore"):  # two boxes without an area
        return np.asarray(both / (areas(one) + areas(other) - both))


def common_areas(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area that boxes (n, 4) have in common, pair by pair."""
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    return np.asarray(np.prod(np.maximum(sides, 0.0), axis=1))


def areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area of each box, (n, 4)."""
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
