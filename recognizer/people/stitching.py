"""Join the tracks of one person by place, motion and appearance, once a whole file is tracked.

A tracker gives a person a new number when it loses them: behind someone, outside the frame, in a blurred frame. Seen
over the whole file, a track that begins where another ended, with the same appearance, is the same person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.people.compensation import CameraMotion, all_moved_xyxy, moved_xyxy
from recognizer.people.tracklets import (
    TWICE_LOOK,
    TWICE_SHARES,
    Stretch,
    Tracklet,
    areas,
    common_areas,
    intersections_over_union,
    looks_of,
    overlaps,
    without_twice,
)
from recognizer.types import CameraStep

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

_DOUBT_PER_S = 0.08
"""Appearance is stronger evidence than a one-second difference in the gap: at five times this value, two people in a
crowd of 19 were joined wrongly."""

_MOST_DOUBT = _DOUBT_PER_S * AWAY_S + 2
"""Higher than any other doubt, so that a person who came back elsewhere is joined last."""

_BEFORES_AT_ONCE = 256
"""Bounds the memory: so many stretches are compared at once with all that begin within ``AWAY_S`` after them."""

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
    stretches = without_twice(tracklets)
    following = _followers(stretches, interval_s, np.asarray(cuts_s, np.float64), camera or CameraMotion((), ()))
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


class _Links(NamedTuple):
    """Pairs of stretches of which one may continue the other.

    Attributes:
        before, after: int64 (n,), numbers of the two stretches.
        appearance: float64 (n,), overlap of their appearance.
        gap_s: float64 (n,), the gap between them.
        is_cut: bool (n,), whether a cut lies in it.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    appearance: NDArray[np.float64]
    gap_s: NDArray[np.float64]
    is_cut: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> _Links:
        """Return some of the links."""
        before, after, appearance, gap_s, is_cut = self
        return _Links(before[chosen], after[chosen], appearance[chosen], gap_s[chosen], is_cut[chosen])


class _Ends:
    """The beginnings and ends of some stretches.

    Attributes:
        starts_s, ends_s: float64 (n,).
        first_xyxy, last_xyxy: float64 (n, 4), the box at the start and at the end.
        rivals: int64 (2, n), with how many later and earlier stretches each shares its look.
    """

    def __init__(self, stretches: Sequence[Stretch], camera: CameraMotion) -> None:
        self.starts_s = np.array([one.start_s for one in stretches])
        self.ends_s = np.array([one.end_s for one in stretches])
        self.first_xyxy = np.array([one.first.box_xyxy[0] for one in stretches], np.float64).reshape(-1, 4)
        self.last_xyxy = np.array([one.last.box_xyxy[-1] for one in stretches], np.float64).reshape(-1, 4)
        self.rivals = np.zeros((2, len(stretches)), np.int64)
        self._camera = camera
        self._speed_at_start = cache(lambda k: _speed(stretches[k].first, 0, camera))
        self._speed_at_end = cache(lambda k: _speed(stretches[k].last, -1, camera))

    def count_rivals(self, links: _Links) -> None:
        """Count all links of some stretches to later ones."""
        is_rival = links.appearance >= ANYWHERE_RIVAL
        np.add.at(self.rivals[0], links.before[is_rival], 1)
        np.add.at(self.rivals[1], links.after[is_rival], 1)

    def speeds(self, links: _Links) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how fast the first of each pair leaves and the second comes, float64 (n, 2), in pixels per second."""
        leaving = [self._speed_at_end(k) for k in links.before.tolist()]
        coming = [self._speed_at_start(k) for k in links.after.tolist()]
        return np.array(leaving).reshape(-1, 2), np.array(coming).reshape(-1, 2)

    def camera_steps(self, links: _Links) -> NDArray[np.float64]:
        """Return the camera's motion from the end of the first to the start of the second of each, float64 (n, 4)."""
        firsts = np.flatnonzero(np.diff(links.before, prepend=-1)).tolist()
        steps: list[CameraStep] = []
        for first, past in pairwise((*firsts, len(links.before))):
            from_s, to_s = float(self.ends_s[links.before[first]]), self.starts_s[links.after[first:past]]
            steps += self._camera.from_one_to_each(from_s, to_s)
        return np.array(steps, np.float64).reshape(-1, 4)


