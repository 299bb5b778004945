"""Agreement of two classifiers on the same people: share of time, Cohen's kappa over time bins, disagreements."""

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
"""Kappa is counted over bins of this length, in seconds; a bin has the label at its middle."""

_KAPPA_WORDS: Final = (
    (0.0, "poor"),
    (0.2, "slight"),
    (0.4, "fair"),
    (0.6, "moderate"),
    (0.8, "substantial"),
    (1.0, "almost perfect"),
)
"""Words for kappa up to and including each number: Landis and Koch, "The Measurement of Observer Agreement for
Categorical Data", Biometrics 33 (1977), p. 165."""


@dataclass(frozen=True)
class LabelSpan:
    """A time span ``[start_s, end_s)`` of one person in which no timeline's label changes.

    Attributes:
        labels: the label in each timeline, in the order of the timelines; None if it has none yet.
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
        """Whether all timelines have a label."""
        return None not in self.labels

    @property
    def is_agreed(self) -> bool:
        """Whether all timelines have the same label."""
        return self.is_compared and len(set(self.labels)) == 1

    @property
    def bins(self) -> int:
        """Number of time bins whose middle lies in the span."""
        return _bins_before(self.end_s) - _bins_before(self.start_s)


@dataclass(frozen=True)
class Agreement:
    """Agreement of two timelines.

    Attributes:
        compared_s: time in which both have a label; only this is compared.
        agreed_s: compared time in which both have the same label.
        kappa: Cohen's kappa over time bins, 1 for full agreement and 0 for agreement by chance; None if undefined,
            because nothing is compared or both have the same single label throughout.
        is_meaningful: False if one has a single label throughout: kappa is then 0, however long they agree.
    """

    compared_s: float
    agreed_s: float
    kappa: float | None
    is_meaningful: bool

    @property
    def share(self) -> float | None:
        """Share of the compared time in which they agree, 0 to 1; None if nothing is compared."""
        return self.agreed_s / self.compared_s if self.compared_s else None

    @property
    def meaning(self) -> str:
        """Kappa in words, or why there is none."""
        if not self.compared_s:
            return "nothing to compare"
        if self.kappa is None:
            return "both have the same single label throughout"
        if not self.is_meaningful:
            return "kappa is not meaningful: one has a single label throughout"
        return f"{kappa_in_words(self.kappa)} agreement"


def kappa_in_words(kappa: float) -> str:
    """Return ``poor``, ``slight``, ``fair``, ``moderate``, ``substantial`` or ``almost perfect``."""
    if kappa < 0:
        return "poor"
    # the table has two digits, so 0.204 is still slight
    return next(word for limit, word in _KAPPA_WORDS[1:] if round(kappa, 2) <= limit)


def label_spans(timelines: Sequence[Iterable[Segment]], person_id: int | None = None) -> Iterator[LabelSpan]:
    """Yield the spans in which no label changes, by person, then by time.

    Args:
        timelines: the segments of each timeline; a person's segments do not overlap.
        person_id: only this person; everyone if None.
    """
    by_person: dict[int, list[list[Segment]]] = defaultdict(lambda: [[] for _ in timelines])
    for number, segments in enumerate(timelines):
        for segment in segments:
            if person_id is None or segment.person_id == person_id:
                by_person[segment.person_id][number].append(segment)
    for person in sorted(by_person):
        yield from _spans_of_person(
            person, [sorted(segments, key=lambda s: s.start_s) for segments in by_person[person]]
        )


def _spans_of_person(person_id: int, lanes: Sequence[Sequence[Segment]]) -> Iterator[LabelSpan]:
    times_s = sorted({time_s for lane in lanes for s in lane for time_s in (s.start_s, s.end_s)})
    starts_s = [[segment.start_s for segment in lane] for lane in lanes]
    last: LabelSpan | None = None
    for start_s, end_s in pairwise(times_s):
        if end_s - start_s < TOUCHING_S:
            continue
        middle_s = (start_s + end_s) / 2
        labels = tuple(_label_at(lane, begins_s, middle_s) for lane, begins_s in zip(lanes, starts_s, strict=True))
        if last is not None and last.labels == labels:
            last = LabelSpan(person_id, last.start_s, end_s, labels)
            continue
        if last is not None and any(last.labels):
            yield last
        last = LabelSpan(person_id, start_s, end_s, labels)
    if last is not None and any(last.labels):
        yield last


def _label_at(lane: Sequence[Segment], starts_s: Sequence[float], time_s: float) -> str | None:
    index = bisect_right(starts_s, time_s) - 1
    return lane[index].action if index >= 0 and time_s < lane[index].end_s else None


def _bins_before(time_s: float) -> int:
    """Return how many bins have their middle before ``time_s``."""
    return math.ceil(time_s / BIN_S - 0.5 - TOUCHING_S)


def count_bins(spans: Iterable[LabelSpan]) -> Counter[tuple[str, str]]:
    """Count the time bins of each pair of labels, without the bins in which a timeline has no label."""
    counts: Counter[tuple[str, str]] = Counter()
    for span in spans:
        one, other = span.labels
        if one is not None and other is not None and span.bins:
            counts[one, other] += span.bins
    return counts


def cohen_kappa(counts: Mapping[tuple[str, str], int]) -> float | None:
    """Return Cohen's kappa of a confusion table (Educational and Psychological Measurement 20, 1960, pp. 37-46).

    Returns:
        -1 to 1; None if chance alone would give full agreement.
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
    """Return whether each side has more than one label; kappa is 0 or undefined otherwise."""
    return all(len({pair[side] for pair in counts}) > 1 for side in (0, 1))


def agreement(one: Iterable[Segment], other: Iterable[Segment], person_id: int | None = None) -> Agreement:
    """Return the agreement of two timelines on one person, or on everyone together if ``person_id`` is None."""
    compared = [span for span in label_spans((tuple(one), tuple(other)), person_id) if span.is_compared]
    counts = count_bins(compared)
    return Agreement(
        compared_s=sum(span.duration_s for span in compared),
        agreed_s=sum(span.duration_s for span in compared if span.is_agreed),
        kappa=cohen_kappa(counts),
        is_meaningful=has_two_labels_each(counts),
    )


def disagreements(one: Iterable[Segment], other: Iterable[Segment]) -> tuple[LabelSpan, ...]:
    """Return the spans in which two timelines have different labels, the longest first."""
    differing = (span for span in label_spans((tuple(one), tuple(other))) if span.is_compared and not span.is_agreed)
    return tuple(sorted(differing, key=lambda span: (-span.duration_s, span.person_id, span.start_s)))
