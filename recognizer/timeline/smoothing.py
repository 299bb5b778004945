"""Smooth a person's predictions over time: a vote of nearby clips, then the most probable path through the labels.

Neighbouring clips usually show the same action. At each moment the predictions vote with the probabilities of their
best labels; a vote's weight falls off linearly from the middle of its clip. The labels are then the Viterbi path with a
cost per change: a clip that shows the end of one action and the start of the next often looks like a third action, and
the change between the two lies where their votes are equal.

Which label it is follows from the network's own probabilities, how sure it is from those that evidence gives: a clip
whose person shows little would otherwise have little say in where an action ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.types import TOUCHING_S, Prediction

STEP_S = 0.1
"""Votes are counted this often; boundaries are accurate to half a step."""

CHANGE_COSTS = math.log(4)
"""Cost of a change of label, a log probability times ``smoothing_s``: the new label must be four times as probable for
that long, or twice as probable for twice that time. It halves the changes on the shared videos and labels more of the
time correctly (docs/accuracy.md)."""

_LEAST_SHARE = 0.02
"""Probability assumed for labels outside the top five: about that of a typical fifth label."""

_LEAST_LOG = math.log(_LEAST_SHARE)

_STEPS_AT_ONCE = 256
"""Bounds the memory: labels times steps."""


@dataclass(frozen=True, eq=False)
class Votes:
    """The votes over a stretch of one person's time without a gap, in steps.

    Attributes:
        edges_s: float64 (n + 1,), times at which the steps begin and end.
        labels: all labels with a vote.
        best: int64 (n,), index in ``labels`` of the label of each step, by the network's own probabilities.
        probability: float64 (n,), weighted mean probability of that label, by evidence where there is any.
        shares_at: recounts the votes at ascending times, float64 (m,). Returns indices in ``labels``, int64 (k,), and
            the weighted mean probabilities of these labels, float64 (k, m). Storing them for every step would take
            tens of megabytes per person and hour.
    """

    edges_s: NDArray[np.float64]
    labels: tuple[str, ...]
    best: NDArray[np.int64]
    probability: NDArray[np.float64]
    shares_at: Callable[[NDArray[np.float64]], tuple[NDArray[np.int64], NDArray[np.float64]]]

    def mean_shares(self, spans: Sequence[tuple[int, int, int]], rows: int) -> NDArray[np.float64]:
        """Return each label's mean share over spans of steps, float64 (rows, number of labels).

        Args:
            spans: row of the result, first and past-the-last step of each, none empty; fastest in order of time.
            rows: number of rows of the result; a row without a span is 0.
        """
        counts = np.zeros(rows)
        sums = np.zeros((rows, len(self.labels)))
        middles_s = (self.edges_s[:-1] + self.edges_s[1:]) / 2
        for batch in _batched(spans):
            labels, shares = self.shares_at(np.concatenate([middles_s[first:past] for _, first, past in batch]))
            lengths = np.array([past - first for _, first, past in batch])
            of_row = np.array([row for row, _, _ in batch])
            of_span = np.add.reduceat(shares, np.cumsum(lengths) - lengths, axis=1)
            np.add.at(sums, np.ix_(of_row, labels), of_span.T)
            np.add.at(counts, of_row, lengths)
        return sums / np.maximum(counts, 1)[:, None]


def votes(ordered: Sequence[Prediction], smoothing_s: float) -> Iterator[Votes]:
    """Count the votes over one person's time.

    Args:
        ordered: the person's predictions by start, then by end.
        smoothing_s: how far a clip's vote reaches beyond the clip on each side, at least 0.

    Yields:
        The votes of each stretch that the predictions cover without a gap; no vote crosses a gap.
    """
    for together in _without_gaps(ordered):
        counter = _VoteCounter(together, smoothing_s)
        start_s, end_s = float(counter.starts_s[0]), float(counter.latest_ends_s[-1])
        steps = max(1, round((end_s - start_s) / STEP_S))
        edges_s = np.linspace(start_s, end_s, steps + 1)
        middles_s = (edges_s[:-1] + edges_s[1:]) / 2
        counted = [counter.count_both(middles_s[k : k + _STEPS_AT_ONCE]) for k in range(0, steps, _STEPS_AT_ONCE)]
        winners = np.concatenate([labels[shares.argmax(axis=0)] for labels, shares, _ in counted])
        candidates = np.unique(winners)
        logs = _LogShares(
            [_of_candidates(labels, shares, candidates) for labels, shares, _ in counted], len(candidates)
        )
        best = candidates[_path(logs, np.searchsorted(candidates, winners), smoothing_s)]
        sure = [
            _chosen(labels, of_top, best[k * _STEPS_AT_ONCE : (k + 1) * _STEPS_AT_ONCE])
            for k, (labels, _, of_top) in enumerate(counted)
        ]
        yield Votes(edges_s, counter.labels, best, np.concatenate(sure), counter.count)


def _batched(spans: Sequence[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Divide spans into batches in order of time, each within ``_STEPS_AT_ONCE`` steps."""
    batch: list[tuple[int, int, int]] = []
    for row, start, end in spans:
        for first in range(start, end, _STEPS_AT_ONCE):
            past = min(first + _STEPS_AT_ONCE, end)
            if batch and (first < batch[-1][2] or past - batch[0][1] > _STEPS_AT_ONCE):
                yield batch
                batch = []
            batch.append((row, first, past))
    if batch:
        yield batch


