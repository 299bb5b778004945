"""How right a classifier is by a person's own labels: share of time, kappa, precision and recall, confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.annotations.model import Truth
from recognizer.comparison.agreement import BIN_S, cohen_kappa, has_two_labels_each, kappa_in_words, overlap
from recognizer.comparison.matching import fit_truth
from recognizer.comparison.model import Lane
from recognizer.types import Segment

NO_LABEL: Final = "(no label yet)"
"""What is said where a classifier has no label, as before a person's first clip; it is never right."""


@dataclass(frozen=True)
class ClassScore:
    """How right a classifier is about one action.

    Attributes:
        action: in the words of the labels.
        truth_s: time that has this label.
        said_s: time in which the classifier says it.
        precision: share of the time in which it is said that is right; None where it is never said.
        recall: share of the time that has this label in which it is said; None where no time has it.
    """

    action: str
    truth_s: float
    said_s: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True, eq=False)
class Score:
    """How right a classifier is over the time that has labels, counted in bins of ``BIN_S``.

    Attributes:
        labels: everything that the labels or the classifier say: the actions of the labels first, the longest first.
        bins: int64 (n, n), time bins by true label (rows) and by what was said (columns), n the number of ``labels``.
        kappa: Cohen's kappa; None where it is not defined.
        is_telling: False where there is a single label on one of the two sides, so that kappa tells nothing.
        can_be_right: False where the classifier has none of the true labels among its own.
    """

    labels: tuple[str, ...]
    bins: NDArray[np.int64]
    kappa: float | None
    is_telling: bool
    can_be_right: bool = True

    @property
    def scored_s(self) -> float:
        """Time that has labels."""
        return float(self.bins.sum()) * BIN_S

    @property
    def share_right(self) -> float | None:
        """Share of that time in which what is said is right; None where no time has labels."""
        total = int(self.bins.sum())
        return int(np.trace(self.bins)) / total if total else None

    @property
    def meaning(self) -> str:
        """What kappa means, in words."""
        if not self.bins.any():
            return "nothing to score"
        if not self.can_be_right:
            return "it has none of your labels"
        if self.kappa is None or not self.is_telling:
            return "kappa tells nothing, as there is a single label on one side"
        return f"{kappa_in_words(self.kappa)} agreement with your labels"

    @property
    def true_labels(self) -> tuple[str, ...]:
        """Those of the labels that some time has."""
        return tuple(label for label, bins in zip(self.labels, self.bins.sum(axis=1), strict=True) if bins)

    @property
    def classes(self) -> tuple[ClassScore, ...]:
        """One for each action of the labels, in the order of ``labels``."""
        truth, said, right = self.bins.sum(axis=1).tolist(), self.bins.sum(axis=0).tolist(), np.diag(self.bins).tolist()
        return tuple(
            ClassScore(
                action=label,
                truth_s=truth[k] * BIN_S,
                said_s=said[k] * BIN_S,
                precision=right[k] / said[k] if said[k] else None,
                recall=right[k] / truth[k],
            )
            for k, label in enumerate(self.labels)
            if truth[k]
        )


def score(truth: Iterable[Segment], said: Iterable[Segment], can_say: Container[str] | None = None) -> Score:
    """Score what a classifier says by a person's own labels.

    Args:
        truth: what each person really does, only where they are seen.
        said: what the classifier says; time without a true label is left out.
        can_say: the classifier's labels, where they are known.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for piece in overlap((tuple(truth), tuple(said))):
        true_label, said_label = piece.labels
        if true_label is not None and piece.bins:
            counts[true_label, said_label or NO_LABEL] += piece.bins
    labels = _ordered(counts)
    index = {label: k for k, label in enumerate(labels)}
    bins = np.zeros((len(labels), len(labels)), np.int64)
    for (true_label, said_label), number in counts.items():
        bins[index[true_label], index[said_label]] += number
    can_be_right = can_say is None or not counts or any(true_label in can_say for true_label, _ in counts)
    return Score(labels, bins, cohen_kappa(counts), has_two_labels_each(counts), can_be_right)


def _ordered(counts: Counter[tuple[str, str]]) -> tuple[str, ...]:
    truth: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for (true_label, said_label), number in counts.items():
        truth[true_label] += number
        said[said_label] += number
    others = said.keys() - truth.keys()
    by_time = sorted(truth, key=lambda label: (-truth[label], label))
    return (*by_time, *sorted(others, key=lambda label: (label == NO_LABEL, -said[label], label)))


@dataclass(frozen=True, eq=False)
class Scored:
    """How right all who are compared are by a person's own labels.

    Attributes:
        truth: the labels, as they lie on the people of the video.
        scores: each lane's name with its score, in the order of the lanes.
        notes: what a person should know of it, in sentences.
    """

    truth: tuple[Segment, ...]
    scores: tuple[tuple[str, Score], ...]
    notes: tuple[str, ...]


def score_lanes(lanes: Sequence[Lane], truth: Truth) -> Scored:
    """Score each lane by the same labels.

    Args:
        lanes: of one comparison; one or more.
        truth: the person's labels.

    Raises:
        TruthError: the labels do not fit the video.
    """
    timeline = lanes[0].timeline
    fitted = fit_truth(truth, timeline.people, timeline.analysed_s)
    notes = list(truth.notes)
    if fitted.unseen_s >= BIN_S:
        notes.append(f"{fitted.unseen_s:.1f} s of your labels lie where nobody was seen; they are left out.")
    # the same word in upper and lower case is the same action, and has its colour
    spelled = {label.casefold(): label for lane in lanes for label in lane.entry.labels}
    true = tuple(replace(one, action=spelled.get(one.action.casefold(), one.action)) for one in fitted.segments)
    for lane in lanes:
        foreign = sorted({segment.action for segment in true}.difference(lane.entry.labels))
        if foreign:
            notes.append(f"{lane.name} cannot say {', '.join(foreign)}, so it is never right there.")
    scores = tuple((lane.name, score(true, lane.segments, lane.entry.labels)) for lane in lanes)
    return Scored(true, scores, tuple(notes))
