"""Scores of a classifier against a user's own labels: share of time, kappa, precision, recall, confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.annotations.model import Truth
from recognizer.comparison.agreement import BIN_S, cohen_kappa, has_two_labels_each, kappa_in_words, label_spans
from recognizer.comparison.bouts import BoutScore, score_bouts
from recognizer.comparison.matching import fit_truth
from recognizer.comparison.model import Lane
from recognizer.types import Segment

NO_LABEL: Final = "(no label yet)"
"""Stands for a missing label, for example before a person's first clip; it is never right."""


@dataclass(frozen=True)
class ClassScore:
    """Score of a classifier for one action.

    Attributes:
        action: the action, as the labels spell it.
        truth_s: time with this label.
        predicted_s: time in which the classifier predicts the action.
        precision: share of ``predicted_s`` that is right; None if the action is never predicted.
        recall: share of ``truth_s`` in which the action is predicted; None if no time has this label.
    """

    action: str
    truth_s: float
    predicted_s: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True, eq=False)
class Score:
    """Score of a classifier over the labelled time, counted in bins of ``BIN_S``.

    Attributes:
        labels: the true labels by descending time, then the other predicted ones by descending time, NO_LABEL last.
        bins: int64 (n, n), time bins by true label (rows) and predicted label (columns); n is the number of labels.
        kappa: Cohen's kappa; None if undefined.
        is_meaningful: False if one side has a single label, which makes kappa 0 or undefined.
        can_be_right: False if the classifier knows none of the true labels.
        apart: the scores of actions that may happen during others, each against the time in which the person has any
            label. They count nowhere else.
        bouts: how many of the true segments of each action are found, and how far off their edges are.
    """

    labels: tuple[str, ...]
    bins: NDArray[np.int64]
    kappa: float | None
    is_meaningful: bool
    can_be_right: bool = True
    apart: tuple[ClassScore, ...] = ()
    bouts: tuple[BoutScore, ...] = ()

    @property
    def scored_s(self) -> float:
        """Labelled time."""
        return float(self.bins.sum()) * BIN_S

    @property
    def share_right(self) -> float | None:
        """Share of the labelled time in which the prediction is right; None if no time is labelled."""
        total = int(self.bins.sum())
        return int(np.trace(self.bins)) / total if total else None

    @property
    def meaning(self) -> str:
        """Kappa in words, or why there is none."""
        if not self.bins.any():
            return "nothing to score"
        if not self.can_be_right:
            return "it has none of your labels"
        if self.kappa is None or not self.is_meaningful:
            return "kappa is not meaningful: one side has a single label"
        return f"{kappa_in_words(self.kappa)} agreement with your labels"

    @property
    def true_labels(self) -> tuple[str, ...]:
        """The labels that occur in the truth."""
        return tuple(label for label, bins in zip(self.labels, self.bins.sum(axis=1), strict=True) if bins)

    @property
    def classes(self) -> tuple[ClassScore, ...]:
        """The score for each true label, in the order of ``labels``."""
        truth, predicted = self.bins.sum(axis=1).tolist(), self.bins.sum(axis=0).tolist()
        right = np.diag(self.bins).tolist()
        return tuple(
            ClassScore(
                action=label,
                truth_s=truth[k] * BIN_S,
                predicted_s=predicted[k] * BIN_S,
                precision=right[k] / predicted[k] if predicted[k] else None,
                recall=right[k] / truth[k],
            )
            for k, label in enumerate(self.labels)
            if truth[k]
        )


