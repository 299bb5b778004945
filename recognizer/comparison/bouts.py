"""Bouts instead of shares of time: which true segments a classifier finds, and how far off their edges are.

A share of time hides whether ten seconds of an action were found as one piece or as twenty; behaviour studies count
bouts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from recognizer.types import TOUCHING_S, Segment

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
    """How well a classifier finds the bouts of one action.

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
        truth: the true segments.
        predicted: a classifier's segments. Those that touch no labelled time of their person are not counted: nobody
            knows whether they are right.
        min_overlap: bouts match if their overlap is above this.

    Returns:
        A score per true action, most bouts first.
    """
    true, found = _by_action(truth), _by_action(predicted)
    labelled: dict[int, list[Segment]] = defaultdict(list)
    for some in true.values():
        for one in some:
            labelled[one.person_id].append(one)
    scores = []
    for action, some in true.items():
        judged = [one for one in found.get(action, ()) if any(_common_s(one, t) > 0 for t in labelled[one.person_id])]
        scores.append(BoutScore(action, len(some), len(judged), _matched(some, judged, min_overlap)))
    return tuple(sorted(scores, key=lambda one: (-one.true_bouts, one.action)))


def _by_action(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    by_action: dict[str, list[Segment]] = defaultdict(list)
    for one in segments:
        by_action[one.action].append(one)
    return by_action


def _matched(truth: Sequence[Segment], predicted: Sequence[Segment], min_overlap: float) -> tuple[BoutMatch, ...]:
    pairs = [
        BoutMatch(one, other, overlap)
        for one in truth
        for other in predicted
        if one.person_id == other.person_id and (overlap := _overlap(one, other)) > min_overlap
    ]
    pairs.sort(key=lambda pair: (-pair.overlap, pair.truth.start_s, pair.predicted.start_s))
    taken: set[int] = set()
    matches = []
    for pair in pairs:
        ends = {id(pair.truth), id(pair.predicted)}
        if taken.isdisjoint(ends):
            taken |= ends
            matches.append(pair)
    return tuple(sorted(matches, key=lambda pair: (pair.truth.person_id, pair.truth.start_s)))


def _common_s(one: Segment, other: Segment) -> float:
    common_s = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return common_s if common_s >= TOUCHING_S else 0.0


def _overlap(one: Segment, other: Segment) -> float:
    union_s = max(one.end_s, other.end_s) - min(one.start_s, other.start_s)
    return _common_s(one, other) / union_s