def _followers(
    stretches: Sequence[Stretch], interval_s: float, cuts_s: NDArray[np.float64], camera: CameraMotion
) -> dict[int, int]:
    """Return the stretch that continues each stretch, linking the surest pairs first."""
    ends = _Ends(stretches, camera)
    likely: list[tuple[_Links, NDArray[np.float64]]] = []
    for links in _links(stretches, ends, interval_s, cuts_s):
        ends.count_rivals(links)
        alike = links.where(_may_be_one(links))
        likely.append((alike, _doubts(ends, alike)))
    doubts: list[tuple[float, int, int]] = []
    for links, doubt in likely:
        found = np.where(np.isnan(doubt) & _is_the_only_one(ends, links), _MOST_DOUBT, doubt)
        known = ~np.isnan(found)
        doubts += zip(found[known].tolist(), links.before[known].tolist(), links.after[known].tolist(), strict=True)
    following: dict[int, int] = {}
    taken: set[int] = set()
    for _, before, after in sorted(doubts):
        if before not in following and after not in taken:
            following[before] = after
            taken.add(after)
    _insert_left_over(following, taken, [(before, after) for _, before, after in doubts])
    return following


def _insert_left_over(following: dict[int, int], taken: set[int], possible: Sequence[tuple[int, int]]) -> None:
    """Insert each unlinked stretch between two linked ones, if it can be linked with both."""
    place = {before: k for k, before in enumerate(following)}
    befores: dict[int, list[int]] = defaultdict(list)
    for before, after in possible:
        befores[after].append(before)
    pairs = set(possible)
    left_over = sorted({before for before, _ in possible if before not in following and before not in taken})
    for single in left_over:
        linked = sorted((before for before in befores[single] if before in following), key=place.__getitem__)
        for before in linked:
            if (single, following[before]) in pairs:
                following[single], following[before] = following[before], single
                place[single] = len(place)
                taken.add(single)
                break


def _links(
    stretches: Sequence[Stretch], ends: _Ends, interval_s: float, cuts_s: NDArray[np.float64]
) -> Iterator[_Links]:
    """Yield the pairs of stretches that are near in time, in the order of the first, some at a time."""
    firsts = np.searchsorted(ends.starts_s, ends.ends_s, "right")
    pasts = np.maximum(np.searchsorted(ends.starts_s, ends.ends_s + AWAY_S + interval_s, "right"), firsts)
    looks = looks_of([one.main for one in stretches])
    cuts_before_end, cuts_before_start = (
        np.searchsorted(np.sort(cuts_s), times_s, "right") for times_s in (ends.ends_s, ends.starts_s)
    )
    for k in range(0, len(stretches), _BEFORES_AT_ONCE):
        some = range(k, min(k + _BEFORES_AT_ONCE, len(stretches)))
        near = [slice(firsts[one], pasts[one]) for one in some]
        before = np.repeat(np.array(some), pasts[some] - firsts[some])
        after = np.concatenate([np.arange(one.start, one.stop) for one in near])
        appearance = np.concatenate([overlaps(looks[one], looks[those]) for one, those in zip(some, near, strict=True)])
        gap_s = np.maximum(ends.starts_s[after] - ends.ends_s[before] - interval_s, 0.0)
        yield _Links(before, after, appearance, gap_s, cuts_before_start[after] > cuts_before_end[before])


def _may_be_one(links: _Links) -> NDArray[np.bool_]:
    """Return which links join stretches that look enough like one another."""
    was_lost = links.gap_s <= LOST_S
    least = np.where(links.is_cut, TWICE_LOOK, np.where(was_lost, LOST_LOOK, AWAY_LOOK))
    return np.asarray((links.appearance >= least) & (was_lost | ~links.is_cut))