def score(truth: Iterable[Segment], predicted: Iterable[Segment], known_labels: Container[str] | None = None) -> Score:
    """Score a classifier's segments against a user's own labels.

    Args:
        truth: the true actions, only while the person is visible.
        predicted: the classifier's segments; time without a true label is ignored.
        known_labels: the classifier's labels, if available.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for span in label_spans((tuple(truth), tuple(predicted))):
        true_label, predicted_label = span.labels
        if true_label is not None and span.bins:
            counts[true_label, predicted_label or NO_LABEL] += span.bins
    labels = _ordered(counts)
    index = {label: k for k, label in enumerate(labels)}
    bins = np.zeros((len(labels), len(labels)), np.int64)
    for (true_label, predicted_label), number in counts.items():
        bins[index[true_label], index[predicted_label]] += number
    can_be_right = known_labels is None or not counts or any(true_label in known_labels for true_label, _ in counts)
    return Score(labels, bins, cohen_kappa(counts), has_two_labels_each(counts), can_be_right)


def score_apart(
    apart: Iterable[Segment], truth: Iterable[Segment], predicted: Iterable[Segment]
) -> tuple[ClassScore, ...]:
    """Score actions that may happen during others, each on its own: it happens, or it does not.

    Args:
        apart: the true stretches of these actions; those of one action and person do not overlap.
        truth: the other true actions; with ``apart``, they state which time is labelled.
        predicted: the classifier's segments.
    """
    apart, predicted = tuple(apart), tuple(predicted)
    labelled = _labelled((*truth, *apart))
    scores = []
    for action in sorted({segment.action for segment in apart}):
        own = tuple(segment for segment in apart if segment.action == action)
        true_bins = predicted_bins = right_bins = 0
        for span in label_spans((labelled, own, predicted)):
            is_labelled, true_label, predicted_label = span.labels
            if is_labelled is None:
                continue
            true_bins += span.bins * (true_label is not None)
            predicted_bins += span.bins * (predicted_label == action)
            right_bins += span.bins * (true_label is not None and predicted_label == action)
        scores.append(
            ClassScore(
                action=action,
                truth_s=true_bins * BIN_S,
                predicted_s=predicted_bins * BIN_S,
                precision=right_bins / predicted_bins if predicted_bins else None,
                recall=right_bins / true_bins if true_bins else None,
            )
        )
    return tuple(scores)


def _labelled(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the time of each person in which there is any label."""
    joined: list[Segment] = []
    for segment in sorted(segments, key=lambda s: (s.person_id, s.start_s)):
        last = joined[-1] if joined else None
        if last is not None and last.person_id == segment.person_id and segment.start_s <= last.end_s:
            joined[-1] = replace(last, end_s=max(last.end_s, segment.end_s))
        else:
            joined.append(replace(segment, action="labelled"))
    return tuple(joined)


def _ordered(counts: Counter[tuple[str, str]]) -> tuple[str, ...]:
    truth: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    for (true_label, predicted_label), number in counts.items():
        truth[true_label] += number
        predicted[predicted_label] += number
    others = predicted.keys() - truth.keys()
    by_time = sorted(truth, key=lambda label: (-truth[label], label))
    return (*by_time, *sorted(others, key=lambda label: (label == NO_LABEL, -predicted[label], label)))


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of all compared classifiers against a user's own labels.

    Attributes:
        truth: the labels, matched with the people of the video, without those that are scored apart.
        scores: each lane's name and score, in the order of the lanes.
        notes: remarks for the user, in sentences.
    """

    truth: tuple[Segment, ...]
    scores: tuple[tuple[str, Score], ...]
    notes: tuple[str, ...]


def score_lanes(lanes: Sequence[Lane], truth: Truth) -> Scored:
    """Score each lane against the same labels.

    Args:
        lanes: the lanes of one comparison, at least one.
        truth: the user's own labels of this video.
    """
    fitted = fit_truth(truth, lanes[0].timeline.people)
    notes = list(truth.notes)
    if fitted.unseen_s >= BIN_S:
        notes.append(f"{fitted.unseen_s:.1f} s of your labels are not scored: the person is not visible then.")
    # labels that differ only in case are the same action and get its colour
    spelled = {label.casefold(): label for lane in lanes for label in lane.entry.labels}
    true, apart = (
        tuple(replace(one, action=spelled.get(one.action.casefold(), one.action)) for one in segments)
        for segments in (fitted.segments, fitted.apart)
    )
    for lane in lanes:
        foreign = sorted({segment.action for segment in (*true, *apart)}.difference(lane.entry.labels))
        if foreign:
            notes.append(f"{lane.name} has no label for {', '.join(foreign)}, so it is never right there.")
    scores = tuple((lane.name, _score_of(lane, true, apart)) for lane in lanes)
    return Scored(true, scores, tuple(notes))


def _score_of(lane: Lane, true: Sequence[Segment], apart: Sequence[Segment]) -> Score:
    own = score(true, lane.segments, lane.entry.labels)
    bouts = score_bouts(true, lane.segments)
    return replace(own, apart=score_apart(apart, true, lane.segments), bouts=bouts)
