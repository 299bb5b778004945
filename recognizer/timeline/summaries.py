"""The summaries that studies report: time budgets, bins, latencies, transitions, and who does what at the same time.

All functions take segments as they are shown; ``unknown`` counts like a label. Times are seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from statistics import mean, stdev
from typing import Final

from recognizer.timeline.model import PersonTrack
from recognizer.timeline.segments import overlapping
from recognizer.types import TOUCHING_S, Segment

Interval = tuple[float, float]

MAX_TRANSITION_GAP_S: Final = 1.0
"""Two segments further apart are no transition; equals the gap that ends a presence."""


@dataclass(frozen=True)
class BudgetRow:
    """Time that one person, or everyone, spends on one action.

    Attributes:
        person_id: the person; None for everyone together.
        action: the action.
        count: number of segments.
        total_s: their duration in all.
        mean_s: their mean duration.
        sd_s: standard deviation of the durations (n - 1); None for a single segment.
        share: share of the time in which the person is seen, 0 to 1; None if that is not known.
        latency_s: from the moment when the person is first seen to the first segment; for everyone, the shortest.
    """

    person_id: int | None
    action: str
    count: int
    total_s: float
    mean_s: float
    sd_s: float | None
    share: float | None
    latency_s: float | None


def time_budget(segments: Iterable[Segment], people: Sequence[PersonTrack]) -> tuple[BudgetRow, ...]:
    """Return each person's time budget, by person, most time first; then that of everyone together."""
    tracks = {track.person_id: track for track in people if track.presence}
    of_each: dict[tuple[int, str], list[Segment]] = defaultdict(list)
    of_all: dict[str, list[Segment]] = defaultdict(list)
    for one in segments:
        of_each[one.person_id, one.action].append(one)
        of_all[one.action].append(one)
    rows = []
    latencies_s: dict[str, list[float]] = defaultdict(list)
    for (person_id, action), some in of_each.items():
        track = tracks.get(person_id)
        latency_s = min(one.start_s for one in some) - track.presence[0][0] if track else None
        rows.append(_budget_row(person_id, action, some, track.present_s if track else 0.0, latency_s))
        if latency_s is not None:
            latencies_s[action].append(latency_s)
    seen_s = sum(track.present_s for track in tracks.values())
    for action, some in of_all.items():
        rows.append(_budget_row(None, action, some, seen_s, min(latencies_s[action], default=None)))
    return tuple(sorted(rows, key=lambda row: (row.person_id or math.inf, -row.total_s, row.action)))


def _budget_row(
    person_id: int | None, action: str, some: Sequence[Segment], seen_s: float, latency_s: float | None
) -> BudgetRow:
    durations_s = [one.duration_s for one in some]
    total_s = sum(durations_s)
    return BudgetRow(
        person_id,
        action,
        len(some),
        total_s,
        mean(durations_s),
        stdev(durations_s) if len(some) > 1 else None,
        total_s / seen_s if seen_s else None,
        latency_s,
    )


@dataclass(frozen=True)
class BinRow:
    """Time that one person spends on one action within one bin.

    Attributes:
        start_s: start of the bin.
        end_s: its end; the last bin ends with the video.
        person_id: the person.
        action: the action.
        count: segments that begin in the bin.
        total_s: time of the action in the bin.
        share: share of the time in the bin in which the person is seen; None if the person is not seen.
    """

    start_s: float
    end_s: float
    person_id: int
    action: str
    count: int
    total_s: float
    share: float | None


def in_bins(
    segments: Iterable[Segment], people: Sequence[PersonTrack], bin_s: float, end_s: float
) -> tuple[BinRow, ...]:
    """Return a row for each bin, person and action with time in it, by bin, then by person and action.

    Args:
        segments: the segments.
        people: the people, for the time in which they are seen.
        bin_s: length of a bin, above 0.
        end_s: end of the video.

    Raises:
        ValueError: a bin has no length.
    """
    if not (bin_s > 0 and math.isfinite(bin_s)):
        raise ValueError(f"a bin needs a length above 0, got {bin_s}")
    total_s: dict[tuple[int, int, str], float] = defaultdict(float)
    begun: Counter[tuple[int, int, str]] = Counter()
    for one in segments:
        begun[_bin_of(one.start_s, bin_s), one.person_id, one.action] += 1
        for k, part_s in _parts(one.start_s, one.end_s, bin_s):
            total_s[k, one.person_id, one.action] += part_s
    seen_s: dict[tuple[int, int], float] = defaultdict(float)
    for track in people:
        for start_s, stop_s in track.presence:
            for k, part_s in _parts(start_s, stop_s, bin_s):
                seen_s[k, track.person_id] += part_s
    return tuple(
        BinRow(
            k * bin_s,
            min((k + 1) * bin_s, max(end_s, k * bin_s)),
            person_id,
            action,
            begun[k, person_id, action],
            time_s,
            min(1.0, time_s / seen_s[k, person_id]) if seen_s.get((k, person_id)) else None,
        )
        for (k, person_id, action), time_s in sorted(total_s.items())
    )


