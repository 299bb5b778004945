"""Join the tracks of one person by place, motion and appearance, once a whole file is tracked.

A tracker gives a person a new number when it loses them: behind someone, outside the frame, in a blurred frame. Seen
over the whole file, a track that begins where another ended, with the same appearance, is the same person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.people.appearance import alike
from recognizer.people.compensation import CameraMotion, moved_xyxy


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


LOST_S = 1.0
"""In a gap of up to this length, the tracker lost the person; in a longer one, the person was away
(settings.MAX_GAP_S)."""

AWAY_S = 6.0
"""A person who was away for longer gets a new number: the longer the gap, the likelier a similar-looking person came
instead. Of six visitors in a row, two resemble each other as much as one of them resembles themselves 30 s later."""

LOST_WITHIN = 0.5
WALKS = 0.6
"""A lost person is searched for within ``LOST_WITHIN + WALKS * gap_s`` of their last or predicted place, in box sizes
(the square root of the box's area, about 1.1 m for a standing person). 0.6 per second is half a walk of 1.4 m/s past
the camera; the prediction from the person's speed covers the other half."""

AWAY_WITHIN = 1.0
"""A person who was away is searched for within this many box sizes of the place where they left, such as a door."""

LOST_LOOK = 0.5
"""Least overlap of colours, 0 to 1, for a lost person. In a crowd, two seconds of one person overlap by 0.51 or more
in 95 of 100 pairs and by 0.83 in half of them (docs/accuracy-identities.md)."""

AWAY_LOOK = 0.85
"""Least overlap for a person who was away: two people in a crowd overlap by more in 1 of 100 pairs."""

ANYWHERE_LOOK = 0.97
ANYWHERE_SEEN_S = 1.0
ANYWHERE_RIVAL = 0.9
"""A person visible for ANYWHERE_SEEN_S may come back anywhere if their colours overlap by ANYWHERE_LOOK, unless someone
else whose colours overlap by ANYWHERE_RIVAL leaves or comes in that time. Successive visitors overlap by 0.64 to
0.88."""

MORE_INSIDE = 0.8
"""Two boxes are in one place if this share of the smaller one is inside the larger: half a person may be hidden."""

TIMES_AS_HIGH = 2.0
"""Largest ratio of heights across a gap, unless one box is inside the other."""

TWICE_SHARES = 0.5
TWICE_LOOK = 0.8
TWICE_SAMPLES = 0.8
"""Two simultaneous tracks show one person if the median intersection over union of their boxes exceeds TWICE_SHARES,
their colours overlap by TWICE_LOOK, and the longer track covers TWICE_SAMPLES of the shorter one's samples. No two real
people in the shared videos exceed an intersection over union of 0.15, arm wrestlers included."""

_UNKNOWN_LOOK = 0.7
"""Overlap assumed if no appearance was recorded: enough for a lost person, too little for one who was away."""

_DOUBT_PER_S = 0.08
"""Appearance is stronger evidence than a one-second difference in the gap: at five times this value, two people in a
crowd of 19 were joined wrongly."""

_MOST_DOUBT = _DOUBT_PER_S * AWAY_S + 2
"""Higher than any other doubt, so that a person who came back elsewhere is joined last."""

_SPEED_OVER_S = 0.5
"""A person's speed is measured over this time at each end of a track."""


def stitch(
    tracklets: Sequence[Tracklet],
    *,
    interval_s: float,
    cuts_s: Sequence[float] = (),
    camera: CameraMotion | None = None,
) -> dict[int, int]:
    """Return the person of each track: 1, 2, … in order of appearance.

    Tracks of one person follow each other; two overlap in time only where the detector found one person twice.

    Args:
        tracklets: all tracks of a file.
        interval_s: time between two samples; two tracks this far apart have no gap between them.
        cuts_s: when shots begin. Across a cut, tracks are joined only at the same place with the same appearance,
            as in a jump cut.
        camera: how the camera moved; None if it stood still.
    """
    stretches = _without_twice(tracklets)
    links = list(_links(stretches, interval_s, np.asarray(cuts_s, np.float64)))
    following = _followers(stretches, links, camera or CameraMotion((), ()))
    people: list[list[Tracklet]] = []
    continued = set(following.values())
    for first, stretch in enumerate(stretches):
        if first in continued:
            continue
        person, k = list(stretch.of), first
        while k in following:
            k = following[k]
            person += stretches[k].of
        people.append(person)
    people.sort(key=lambda person: min((float(one.time_s[0]), one.track_id) for one in person))
    return {one.track_id: number for number, person in enumerate(people, 1) for one in person}


class _Stretch:
    """Tracks that show one person at the same time; usually just one."""

    def __init__(self, tracklet: Tracklet) -> None:
        self.of = [tracklet]
        self.start_s, self.end_s = float(tracklet.time_s[0]), float(tracklet.time_s[-1])
        self.first = self.last = tracklet  # their boxes begin and end it
        self.main = tracklet  # the longest; its appearance counts

    def join(self, other: Tracklet) -> None:
        self.of.append(other)
        if other.time_s[0] < self.start_s:
            self.start_s, self.first = float(other.time_s[0]), other
        if other.time_s[-1] > self.end_s:
            self.end_s, self.last = float(other.time_s[-1]), other


def _without_twice(tracklets: Sequence[Tracklet]) -> list[_Stretch]:
    """Return one stretch per track; a track joins the stretch of a longer, simultaneous one of the same person."""
    longest_first = sorted(tracklets, key=lambda one: (-len(one.time_s), one.track_id))
    starts_s = np.array([one.time_s[0] for one in longest_first])
    ends_s = np.array([one.time_s[-1] for one in longest_first])
    stretch_of: dict[int, _Stretch] = {}
    for k, tracklet in enumerate(longest_first):
        meanwhile = np.flatnonzero((starts_s[:k] <= ends_s[k]) & (ends_s[:k] >= starts_s[k])).tolist()
        same = (j for j in meanwhile if j in stretch_of and _show_the_same(longest_first[j], tracklet))
        longer = next(same, None)
        if longer is None:
            stretch_of[k] = _Stretch(tracklet)
        else:
            stretch_of[longer].join(tracklet)
    return sorted(stretch_of.values(), key=lambda stretch: (stretch.start_s, stretch.first.track_id))


def _show_the_same(longer: Tracklet, shorter: Tracklet) -> bool:
    _, at, of = np.intersect1d(longer.time_s, shorter.time_s, assume_unique=True, return_indices=True)
    if len(of) < TWICE_SAMPLES * len(shorter.time_s):
        return False
    shares = _shares(longer.box_xyxy[at].astype(np.float64), shorter.box_xyxy[of].astype(np.float64))
    return float(np.median(shares)) > TWICE_SHARES and _alike(longer, shorter) >= TWICE_LOOK


@dataclass(frozen=True)
class _Link:
    """One stretch may continue as another: the overlap of their appearance, and the gap between them."""

    before: int
    after: int
    appearance: float
    gap_s: float
    is_cut: bool


def _followers(stretches: Sequence[_Stretch], links: Sequence[_Link], camera: CameraMotion) -> dict[int, int]:
    """Return the stretch that continues each stretch, linking the surest pairs first."""
    rivals: dict[int, list[_Link]] = defaultdict(list)
    for link in links:
        rivals[link.before].append(link)
        rivals[~link.after].append(link)
    doubts = []
    for link in links:
        doubt = _doubt(stretches[link.before], stretches[link.after], link, camera)
        others = (one for one in (*rivals[link.before], *rivals[~link.after]) if one is not link)
        if doubt is None and _is_the_only_one(stretches[link.before], stretches[link.after], link, others):
            doubt = _MOST_DOUBT
        if doubt is not None:
            doubts.append((doubt, link.before, link.after))
    following: dict[int, int] = {}
    taken: set[int] = set()
    for _, before, after in sorted(doubts):
        if before not in following and after not in taken:
            following[before] = after
            taken.add(after)
    _insert_left_over(following, taken, {(before, after) for _, before, after in doubts})
    return following


def _insert_left_over(following: dict[int, int], taken: set[int], possible: set[tuple[int, int]]) -> None:
    """Insert each unlinked stretch between two linked ones, if it can be linked with both."""
    left_over = sorted({before for before, _ in possible if before not in following and before not in taken})
    for single in left_over:
        for before, after in following.items():
            if (before, single) in possible and (single, after) in possible:
                following[before], following[single] = single, after
                taken.add(single)
                break


def _links(stretches: Sequence[_Stretch], interval_s: float, cuts_s: NDArray[np.float64]) -> Iterator[_Link]:
    starts_s = np.array([stretch.start_s for stretch in stretches])
    for k, before in enumerate(stretches):
        first = int(np.searchsorted(starts_s, before.end_s, "right"))
        past = int(np.searchsorted(starts_s, before.end_s + AWAY_S + interval_s, "right"))
        for j in range(first, past):
            after = stretches[j]
            is_cut = bool(np.any((cuts_s > before.end_s) & (cuts_s <= after.start_s)))
            gap_s = max(after.start_s - before.end_s - interval_s, 0.0)
            yield _Link(k, j, _alike(before.main, after.main), gap_s, is_cut)


def _doubt(before: _Stretch, after: _Stretch, link: _Link, camera: CameraMotion) -> float | None:
    """Return the doubt that both are one person, at least 0; None if place or appearance rules it out."""
    left, came = before.last.box_xyxy[-1].astype(np.float64), after.first.box_xyxy[0].astype(np.float64)
    if link.is_cut:
        is_same_place = float(_shares(left[None], came[None])[0]) > TWICE_SHARES
        is_same = is_same_place and link.appearance >= TWICE_LOOK and link.gap_s <= LOST_S
        return 1 - link.appearance if is_same else None
    was_lost = link.gap_s <= LOST_S
    if link.appearance < (LOST_LOOK if was_lost else AWAY_LOOK):
        return None
    left = moved_xyxy(left, camera.between(before.end_s, after.start_s))
    size = (_size(left) + _size(came)) / 2
    apart = _distance(left, came) / size
    if was_lost:
        took_s = after.start_s - before.end_s
        foreseen = left + np.tile(_speed(before.last, -1, camera) * took_s, 2)
        looked_back = came - np.tile(_speed(after.first, 0, camera) * took_s, 2)
        apart = min(apart, _distance(foreseen, came) / size, _distance(left, looked_back) / size)
    within = LOST_WITHIN + WALKS * link.gap_s if was_lost else AWAY_WITHIN
    is_inside = was_lost and _inside(left, came) >= MORE_INSIDE
    heights = sorted((left[3] - left[1], came[3] - came[1]))
    is_there = is_inside or (apart <= within and heights[1] <= TIMES_AS_HIGH * heights[0])
    if not is_there:
        return None
    return (1 - link.appearance) + min(apart / within, 1.0) / 4 + _DOUBT_PER_S * link.gap_s


def _is_the_only_one(before: _Stretch, after: _Stretch, link: _Link, others: Iterable[_Link]) -> bool:
    """Return whether ``after`` must be the person of ``before``, who was away and came back elsewhere."""
    return (
        link.appearance >= ANYWHERE_LOOK
        and link.gap_s > LOST_S
        and not link.is_cut
        and before.main.appearance is not None
        and min(stretch.end_s - stretch.start_s for stretch in (before, after)) >= ANYWHERE_SEEN_S
        and all(other.appearance < ANYWHERE_RIVAL for other in others)
    )


def _alike(one: Tracklet, other: Tracklet) -> float:
    if one.appearance is None or other.appearance is None:
        return _UNKNOWN_LOOK
    return alike(one.appearance, other.appearance)


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the distance between the centres of two boxes, in pixels."""
    return float(np.hypot(*(_centre(other) - _centre(one))))


def _centre(box: NDArray[np.float64]) -> NDArray[np.float64]:
    return (box[:2] + box[2:]) / 2


def _size(box: NDArray[np.float64]) -> float:
    return float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0)))


def _speed(tracklet: Tracklet, end: int, camera: CameraMotion) -> NDArray[np.float64]:
    """Return the speed over the ground at the first (0) or last (-1) sample, in pixels per second."""
    times_s = tracklet.time_s
    near = np.abs(times_s - times_s[end]) <= _SPEED_OVER_S
    took_s = float(times_s[near][-1] - times_s[near][0])
    if took_s <= 0:
        return np.zeros(2)
    boxes, near_s = tracklet.box_xyxy[near].astype(np.float64), times_s[near].tolist()
    from_where = moved_xyxy(boxes[0], camera.between(near_s[0], near_s[-1]))
    return np.asarray((_centre(boxes[-1]) - _centre(from_where)) / took_s)


def _shares(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of boxes (n, 4), pair by pair."""
    # not torchvision.ops.box_iou, because torchvision.ops is slow to import
    both = _both(one, other)
    return both / (_areas(one) + _areas(other) - both)


def _inside(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the share of the smaller box inside the larger one."""
    return float(_both(one[None], other[None])[0] / min(_areas(one[None])[0], _areas(other[None])[0]))


def _both(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    return np.asarray(np.prod(np.maximum(sides, 0.0), axis=1))


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