def _doubts(ends: _Ends, links: _Links) -> NDArray[np.float64]:
    """Return the doubt that both are one person, at least 0; NaN if their place rules it out."""
    left, came = ends.last_xyxy[links.before], ends.first_xyxy[links.after]
    is_same_place = intersections_over_union(left, came) > TWICE_SHARES
    left = all_moved_xyxy(left, ends.camera_steps(links))
    was_lost = links.gap_s <= LOST_S
    apart = _apart(ends, links, left, came, was_lost)
    within = np.where(was_lost, LOST_WITHIN + WALKS * links.gap_s, AWAY_WITHIN)
    is_inside = was_lost & (_inside(left, came) >= MORE_INSIDE)
    heights = np.sort(np.stack((left[:, 3] - left[:, 1], came[:, 3] - came[:, 1])), axis=0)
    is_there = is_inside | ((apart <= within) & (heights[1] <= TIMES_AS_HIGH * heights[0]))
    unlike = 1 - links.appearance
    doubts = unlike + np.minimum(apart / within, 1.0) / 4 + _DOUBT_PER_S * links.gap_s
    return np.where(links.is_cut, np.where(is_same_place, unlike, np.nan), np.where(is_there, doubts, np.nan))


def _apart(
    ends: _Ends, links: _Links, left: NDArray[np.float64], came: NDArray[np.float64], was_lost: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return how far apart two boxes are, in box sizes; of a lost person, also from where their speed took them."""
    size = (_sizes(left) + _sizes(came)) / 2
    apart = _distances(left, came) / size
    lost = links.where(was_lost)
    took_s = (ends.starts_s[lost.after] - ends.ends_s[lost.before])[:, None]
    leaving, coming = ends.speeds(lost)
    foreseen = left[was_lost] + np.tile(leaving * took_s, 2)
    looked_back = came[was_lost] - np.tile(coming * took_s, 2)
    ahead = _distances(foreseen, came[was_lost]), _distances(left[was_lost], looked_back)
    apart[was_lost] = np.minimum(apart[was_lost], np.minimum(*ahead) / size[was_lost])
    return np.asarray(apart)


def _is_the_only_one(ends: _Ends, links: _Links) -> NDArray[np.bool_]:
    """Return whether the second must be the person of the first, who was away and came back elsewhere."""
    seen_s = ends.ends_s - ends.starts_s
    return np.asarray(
        (links.appearance >= ANYWHERE_LOOK)
        & (links.gap_s > LOST_S)
        & ~links.is_cut
        & (np.minimum(seen_s[links.before], seen_s[links.after]) >= ANYWHERE_SEEN_S)
        & (ends.rivals[0, links.before] == 1)  # the link itself
        & (ends.rivals[1, links.after] == 1)
    )


def _distances(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance between the centres of boxes (n, 4), pair by pair, in pixels."""
    return np.asarray(np.hypot(*(_centres(others) - _centres(some)).T))


def _centres(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def _sizes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(areas(boxes), 1.0))


def _speed(tracklet: Tracklet, end: int, camera: CameraMotion) -> NDArray[np.float64]:
    """Return the speed over the ground at the first (0) or last (-1) sample, in pixels per second."""
    times_s = tracklet.time_s
    near = np.abs(times_s - times_s[end]) <= _SPEED_OVER_S
    took_s = float(times_s[near][-1] - times_s[near][0])
    if took_s <= 0:
        return np.zeros(2)
    boxes, near_s = tracklet.box_xyxy[near].astype(np.float64), times_s[near].tolist()
    from_where = moved_xyxy(boxes[0], camera.between(near_s[0], near_s[-1]))
    return np.asarray((_centres(boxes[-1]) - _centres(from_where)) / took_s)


def _inside(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the smaller box inside the larger one, pair by pair."""
    with np.errstate(invalid="ignore"):  # a box without an area
        return np.asarray(common_areas(some, others) / np.minimum(areas(some), areas(others)))
