"""How far two classifiers agree about the same people: share of time, Cohen's kappa over time bins, disagreements."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from recognizer.types import TOUCHING_S, Segment

BIN_S: Final = 0.1
"""Kappa is counted over bins of this length, in seconds; a bin has the label that stands in its middle."""

_KAPPA_WORDS: Final = (
    (0.0, "poor"),
    (0.2, "slight"),
    (0.4, "fair"),
    (0.6, "moderate"),
    (0.8, "substantial"),
    (1.0, "almost perfect"),
)
"""Landis and Koch, "The Measurement of Observer Agreement for Categorical Data", Biometrics 33 (1977), p. 165: up to
and including each number."""


@dataclass(frozen=True)
class Piece:
    """A stretch of time ``[start_s, end_s)`` of one person in which nobody's label changes.

    Attributes:
        labels: what each of those who are compared says, in their order; None where one says nothing yet.
    """

    person_id: int
    start_s: float
    end_s: float
    labels: tuple[str | None, ...]

    @property
    def duration_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s

    @property
    def is_compared(self) -> bool:
        """Whether everyone has a label."""
        return None not in self.labels

    @property
    def is_agreed(self) -> bool:
        """Whether everyone has the same label."""
        return self.is_compared and len(set(self.labels)) == 1

    @property
    def bins(self) -> int:
        """How many time bins have their middle in it."""
        return _bins_before(self.end_s) - _bins_before(self.start_s)


@dataclass(frozen=True)
class Agreement:
    """How far two agree.

    Attributes:
        compared_s: time in which both have a label; only this is compared.
        agreed_s: time of it in which they are the same.
        kappa: Cohen's kappa over time bins, 1 for full agreement and 0 for what chance would give; None where it is not
            defined, which is where nothing is compared, or both say one and the same label all the time.
        is_telling: False where one of the two has a single label all the time: kappa is 0 then, however much of the
            time they agree.
    """

    compared_s: float
    agreed_s: float
    kappa: float | None
    is_telling: bool

    @property
    def share(self) -> float | None:
        """Share of the compared time in which they agree, 0 to 1; None where nothing is compared."""
        return self.agreed_s / self.compared_s if self.compared_s else None

    @property
    def meaning(self) -> str:
        """What it means, in words."""
        if not self.compared_s:
            return "nothing to compare"
        if self.kappa is None:
            return "both say one and the same label all the time"
        if not self.is_telling:
            return "kappa tells nothing, as one says the same label all the time"
        return f"{kappa_in_words(self.kappa)} agreement"


def kappa_in_words(kappa: float) -> str:
    """``poor``, ``slight``, ``fair``, ``moderate``, ``substantial`` or ``almost perfect`` (Landis and Koch 1977)."""
    if kappa < 0:
        return "poor"
    # the table is printed with two digits, so 0.204 is still slight
    return next(word for limit, word in _KAPPA_WORDS[1:] if round(kappa, 2) <= limit)


def overlap(timelines: Sequence[Iterable[Segment]], person_id: int | None = None) -> Iterator[Piece]:
    """Yield the stretches in which no label changes, by person, then by time.

    Args:
        timelines: the segments of each; a person's segments do not overlap.
        person_id: only this person; everyone if None.
    """
    by_person: dict[int, list[list[Segment]]] = defaultdict(lambda: [[] for _ in timelines])
    for number, segments in enumerate(timelines):
        for segment in segments:
            if person_id is None or segment.person_id == person_id:
                by_person[segment.person_id][number].append(segment)
    for person in sorted(by_person):
        yield from _pieces(person, [sorted(segments, key=lambda s: s.start_s) for segments in by_person[person]])


def _pieces(person_id: int, lanes: Sequence[Sequence[Segment]]) -> Iterator[Piece]:
    times_s = sorted({time_s for lane in lanes for s in lane for time_s in (s.start_s, s.end_s)})
    starts_s = [[segment.start_s for segment in lane] for lane in lanes]
    last: Piece | None = None
    for start_s, end_s in pairwise(times_s):
        if end_s - start_s < TOUCHING_S:
            continue
        middle_s = (start_s + end_s) / 2
        labels = tuple(_label_at(lane, begins_s, middle_s) for lane, begins_s in zip(lanes, starts_s, strict=True))
        if last is not None and last.labels == labels:
            last = Piece(person_id, last.start_s, end_s, labels)
            continue
        if last is not None and any(last.labels):
            yield last
        last = Piece(person_id, start_s, end_s, labels)
    if last is not None and any(last.labels):
        yield last


def _label_at(lane: Sequence[Segment], starts_s: Sequence[float], time_s: float) -> str | None:
    index = bisect_right(starts_s, time_s) - 1
    return lane[index].action if index >= 0 and time_s < lane[index].end_s else None


def _bins_before(time_s: float) -> int:
    """How many bins have their middle before ``time_s``."""
    return math.ceil(time_s / BIN_S - 0.5 - TOUCHING_S)


def count_bins(pieces: Iterable[Piece]) -> Counter[tuple[str, str]]:
    """How many time bins have which pair of labels; bins in which one of the two has none are left out."""
    counts: Counter[tuple[str, str]] = Counter()
    for piece in pieces:
        one, other = piece.labels
        if one is not None and other is not None and piece.bins:
            counts[one, other] += piece.bins
    return counts


def cohen_kappa(counts: Mapping[tuple[str, str], int]) -> float | None:
    """Cohen's kappa of a confusion table (Educational and Psychological Measurement 20, 1960, pp. 37-46).

    Returns:
        -1 to 1; None where chance alone would give full agreement, so that nothing can be told.
    """
    total = sum(counts.values())
    by_one: Counter[str] = Counter()
    by_other: Counter[str] = Counter()
    for (one, other), bins in counts.items():
        by_one[one] += bins
        by_other[other] += bins
    by_chance = sum(bins * by_other[label] for label, bins in by_one.items())
    if by_chance == total * total:
        return None
    agreed = sum(bins for (one, other), bins in counts.items() if one == other)
    return (agreed * total - by_chance) / (total * total - by_chance)


def has_two_labels_each(counts: Mapping[tuple[str, str], int]) -> bool:
    """Whether each of the two says more than one thing; kappa is 0 or not defined otherwise."""
    return all(len({pair[side] for pair in counts}) > 1 for side in (0, 1))


def agreement(one: Iterable[Segment], other: Iterable[Segment], person_id: int | None = None) -> Agreement:
    """How far two say the same, of one person, or of everyone together if ``person_id`` is None."""
    compared = [piece for piece in overlap((tuple(one), tuple(other)), person_id) if piece.is_compared]
    counts = count_bins(compared)
    return Agreement(
        compared_s=sum(piece.duration_s for piece in compared),
        agreed_s=sum(piece.duration_s for piece in compared if piece.is_agreed),
        kappa=cohen_kappa(counts),
        is_telling=has_two_labels_each(counts),
    )


def disagreements(one: Iterable[Segment], other: Iterable[Segment]) -> tuple[Piece, ...]:
    """Where two have labels that differ, the longest first."""
    differing = (piece for piece in overlap((tuple(one), tuple(other))) if piece.is_compared and not piece.is_agreed)
    return tuple(sorted(differing, key=lambda piece: (-piece.duration_s, piece.person_id, piece.start_s)))
