"""Merge a person's predictions into segments, and find the likely labels of each segment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.pieces import Piece, Spans, without_short
from recognizer.timeline.smoothing import Votes, votes
from recognizer.types import TOUCHING_S, Prediction, Segment

MOST_LIKELY = 5
"""Likely labels of a segment; a prediction has as many."""

CLOSE_SHARE = 0.5
"""A second label is close if it is at least this share as probable as the first."""

_SEGMENTS_AT_ONCE = 512
"""Bounds the memory: segments times labels."""

LikelyLabels = tuple[tuple[str, float], ...]
"""Labels with their probabilities."""


def close_second(segment: Segment, likely: LikelyLabels) -> tuple[str, float] | None:
    """Return the second of a segment's likely labels, with its probability, if it is close to the first.

    None for an ``unknown`` segment, whose first label is only a guess, and for one that a person decided.
    """
    if not may_have_second(segment):
        return None
    return likely[1] if len(likely) > 1 and likely[1][1] >= CLOSE_SHARE * likely[0][1] else None


def may_have_second(segment: Segment) -> bool:
    """Return whether a second label of a segment is worth counting: a classifier named it."""
    return segment.source == "machine" and segment.action != UNKNOWN_ACTION


def guesses_of(ordered: Sequence[Prediction], smoothing_s: float) -> Guesses:
    """Return a person's guesses from their predictions, ordered by start, then by end."""
    return _VotedGuesses(votes(ordered, smoothing_s)) if smoothing_s > 0 else _ClipGuesses(ordered)


def segments_of(person_id: int, guesses: Guesses, min_confidence: float, min_duration_s: float) -> Iterator[Segment]:
    """Yield a person's segments in order of time; see ``Timeline.segments`` for the thresholds."""
    pieces = guesses.pieces(min_confidence)
    if min_duration_s > 0:
        pieces = without_short(pieces, min_duration_s)
    for piece in pieces:
        yield Segment(person_id, piece.action, piece.start_s, piece.end_s, piece.confidence, piece.counted)


class _Shares(NamedTuple):
    """Mean label probabilities of some segments.

    Attributes:
        labels: the labels.
        shares: float64 (segments, labels), the mean probability of each label.
        leads: int64 (segments,), index in ``labels`` of the label that comes first; -1 where none of them is preferred.
    """

    labels: Sequence[str]
    shares: NDArray[np.float64]
    leads: NDArray[np.int64]


class Guesses(ABC):
    """The best guess for each moment of one person's time, and how probable each label is."""

    @abstractmethod
    def pieces(self, min_confidence: float) -> list[Piece]:
        """Return stretches with one guess, touching ones merged; a less probable guess is ``unknown``."""

    @abstractmethod
    def _shares(self, segments: Sequence[Segment]) -> Iterator[_Shares]:
        """Count what was said during segments, some at a time; fastest in order of time."""

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        """Yield the labels of each segment, see ``Timeline.likely_labels``; fastest in order of time."""
        for counted in self._shares(segments):
            yield from _most_likely(counted)

    def second_labels(self, segments: Sequence[Segment]) -> Iterator[str | None]:
        """Yield the second label of each segment if it is close, as ``close_second`` of its likely labels would."""
        for counted in self._shares(segments):
            yield from _close_seconds(counted)


