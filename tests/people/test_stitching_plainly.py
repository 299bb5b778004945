"""Stitching joins what the plain rule joins, which looks at one pair of tracks after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.people import stitching
from recognizer.people.appearance import alike
from recognizer.people.compensation import CameraMotion, moved_xyxy
from recognizer.people.stitching import (
    ANYWHERE_LOOK,
    ANYWHERE_RIVAL,
    ANYWHERE_SEEN_S,
    AWAY_LOOK,
    AWAY_S,
    AWAY_WITHIN,
    LOST_LOOK,
    LOST_S,
    LOST_WITHIN,
    MORE_INSIDE,
    TIMES_AS_HIGH,
    WALKS,
    stitch,
)
from recognizer.people.tracklets import (
    TWICE_GAP_S,
    TWICE_LOOK,
    TWICE_SAMPLES,
    TWICE_SHARES,
    Stretch,
    Tracklet,
    areas,
    common_areas,
    intersections_over_union,
)
from recognizer.types import APPEARANCE_SIZE, UNKNOWN_STEP, CameraStep
from tests.support.growth import MOST_TIMES, times_for_twice

UNKNOWN_LOOK = 0.7
DOUBT_PER_S = 0.08
MOST_DOUBT = DOUBT_PER_S * AWAY_S + 2
SPEED_OVER_S = 0.5
INTERVAL_S = 0.2


def scene(seed: int, count: int, lasts_s: float) -> list[Tracklet]:
    """Return tracks of people who are lost, come back, cross, look like one another, or are found twice."""
    rng = np.random.default_rng(seed)
    half = APPEARANCE_SIZE // 2
    looks = rng.random((1 + count // 6, half)) ** 3
    tracks: list[Tracklet] = []
    for number in range(1, count + 1):
        begin, length = int(rng.integers(0, round(lasts_s / INTERVAL_S))), int(rng.integers(1, 30))
        time_s = np.asarray(INTERVAL_S * np.arange(begin, begin + length), np.float64)
        time_s = time_s[rng.random(length) < 0.9] if length > 2 else time_s
        if not len(time_s):
            continue
        at, speed = rng.uniform(0, 500, 2), rng.choice([0.0, 0.0, 40.0, -90.0]) * rng.random(2)
        box = np.array([*at, *(at + rng.uniform(20, 140, 2))])
        if tracks and rng.random() < 0.2:  # found twice
            box, time_s = tracks[-1].box_xyxy[0] + rng.uniform(-6, 6, 4), tracks[-1].time_s[: max(1, length // 2)]
            time_s, speed = time_s + INTERVAL_S * rng.integers(0, 9), np.zeros(2)
        boxes = box + np.outer(time_s - time_s[0], np.tile(speed, 2))
        look = looks[rng.integers(len(looks))] + rng.choice([0.0, 0.05, 0.5]) * rng.random(half)
        appearance = None if rng.random() < 0.05 else np.tile(look / look.sum(), 2)
        tracks.append(Tracklet(number, time_s, boxes.astype(np.float32), appearance))
    return tracks


def camera(seed: int, lasts_s: float) -> CameraMotion | None:
    """Return how a camera moves: not at all, with unknown steps in between, or all the time."""
    rng = np.random.default_rng(seed)
    if seed % 3 == 0:
        return None
    times_s = (INTERVAL_S * np.arange(round(lasts_s / INTERVAL_S) + 40)).tolist()
    steps = [
        UNKNOWN_STEP
        if rng.random() < 0.1
        else CameraStep(1.0, 0.0, 0.0, 0.0)
        if seed % 3 == 1
        else CameraStep(rng.uniform(0.98, 1.02), rng.uniform(-0.01, 0.01), *rng.uniform(-4, 4, 2))
        for _ in times_s
    ]
    return CameraMotion(times_s, steps)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_tracks_are_joined_as_if_each_pair_was_looked_at(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stitching, "_BEFORES_AT_ONCE", 7)
    lasts_s = (8.0, 25.0)[seed % 2]
    tracks, motion, cuts_s = scene(seed, 40, lasts_s), camera(seed, lasts_s), [3.1, 12.0] if seed % 4 == 0 else []
    joined = stitch(tracks, interval_s=INTERVAL_S, cuts_s=cuts_s, camera=motion)
    assert joined == plainly_stitched(tracks, INTERVAL_S, cuts_s, motion)


def test_the_scenes_hold_what_stitching_decides_about() -> None:
    lost, people = 0, 0
    for seed in range(8):
        tracks = scene(seed, 40, (8.0, 25.0)[seed % 2])
        people += len(set(stitch(tracks, interval_s=INTERVAL_S).values()))
        lost += len(tracks)
    assert 0.4 * lost < people < 0.9 * lost


def test_many_tracks_cost_as_much_each_as_a_few() -> None:
    """Regression: each pair within six seconds was looked at in Python; 1,000 tracks took 8.4 s."""

    def work_of(count: int) -> Callable[[], object]:
        tracks = scene(1, count, 0.5 * count)
        return lambda: stitch(tracks, interval_s=INTERVAL_S)

    assert times_for_twice(work_of, 100) < MOST_TIMES


# --- the plain rule ---


def plainly_stitched(
    tracklets: Sequence[Tracklet], interval_s: float, cuts_s: Sequence[float], camera: CameraMotion | None
) -> dict[int, int]:
    """Do what ``stitch`` does, pair by pair."""
    stretches = _without_twice(tracklets)
    links = list(_links(stretches, interval_s, np.asarray(cuts_s, np.float64)))
    following = _followers(stretches, links, camera or CameraMotion((), ()))
    people: list[list[Tracklet]] = []
    for first, stretch in enumerate(stretches):
        if first in following.values():
            continue
        person, k = list(stretch.of), first
        while k in following:
            k = following[k]
            person += stretches[k].of
        people.append(person)
    people.sort(key=lambda person: min((float(one.time_s[0]), one.track_id) for one in person))
    return {one.track_id: number for number, person in enumerate(people, 1) for one in person}


def _without_twice(tracklets: Sequence[Tracklet]) -> list[Stretch]:
    """Return one stretch per track; a track joins the stretch of a longer, simultaneous one of the same person."""
    longest_first = sorted(tracklets, key=lambda one: (-len(one.time_s), one.track_id))
    starts_s = np.array([one.time_s[0] for one in longest_first])
    ends_s = np.array([one.time_s[-1] for one in longest_first])
    stretch_of: dict[int, Stretch] = {}
    for k, tracklet in enumerate(longest_first):
        meanwhile = np.flatnonzero((starts_s[:k] <= ends_s[k]) & (ends_s[:k] >= starts_s[k])).tolist()
        same = (j for j in meanwhile if j in stretch_of and _show_the_same(longest_first[j], tracklet))
        longer = next(same, None)
        if longer is None:
            stretch_of[k] = Stretch(tracklet)
        else:
            stretch_of[longer].join(tracklet)
    return sorted(stretch_of.values(), key=lambda stretch: (stretch.start_s, stretch.first.track_id))


def _show_the_same(longer: Tracklet, shorter: Tracklet) -> bool:
    from_s, to_s = max(longer.time_s[0], shorter.time_s[0]), min(longer.time_s[-1], shorter.time_s[-1])
    while_both = np.flatnonzero((shorter.time_s >= from_s) & (shorter.time_s <= to_s)).tolist()
    shares = []
    for k in while_both:
        at_s = shorter.time_s[k]
        before, after = np.flatnonzero(longer.time_s <= at_s)[-1], np.flatnonzero(longer.time_s >= at_s)[0]
        gap_s = longer.time_s[after] - longer.time_s[before]
        if gap_s > TWICE_GAP_S:
            continue
        passed = (at_s - longer.time_s[before]) / gap_s if gap_s else 0.0
        box = (1 - passed) * longer.box_xyxy[before].astype(np.float64) + passed * longer.box_xyxy[after]
        shares.append(intersections_over_union(box[None], shorter.box_xyxy[k : k + 1].astype(np.float64)))
    if len(shares) < max(TWICE_SAMPLES * len(while_both), 1):
        return False
    return float(np.median(shares)) > TWICE_SHARES and _alike(longer, shorter) >= TWICE_LOOK


@dataclass(frozen=True)
class _Link:
    """One stretch may continue as another: the overlap of their appearance, and the gap between them."""

    before: int
    after: int
    appearance: float
    gap_s: float
    is_cut: bool


def _followers(stretches: Sequence[Stretch], links: Sequence[_Link], camera: CameraMotion) -> dict[int, int]:
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
            doubt = MOST_DOUBT
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


def _links(stretches: Sequence[Stretch], interval_s: float, cuts_s: NDArray[np.float64]) -> Iterator[_Link]:
    starts_s = np.array([stretch.start_s for stretch in stretches])
    for k, before in enumerate(stretches):
        first = int(np.searchsorted(starts_s, before.end_s, "right"))
        past = int(np.searchsorted(starts_s, before.end_s + AWAY_S + interval_s, "right"))
        for j in range(first, past):
            after = stretches[j]
            is_cut = bool(np.any((cuts_s > before.end_s) & (cuts_s <= after.start_s)))
            gap_s = max(after.start_s - before.end_s - interval_s, 0.0)
            yield _Link(k, j, _alike(before.main, after.main), gap_s, is_cut)


def _doubt(before: Stretch, after: Stretch, link: _Link, camera: CameraMotion) -> float | None:
    """Return the doubt that both are one person, at least 0; None if place or appearance rules it out."""
    left, came = before.last.box_xyxy[-1].astype(np.float64), after.first.box_xyxy[0].astype(np.float64)
    if link.is_cut:
        is_same_place = float(intersections_over_union(left[None], came[None])[0]) > TWICE_SHARES
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
    return (1 - link.appearance) + min(apart / within, 1.0) / 4 + DOUBT_PER_S * link.gap_s


def _is_the_only_one(before: Stretch, after: Stretch, link: _Link, others: Iterable[_Link]) -> bool:
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
        return UNKNOWN_LOOK
    return float(alike(one.appearance, other.appearance))


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
    near = np.abs(times_s - times_s[end]) <= SPEED_OVER_S
    took_s = float(times_s[near][-1] - times_s[near][0])
    if took_s <= 0:
        return np.zeros(2)
    boxes, near_s = tracklet.box_xyxy[near].astype(np.float64), times_s[near].tolist()
    from_where = moved_xyxy(boxes[0], camera.between(near_s[0], near_s[-1]))
    return np.asarray((_centre(boxes[-1]) - _centre(from_where)) / took_s)


def _inside(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the share of the smaller box inside the larger one."""
    some, others = one[None], other[None]
    return float(common_areas(some, others)[0] / min(areas(some)[0], areas(others)[0]))