def _bin_of(time_s: float, bin_s: float) -> int:
    return math.floor((time_s + TOUCHING_S) / bin_s)


def _parts(start_s: float, end_s: float, bin_s: float) -> Iterator[tuple[int, float]]:
    """Yield the number of each bin that an interval touches, and the time in it."""
    for k in range(_bin_of(start_s, bin_s), math.ceil((end_s - TOUCHING_S) / bin_s)):
        yield k, min(end_s, (k + 1) * bin_s) - max(start_s, k * bin_s)


@dataclass(frozen=True)
class Transitions:
    """Transitions from one action to another.

    Attributes:
        labels: the actions, in alphabetical order.
        counts: ``counts[i][j]``: how often ``labels[j]`` follows ``labels[i]``.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def shares(self) -> tuple[tuple[float, ...], ...]:
        """The share of each next action, of all that follow one; rows sum to 1, or are 0 if nothing follows."""
        return tuple(tuple(number / (sum(row) or 1) for number in row) for row in self.counts)


def transitions(segments: Iterable[Segment], max_gap_s: float = MAX_TRANSITION_GAP_S) -> Transitions:
    """Count what follows what within each person; segments further apart than ``max_gap_s`` are no transition."""
    ordered = sorted(segments, key=attrgetter("person_id", "start_s"))
    labels = tuple(sorted({one.action for one in ordered}))
    counts: Counter[tuple[str, str]] = Counter()
    for _, of_person in groupby(ordered, attrgetter("person_id")):
        for one, following in pairwise(of_person):
            if following.start_s - one.end_s <= max_gap_s + TOUCHING_S:
                counts[one.action, following.action] += 1
    return Transitions(labels, tuple(tuple(counts[one, other] for other in labels) for one in labels))


@dataclass(frozen=True)
class TogetherRow:
    """Two people's actions at the same time.

    Attributes:
        person_id: one person; the smaller number.
        other_id: the other.
        action: what the one does.
        other_action: what the other does meanwhile.
        total_s: for how long.
        share: share of the time in which both are seen, 0 to 1; None if they are never seen together.
    """

    person_id: int
    other_id: int
    action: str
    other_action: str
    total_s: float
    share: float | None


def together(segments: Iterable[Segment], people: Sequence[PersonTrack]) -> tuple[TogetherRow, ...]:
    """Return for how long two people do two actions at once, by pair, longest first."""
    by_person: dict[int, list[Segment]] = defaultdict(list)
    for one in sorted(segments, key=attrgetter("start_s")):
        by_person[one.person_id].append(one)
    presence = {track.person_id: track.presence for track in people}
    rows = []
    for person_id, other_id in _at_once(by_person):
        time_s: dict[tuple[str, str], float] = defaultdict(float)
        own, others = by_person[person_id], by_person[other_id]
        for one, other, overlap_s in overlapping(_while_there(own, others), _while_there(others, own)):
            time_s[one.action, other.action] += overlap_s
        both_s = _common_s(presence.get(person_id, ()), presence.get(other_id, ()))
        rows += [
            TogetherRow(person_id, other_id, *actions, total_s, min(1.0, total_s / both_s) if both_s else None)
            for actions, total_s in sorted(time_s.items(), key=lambda item: (-item[1], item[0]))
        ]
    return tuple(rows)


def _at_once(by_person: Mapping[int, Sequence[Segment]]) -> list[tuple[int, int]]:
    """Return the pairs of people of whom one has segments before the other's have ended: where many come and go, few.

    Args:
        by_person: the segments of each person, by time.
    """
    pairs: list[tuple[int, int]] = []
    here: list[tuple[int, float]] = []
    for person_id, some in sorted(by_person.items(), key=lambda item: item[1][0].start_s):
        here = [one for one in here if one[1] > some[0].start_s]
        pairs += [(min(person_id, other_id), max(person_id, other_id)) for other_id, _ in here]
        here.append((person_id, some[-1].end_s))
    return sorted(pairs)


def _while_there(some: Sequence[Segment], others: Sequence[Segment]) -> Sequence[Segment]:
    """Return the segments from the start of somebody else's first to the end of their last; each is by time."""
    first = bisect_right(some, others[0].start_s, key=attrgetter("end_s"))
    return some[first : bisect_left(some, others[-1].end_s, key=attrgetter("start_s"))]


def _common_s(some: Sequence[Interval], others: Sequence[Interval]) -> float:
    """Return how long both are seen at once; the visits of each are by time, and apart."""
    common_s, i, j = 0.0, 0, 0
    while i < len(some) and j < len(others):
        common_s += max(0.0, min(some[i][1], others[j][1]) - max(some[i][0], others[j][0]))
        if some[i][1] <= others[j][1]:
            i += 1
        else:
            j += 1
    return common_s