class _ClipGuesses(Guesses):
    """Guesses without smoothing: each clip decides its own time; an overlap of two clips is divided in the middle.

    A long video has many more clips than segments, so that what is said of all clips stands in columns.
    """

    def __init__(self, ordered: Sequence[Prediction]) -> None:
        clips, self._starts_s, self._ends_s = _divided(ordered)
        self._firsts = np.cumsum([0, *(len(clip.top) for clip in clips)])
        """Where the labels of each clip begin, and their number at the end."""
        said = [label for clip in clips for label, _ in clip.top]
        self._labels = sorted(set(said))
        index = {label: k for k, label in enumerate(self._labels)}
        self._said = np.array([index[label] for label in said], np.int64)
        self._probability = np.array([probability for clip in clips for _, probability in clip.top], np.float64)
        self._best, self._sure = self._said[self._firsts[:-1]], self._probability[self._firsts[:-1]]
        self._unknown = index.get(UNKNOWN_ACTION, -1)  # a classifier of somebody's own may say so itself
        self._lasts_s = self._ends_s - self._starts_s
        self._is_apart = np.append(True, self._starts_s[1:] - self._ends_s[:-1] >= TOUCHING_S)

    def pieces(self, min_confidence: float) -> list[Piece]:
        if not len(self._sure):
            return []
        guess = np.where((self._sure >= min_confidence) & (self._best != self._unknown), self._best, -1)
        changes = self._is_apart.copy()
        changes[1:] |= guess[1:] != guess[:-1]
        firsts = np.flatnonzero(changes)
        means = np.add.reduceat(self._sure * self._lasts_s, firsts) / np.add.reduceat(self._lasts_s, firsts)
        # rounding must not take a mean past what it is a mean of: it is compared with the threshold again
        means = means.clip(np.minimum.reduceat(self._sure, firsts), np.maximum.reduceat(self._sure, firsts))
        pasts = np.append(firsts[1:], len(guess))
        columns = guess[firsts], self._starts_s[firsts], self._ends_s[pasts - 1], means
        return [
            Piece(UNKNOWN_ACTION if action < 0 else self._labels[action], start_s, end_s, mean)
            for action, start_s, end_s, mean in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _shares(self, segments: Sequence[Segment]) -> Iterator[_Shares]:
        for first in range(0, len(segments), _SEGMENTS_AT_ONCE):
            yield self._shares_at_once(segments[first : first + _SEGMENTS_AT_ONCE])

    def _shares_at_once(self, segments: Sequence[Segment]) -> _Shares:
        spans = np.array([(row, *span) for row, one in enumerate(segments) for span in _counted(one)]).reshape(-1, 3)
        firsts = np.searchsorted(self._ends_s, spans[:, 1], "right")
        counts = np.searchsorted(self._starts_s, spans[:, 2], "left") - firsts
        span, clip = _expanded(firsts, np.maximum(counts, 0))
        row = spans[:, 0].astype(np.int64)[span]
        weight_s = np.minimum(self._ends_s[clip], spans[span, 2]) - np.maximum(self._starts_s[clip], spans[span, 1])
        of_clip, entry = _expanded(self._firsts[clip], np.diff(self._firsts)[clip])
        weights = (weight_s[of_clip] * self._probability[entry], weight_s * self._sure[clip])
        said = self._table(row[of_clip], self._said[entry], weights[0], len(segments))
        guessed = self._table(row, self._best[clip], weights[1], len(segments))
        total_s = np.bincount(row, weight_s, len(segments))
        index = {label: k for k, label in enumerate(self._labels)}
        leads = np.array([index.get(one.action, -1) for one in segments], np.int64)
        is_unknown = np.array([one.action == UNKNOWN_ACTION for one in segments], bool) & (total_s > 0)
        leads[is_unknown] = guessed[is_unknown].argmax(axis=1)
        return _Shares(self._labels, said / np.where(total_s > 0, total_s, 1.0)[:, None], leads)

    def _table(
        self, rows: NDArray[np.int64], labels: NDArray[np.int64], weights: NDArray[np.float64], height: int
    ) -> NDArray[np.float64]:
        """Add weights up, float64 (height, labels)."""
        width = len(self._labels)
        sums = np.bincount(rows * width + labels, weights, height * width)
        return sums.astype(np.float64, copy=False).reshape(height, width)


def _divided(ordered: Sequence[Prediction]) -> tuple[Sequence[Prediction], NDArray[np.float64], NDArray[np.float64]]:
    """Return the clips that decide about some time, and from when, until when each does."""
    starts_s = np.array([clip.start_s for clip in ordered], np.float64)
    ends_s = np.array([clip.end_s for clip in ordered], np.float64)
    overlap = starts_s[1:] < ends_s[:-1]
    middles_s = (starts_s[1:] + ends_s[:-1]) / 2
    starts_s[1:][overlap], ends_s[:-1][overlap] = middles_s[overlap], middles_s[overlap]
    if (ends_s > starts_s).all() and (starts_s[1:] >= ends_s[:-1]).all():
        return ordered, starts_s, ends_s
    kept: list[int] = []  # of two merged people, one clip may reach beyond the next one
    for k in range(len(ordered)):
        starts_s[k] = max(starts_s[k], ends_s[kept[-1]]) if kept else starts_s[k]
        if ends_s[k] > starts_s[k]:
            kept.append(k)
    return [ordered[k] for k in kept], starts_s[kept], ends_s[kept]


def _expanded(firsts: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for ranges of numbers one after the other, the range of each number, and the numbers."""
    ranges = np.repeat(np.arange(len(firsts)), counts)
    begins = np.cumsum(counts) - counts
    return ranges, np.arange(len(ranges)) - begins[ranges] + firsts[ranges]


class _VotedGuesses(Guesses):
    """Guesses with smoothing: nearby clips vote at each moment."""

    def __init__(self, stretches: Iterable[Votes]) -> None:
        """Join the stretches' arrays, so that a threshold is applied to all of them at once."""
        parts = list(stretches)
        lengths = [len(part.best) for part in parts]
        self._firsts = np.cumsum([0, *lengths])
        self._probability = np.concatenate([np.empty(0), *(part.probability for part in parts)])
        self._edges_s = np.concatenate([np.empty(0), *(part.edges_s for part in parts)])
        self._labels = list(dict.fromkeys(chain.from_iterable(part.labels for part in parts)))
        index = {label: k for k, label in enumerate(self._labels)}
        of_parts = [np.array([index[label] for label in part.labels], np.int32)[part.best] for part in parts]
        self._best = np.concatenate([np.empty(0, np.int32), *of_parts])
        self._is_apart = np.zeros(len(self._best), np.bool_)
        self._is_apart[self._firsts[:-1]] = True
        self._changes = np.append(True, self._best[1:] != self._best[:-1])[: len(self._best)]
        self._is_named = self._best != index.get(UNKNOWN_ACTION, -1)
        # the same numbers, once in memory
        self._stretches = tuple(
            replace(part, probability=self._probability[first:past], edges_s=self._edges_s[first + k : past + k + 1])
            for k, (part, (first, past)) in enumerate(zip(parts, pairwise(self._firsts.tolist()), strict=True))
        )
        self._starts_s = [float(stretch.edges_s[0]) for stretch in self._stretches]

    def pieces(self, min_confidence: float) -> list[Piece]:
        if not len(self._best):
            return []
        is_sure = (self._probability >= min_confidence) & self._is_named
        begins = self._is_apart | (self._changes & is_sure)
        begins[1:] |= is_sure[1:] != is_sure[:-1]
        firsts = np.flatnonzero(begins)
        pasts = np.append(firsts[1:], len(begins))
        means = np.add.reduceat(self._probability, firsts) / (pasts - firsts)
        # a stretch has one edge more than steps
        edges = firsts + np.searchsorted(self._firsts, firsts, "right") - 1
        columns = (
            np.where(is_sure[firsts], self._best[firsts], -1),
            self._edges_s[edges],
            self._edges_s[edges + pasts - firsts],
            means,
        )
        return [
            Piece(UNKNOWN_ACTION if action < 0 else self._labels[action], start_s, end_s, mean)
            for action, start_s, end_s, mean in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _shares(self, segments: Sequence[Segment]) -> Iterator[_Shares]:
        for k, together in groupby(segments, lambda segment: bisect_right(self._starts_s, segment.start_s) - 1):
            of_stretch = list(together)
            for first in range(0, len(of_stretch), _SEGMENTS_AT_ONCE):
                yield _voted(self._stretches[max(k, 0)], of_stretch[first : first + _SEGMENTS_AT_ONCE])


def _voted(stretch: Votes, segments: Sequence[Segment]) -> _Shares:
    """Count the votes of segments that lie in one stretch."""
    index = {label: k for k, label in enumerate(stretch.labels)}
    times_s = np.array([(row, *span) for row, segment in enumerate(segments) for span in _counted(segment)])
    bounds = np.minimum(np.searchsorted(stretch.edges_s, times_s[:, 1:]), len(stretch.best)).tolist()
    spans = [(row, *b) for row, b in zip(times_s[:, 0].astype(int).tolist(), bounds, strict=True) if b[1] > b[0]]
    leads = np.array([index.get(segment.action, -1) for segment in segments])
    guessed: dict[int, NDArray[Any]] = {}
    for row, first, past in spans:
        if segments[row].action == UNKNOWN_ACTION:
            weight = np.bincount(stretch.best[first:past], stretch.probability[first:past], len(index))
            guessed[row] = guessed.get(row, 0.0) + weight
            leads[row] = guessed[row].argmax()
    return _Shares(stretch.labels, stretch.mean_shares(spans, len(segments)), leads)


def _most_likely(counted: _Shares) -> Iterator[LikelyLabels]:
    """Yield the likely labels of each segment."""
    labels, shares, leads = counted
    rank = -shares
    rank[leads >= 0, leads[leads >= 0]] = -np.inf
    top = np.argpartition(rank, min(MOST_LIKELY, len(labels) - 1), axis=1)[:, :MOST_LIKELY]
    values = np.take_along_axis(shares, top, axis=1).tolist()
    for lead, some, probabilities in zip(leads.tolist(), top.tolist(), values, strict=True):
        ranked = sorted(zip(some, probabilities, strict=True), key=lambda one: (one[0] != lead, -one[1], one[0]))
        yield tuple((labels[label], probability) for label, probability in ranked if probability > 0)


def _close_seconds(counted: _Shares) -> Iterator[str | None]:
    """Yield the second label of each segment where it is close to the first."""
    labels, shares, leads = counted
    rows = np.arange(len(shares))
    firsts = np.where(leads >= 0, leads, shares.argmax(axis=1))
    others = shares.copy()
    others[rows, firsts] = -1.0
    seconds = others.argmax(axis=1)
    most = others[rows, seconds]
    are_close = (most > 0) & (most >= CLOSE_SHARE * shares[rows, firsts])
    for second, is_close in zip(seconds.tolist(), are_close.tolist(), strict=True):
        yield labels[second] if is_close else None


def _counted(segment: Segment) -> Spans:
    return ((segment.start_s, segment.end_s),) if segment.counted is None else segment.counted


def overlapping(some: Sequence[Segment], others: Sequence[Segment]) -> Iterator[tuple[Segment, Segment, float]]:
    """Yield each pair that overlaps and for how long; both are in the order of time without overlaps among them."""
    i = j = 0
    while i < len(some) and j < len(others):
        one, other = some[i], others[j]
        overlap_s = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
        if overlap_s >= TOUCHING_S:
            yield one, other, overlap_s
        if one.end_s <= other.end_s:
            i += 1
        else:
            j += 1
