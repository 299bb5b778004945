"""Bouts instead of shares of time: which true segments a classifier finds, and how far off their edges are.

A share of time hides whether ten seconds of an action were found as one piece or as twenty; behaviour studies count
bouts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from statistics import median
from typing import Final

from recognizer.timeline.segments import overlapping
from recognizer.types import Segment

MIN_OVERLAP: Final = 0.0
"""Two bouts match if their overlap divided by their union is above this; detection benchmarks use 0.5."""


@dataclass(frozen=True)
class BoutMatch:
    """A true and a predicted segment of one person and action.

    Attributes:
        truth: the true segment.
        predicted: the predicted one.
        overlap: their common time divided by the time that either covers, 0 to 1.
    """

    truth: Segment
    predicted: Segment
    overlap: float

    @property
    def onset_error_s(self) -> float:
        """Predicted start minus true start; above 0 where the prediction is late."""
        return self.predicted.start_s - self.truth.start_s

    @property
    def offset_error_s(self) -> float:
        """Predicted end minus true end."""
        return self.predicted.end_s - self.truth.end_s


@dataclass(frozen=True)
class BoutScore:
    """A classifier's scores for the bouts of one action.

    Attributes:
        action: the action.
        true_bouts: number of true segments.
        predicted_bouts: number of predicted segments.
        matches: the matched ones; each segment is in one match at most.
    """

    action: str
    true_bouts: int
    predicted_bouts: int
    matches: tuple[BoutMatch, ...]

    @property
    def precision(self) -> float | None:
        """Share of the predicted bouts that match a true one; None without any."""
        return len(self.matches) / self.predicted_bouts if self.predicted_bouts else None

    @property
    def recall(self) -> float | None:
        """Share of the true bouts that match a predicted one; None without any."""
        return len(self.matches) / self.true_bouts if self.true_bouts else None

    @property
    def onset_error_s(self) -> float | None:
        """Median distance of predicted from true starts, without sign; None without matches."""
        return median(abs(one.onset_error_s) for one in self.matches) if self.matches else None

    @property
    def offset_error_s(self) -> float | None:
        """Median distance of predicted from true ends, without sign; None without matches."""
        return median(abs(one.offset_error_s) for one in self.matches) if self.matches else None


def score_bouts(
    truth: Iterable[Segment], predicted: Iterable[Segment], min_overlap: float = MIN_OVERLAP
) -> tuple[BoutScore, ...]:
    """Match true and predicted bouts of one person and action, the best overlap first.

    Args:
        truth: the true segments; those of one person do not overlap.
        predicted: a classifier's segments, for which the same holds. Those that touch no labelled time of their person
            are not counted: nobody knows whether they are right.
        min_overlap: bouts match if their overlap is above this.

    Returns:
        A score per true action, most bouts first.
    """
    true, found = _by_person(truth), _by_person(predicted)
    matches: dict[str, list[BoutMatch]] = defaultdict(list)
    judged: dict[str, set[Segment]] = defaultdict(set)
    for person_id, of_person in true.items():
        for one, other, common_s in overlapping(of_person, found.get(person_id, ())):
            judged[other.action].add(other)
            overlap = common_s / (max(one.end_s, other.end_s) - min(one.start_s, other.start_s))
            if one.action == other.action and overlap > min_overlap:
                matches[one.action].append(BoutMatch(one, other, overlap))
    bouts = Counter(one.action for of_person in true.values() for one in of_person)
    scores = [
        BoutScore(action, number, len(judged[action]), _best(matches[action])) for action, number in bouts.items()
    ]
    return tuple(sorted(scores, key=lambda one: (-one.true_bouts, one.action)))


def _by_person(segments: Iterable[Segment]) -> dict[int, list[Segment]]:
    by_person: dict[int, list[Segment]] = defaultdict(list)
    for one in sorted(segments, key=attrgetter("start_s")):
        by_person[one.person_id].append(one)
    return by_person


def _best(pairs: list[BoutMatch]) -> tuple[BoutMatch, ...]:
    """Return matches in which each segment occurs once at most, preferring those of more overlap."""
    pairs.sort(key=lambda pair: (-pair.overlap, pair.truth.start_s, pair.predicted.start_s))
    taken: set[int] = set()
    matches = []
    for pair in pairs:
        ends = {id(pair.truth), id(pair.predicted)}
        if taken.isdisjoint(ends):
            taken |= ends
            matches.append(pair)
    return tuple(sorted(matches, key=lambda pair: (pair.truth.person_id, pair.truth.start_s)))
