"""What a person does at each moment, when all predictions around it are weighed.

One clip is a short look; the clips around it are further looks at, most likely, the same action. So at each moment the
predictions vote, each with the probabilities of its best labels and with a weight that falls off in a straight line
from the middle of its clip. A change of action then lies where the votes of both sides are equal, whatever the overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.types import Prediction

STEP_S = 0.1
"""Votes are counted this often; a boundary is not exacter than half of it."""

_TOUCHING_S = 1e-6
_STEPS_AT_ONCE = 256
"""Bounds the memory: labels times steps."""


@dataclass(frozen=True, eq=False)
class Votes:
    """A stretch of one person's time without a gap, in steps.

    Attributes:
        edges_s: float64 (n + 1,), where the steps begin and end.
        labels: the labels that were voted for.
        best: int64 (n,), index in ``labels`` of the winner of each step.
        probability: float64 (n,), the winner's weighted mean probability.
    """

    edges_s: NDArray[np.float64]
    labels: tuple[str, ...]
    best: NDArray[np.int64]
    probability: NDArray[np.float64]


def votes(ordered: Sequence[Prediction], smoothing_s: float) -> Iterator[Votes]:
    """Count the votes over one person's time.

    Args:
        ordered: the person's predictions by start, then by end.
        smoothing_s: by how much a clip's vote reaches beyond the clip on each side, at least 0.

    Yields:
        One for each stretch that the predictions cover without a gap; no vote reaches over a gap.
    """
    for together in _without_gaps(ordered):
        stretch = _Stretch(together)
        start_s, end_s = float(stretch.starts_s[0]), float(stretch.latest_ends_s[-1])
        steps = max(1, round((end_s - start_s) / STEP_S))
        edges_s = np.linspace(start_s, end_s, steps + 1)
        best, probability = np.empty(steps, np.int64), np.empty(steps)
        for first in range(0, steps, _STEPS_AT_ONCE):
            part = slice(first, min(first + _STEPS_AT_ONCE, steps))
            middle_s = (edges_s[:-1][part] + edges_s[1:][part]) / 2
            best[part], probability[part] = stretch.count(middle_s, smoothing_s)
        yield Votes(edges_s, stretch.labels, best, probability)


def _without_gaps(ordered: Sequence[Prediction]) -> Iterator[list[Prediction]]:
    together: list[Prediction] = []
    end_s = -np.inf
    for prediction in ordered:
        if together and prediction.start_s - end_s > _TOUCHING_S:
            yield together
            together = []
        together.append(prediction)
        end_s = max(end_s, prediction.end_s) if len(together) > 1 else prediction.end_s
    if together:
        yield together


class _Stretch:
    """Predictions that follow each other without a gap, as arrays with one row each."""

    def __init__(self, together: Sequence[Prediction]) -> None:
        self.labels = tuple(dict.fromkeys(label for prediction in together for label, _ in prediction.top))
        self.starts_s = np.array([prediction.start_s for prediction in together])
        ends_s = np.array([prediction.end_s for prediction in together])
        self.latest_ends_s = np.maximum.accumulate(ends_s)
        self._middles_s, self._halves_s = (self.starts_s + ends_s) / 2, (ends_s - self.starts_s) / 2
        index = {label: k for k, label in enumerate(self.labels)}
        # for each vote its row, its label and its probability; votes of one row are side by side
        self._row = np.repeat(np.arange(len(together)), [len(prediction.top) for prediction in together])
        self._label = np.array([index[label] for prediction in together for label, _ in prediction.top])
        self._probability = np.array([probability for prediction in together for _, probability in prediction.top])

    def count(self, middle_s: NDArray[np.float64], smoothing_s: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The winner of each moment, int64, and its weighted mean probability, float64; both (len(middle_s),)."""
        first = int(np.searchsorted(self.latest_ends_s, middle_s[0] - smoothing_s))
        past = int(np.searchsorted(self.starts_s, middle_s[-1] + smoothing_s))
        near = slice(first, past)
        distance_s = np.abs(middle_s - self._middles_s[near, None])
        weight = np.clip(1.0 - distance_s / (self._halves_s[near, None] + smoothing_s), 0.0, None)
        cast = slice(*np.searchsorted(self._row, (first, past)).tolist())
        labels, column = np.unique(self._label[cast], return_inverse=True)
        said = np.zeros((past - first, len(labels)))
        said[self._row[cast] - first, column] = self._probability[cast]
        shares = said.T @ weight / np.maximum(weight.sum(axis=0), np.finfo(np.float64).tiny)
        winner = shares.argmax(axis=0)
        return labels[winner], shares[winner, np.arange(len(middle_s))]