class _Part(NamedTuple):
    """Some steps: the candidates with votes in them, int64 (k,) ascending, and the log of their shares, (k, m)."""

    rows: NDArray[np.int64]
    logs: NDArray[np.float64]


def _of_candidates(labels: NDArray[np.int64], shares: NDArray[np.float64], candidates: NDArray[np.int64]) -> _Part:
    _, rows, here = np.intersect1d(candidates, labels, assume_unique=True, return_indices=True)
    return _Part(rows, np.log(np.maximum(shares[here], _LEAST_SHARE)))


def _chosen(labels: NDArray[np.int64], shares: NDArray[np.float64], wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of one label at each of m steps, float64 (m,); 0 for a label without a vote there."""
    rows = np.minimum(np.searchsorted(labels, wanted), len(labels) - 1)
    return np.where(labels[rows] == wanted, shares[rows, np.arange(len(wanted))], 0.0)


class _LogShares:
    """The log of each candidate's share at each step; in hours, hundreds of labels win somewhere, and few at a time.

    Args:
        parts: ``_STEPS_AT_ONCE`` steps each, but for the last.
        candidates: their number.
    """

    def __init__(self, parts: Sequence[_Part], candidates: int) -> None:
        self._parts = parts
        self._candidates = candidates

    def of_blocks(self, starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the sum over each block of steps, float64 (blocks, candidates); a block lasts until the next."""
        sums = np.zeros((len(starts), self._candidates))
        for k, (rows, logs) in enumerate(self._parts):
            begin = k * _STEPS_AT_ONCE
            steps = logs.shape[1]
            first = int(np.searchsorted(starts, begin, "right")) - 1
            past = int(np.searchsorted(starts, begin + steps))
            edges = np.maximum(starts[first:past] - begin, 0)
            here = np.repeat(np.diff(edges, append=steps)[:, None] * _LEAST_LOG, self._candidates, axis=1)
            if len(rows):
                here[:, rows] = np.add.reduceat(logs, edges, axis=1).T
            sums[first:past] += here
        return sums

    def of(self, candidate: int, first: int, past: int) -> NDArray[np.float64]:
        """Return those of one candidate from one step up to another."""
        values = np.full(past - first, _LEAST_LOG)
        for k in range(first // _STEPS_AT_ONCE, -(-past // _STEPS_AT_ONCE)):
            rows, logs = self._parts[k]
            row = int(np.searchsorted(rows, candidate))
            if row < len(rows) and rows[row] == candidate:
                begin = k * _STEPS_AT_ONCE
                start, stop = max(first, begin), min(past, begin + logs.shape[1])
                values[start - first : stop - first] = logs[row, start - begin : stop - begin]
        return values


def _path(log_shares: _LogShares, winners: NDArray[np.int64], smoothing_s: float) -> NDArray[np.int64]:
    """Return the most probable path through n steps, candidates as int64 (n,), with a cost per change.

    The path is found over blocks with one winning label, which are few; then each change moves to its best step.
    """
    cost = CHANGE_COSTS * smoothing_s / STEP_S
    starts = np.concatenate(([0], np.flatnonzero(np.diff(winners)) + 1))
    worth = log_shares.of_blocks(starts)
    total = worth[0]
    came_from = []
    unchanged = np.arange(worth.shape[1])
    for block in range(1, len(starts)):
        other = int(total.argmax())
        changes = total[other] - cost > total
        came_from.append(np.where(changes, other, unchanged))
        total = np.where(changes, total[other] - cost, total) + worth[block]
    label = int(total.argmax())
    chosen = [label]
    for origin in reversed(came_from):
        label = int(origin[label])
        chosen.append(label)
    path = np.repeat(chosen[::-1], np.diff(np.append(starts, len(winners))))
    changes = np.concatenate(([0], np.flatnonzero(np.diff(path)) + 1, [len(path)]))
    for k in range(1, len(changes) - 1):
        # ``changes[k - 1]`` has already been moved
        before, after = path[changes[k] - 1], path[changes[k]]
        first, past = changes[k - 1] + 1, changes[k + 1]
        gain = np.cumsum(log_shares.of(before, first, past) - log_shares.of(after, first, past))
        moved = min(first + int(np.append(0.0, gain).argmax()), past - 1)
        path[changes[k - 1] : moved], path[moved:past] = before, after
        changes[k] = moved
    return path


def _without_gaps(ordered: Sequence[Prediction]) -> Iterator[list[Prediction]]:
    together: list[Prediction] = []
    end_s = -np.inf
    for prediction in ordered:
        if together and prediction.start_s - end_s > TOUCHING_S:
            yield together
            together = []
        together.append(prediction)
        end_s = max(end_s, prediction.end_s)
    if together:
        yield together


class _VoteCounter:
    """Predictions without a gap between them, as arrays with one row each."""

    def __init__(self, together: Sequence[Prediction], smoothing_s: float) -> None:
        self._smoothing_s = smoothing_s
        self.labels = tuple(dict.fromkeys(label for prediction in together for label, _ in prediction.top))
        self.starts_s = np.array([prediction.start_s for prediction in together])
        ends_s = np.array([prediction.end_s for prediction in together])
        self.latest_ends_s = np.maximum.accumulate(ends_s)
        self._middles_s, self._halves_s = (self.starts_s + ends_s) / 2, (ends_s - self.starts_s) / 2
        index = {label: k for k, label in enumerate(self.labels)}
        # row, label and probability of each vote; votes of one row are adjacent
        self._row = np.repeat(np.arange(len(together)), [len(prediction.top) for prediction in together])
        self._label = np.array([index[label] for prediction in together for label, _ in prediction.top])
        of_top = [[probability for _, probability in prediction.top] for prediction in together]
        of_network = [prediction.network_probabilities or of for prediction, of in zip(together, of_top, strict=True)]
        self._probability = np.array(list(chain.from_iterable(of_top)))
        self._of_network = np.array(list(chain.from_iterable(of_network)))

    def count(self, middle_s: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the labels with votes, int64 (k,) ascending, and their mean probabilities, float64 (k, m)."""
        labels, _, shares = self.count_both(middle_s)
        return labels, shares

    def count_both(
        self, middle_s: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the same, with the network's own probabilities, float64 (k, m), before those of ``top``."""
        smoothing_s = self._smoothing_s
        first = int(np.searchsorted(self.latest_ends_s, middle_s[0] - smoothing_s))
        past = int(np.searchsorted(self.starts_s, middle_s[-1] + smoothing_s))
        near = slice(first, past)
        distance_s = np.abs(middle_s - self._middles_s[near, None])
        weight = np.clip(1.0 - distance_s / (self._halves_s[near, None] + smoothing_s), 0.0, None)
        cast = slice(*np.searchsorted(self._row, (first, past)).tolist())
        labels, column = np.unique(self._label[cast], return_inverse=True)
        weight /= np.maximum(weight.sum(axis=0), np.finfo(np.float64).tiny)
        probability = np.zeros((2, past - first, len(labels)))
        probability[:, self._row[cast] - first, column] = self._of_network[cast], self._probability[cast]
        of_network, of_top = probability.transpose(0, 2, 1) @ weight
        return labels, of_network, of_top
