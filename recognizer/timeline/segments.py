"""Merge a person's predictions into segments, and find the likely labels of each segment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import UNKNOWN_ACTION
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
    if segment.source != "machine" or segment.action == UNKNOWN_ACTION:
        return None
    return likely[1] if len(likely) > 1 and likely[1][1] >= CLOSE_SHARE * likely[0][1] else None


def guesses_of(ordered: Sequence[Prediction], smoothing_s: float) -> Guesses:
    """Return a person's guesses from their predictions, ordered by start, then by end."""
    return _VotedGuesses(votes(ordered, smoothing_s)) if smoothing_s > 0 else _ClipGuesses(ordered)


def segments_of(person_id: int, guesses: Guesses, min_confidence: float, min_duration_s: float) -> Iterator[Segment]:
    """Yield a person's segments in order of time; see ``Timeline.segments`` for the thresholds."""
    pieces = _merged(guesses.pieces(min_confidence))
    if min_duration_s > 0:
        pieces = _without_short(pieces, min_duration_s)
    for piece in pieces:
        yield Segment(person_id, piece.action, piece.start_s, piece.end_s, piece.confidence, piece.counted)


class _Piece(NamedTuple):
    """A part of a person's time with one label; ``counted`` is as in ``Segment``."""

    action: str
    start_s: float
    end_s: float
    confidence: float
    counted: tuple[tuple[float, float], ...] | None = None


class Guesses(Protocol):
    """The best guess for each moment of one person's time, and how probable each label is."""

    def pieces(self, min_confidence: float) -> Iterator[_Piece]:
        """Yield stretches with one guess; a less probable guess is ``unknown``."""
        ...

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        """Yield the labels of each segment, see ``Timeline.likely_labels``; fastest in order of time."""
        ...


class _ClipGuesses:
    """Guesses without smoothing: each clip decides its own time; an overlap of two clips is divided in the middle."""

    def __init__(self, ordered: Sequence[Prediction]) -> None:
        self._stretches: list[tuple[Prediction, float, float]] = []
        for k, prediction in enumerate(ordered):
            start_s, end_s = prediction.start_s, prediction.end_s
            if k > 0 and ordered[k - 1].end_s > start_s:
                start_s = (start_s + ordered[k - 1].end_s) / 2
            if k + 1 < len(ordered) and ordered[k + 1].start_s < end_s:
                end_s = (ordered[k + 1].start_s + end_s) / 2
            if self._stretches:  # of two merged people, one clip may reach beyond the next one
                start_s = max(start_s, self._stretches[-1][2])
            if end_s > start_s:
                self._stretches.append((prediction, start_s, end_s))
        self._starts_s = [start_s for _, start_s, _ in self._stretches]
        self._ends_s = [end_s for _, _, end_s in self._stretches]

    def pieces(self, min_confidence: float) -> Iterator[_Piece]:
        """Yield stretches in which neighbouring clips have one guess, merged as ``_merged`` does.

        A long video has many more clips than stretches, and objects are slow to make.
        """
        action, begin_s, last_s, mean = "", 0.0, 0.0, 0.0
        for label, probability, start_s, end_s in self._columns:
            this = label if probability >= min_confidence else UNKNOWN_ACTION
            if this == action and start_s - last_s < TOUCHING_S:
                before_s, length_s = last_s - begin_s, end_s - start_s
                mean = (mean * before_s + probability * length_s) / (before_s + length_s)
            else:
                if action:
                    yield _Piece(action, begin_s, last_s, mean)
                action, begin_s, mean = this, start_s, probability
            last_s = end_s
        if action:
            yield _Piece(action, begin_s, last_s, mean)

    @cached_property
    def _columns(self) -> list[tuple[str, float, float, float]]:
        """The best label of each stretch, its probability, start and end."""
        return [(*prediction.top[0], start_s, end_s) for prediction, start_s, end_s in self._stretches]

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        for segment in segments:
            sums: dict[str, float] = defaultdict(float)
            guessed: dict[str, float] = defaultdict(float)
            total_s = 0.0
            is_unknown = segment.action == UNKNOWN_ACTION
            for from_s, to_s in _counted(segment):
                for k in range(bisect_right(self._ends_s, from_s), bisect_left(self._starts_s, to_s)):
                    prediction, start_s, end_s = self._stretches[k]
                    weight_s = min(end_s, to_s) - max(start_s, from_s)
                    total_s += weight_s
                    for label, probability in prediction.top:
                        sums[label] += weight_s * probability
                    if is_unknown:
                        guess, probability = prediction.top[0]
                        guessed[guess] += weight_s * probability
            yield _ranked(sums, total_s, max(guessed, key=guessed.__getitem__, default=segment.action))


class _VotedGuesses:
    """Guesses with smoothing: nearby clips vote at each moment."""

    def __init__(self, stretches: Iterable[Votes]) -> None:
        self._stretches = tuple(stretches)
        self._starts_s = [float(stretch.edges_s[0]) for stretch in self._stretches]

    def pieces(self, min_confidence: float) -> Iterator[_Piece]:
        for stretch in self._stretches:
            guess = np.where(stretch.probability >= min_confidence, stretch.best, -1)
            starts = np.concatenate(([0], np.flatnonzero(np.diff(guess)) + 1))
            ends = np.append(starts[1:], len(guess))
            means = np.add.reduceat(stretch.probability, starts) / (ends - starts)
            for start, end, mean in zip(starts.tolist(), ends.tolist(), means.tolist(), strict=True):
                action = UNKNOWN_ACTION if guess[start] < 0 else stretch.labels[guess[start]]
                yield _Piece(action, float(stretch.edges_s[start]), float(stretch.edges_s[end]), mean)

    def likely_labels(self, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
        for k, together in groupby(segments, lambda segment: bisect_right(self._starts_s, segment.start_s) - 1):
            of_stretch = list(together)
            for first in range(0, len(of_stretch), _SEGMENTS_AT_ONCE):
                yield from _most_voted(self._stretches[max(k, 0)], of_stretch[first : first + _SEGMENTS_AT_ONCE])


def _most_voted(stretch: Votes, segments: Sequence[Segment]) -> Iterator[LikelyLabels]:
    """Yield the likely labels of segments that lie in one stretch."""
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
    shares = stretch.mean_shares(spans, len(segments))
    rank = -shares
    rank[leads >= 0, leads[leads >= 0]] = -np.inf
    top = np.argpartition(rank, min(MOST_LIKELY, len(index) - 1), axis=1)[:, :MOST_LIKELY]
    values = np.take_along_axis(shares, top, axis=1).tolist()
    for lead, labels, probabilities in zip(leads.tolist(), top.tolist(), values, strict=True):
        ranked = sorted(zip(labels, probabilities, strict=True), key=lambda one: (one[0] != lead, -one[1]))
        yield tuple((stretch.labels[label], probability) for label, probability in ranked if probability > 0)


def _counted(segment: Segment | _Piece) -> tuple[tuple[float, float], ...]:
    return ((segment.start_s, segment.end_s),) if segment.counted is None else segment.counted


def _counted_s(piece: _Piece) -> float:
    return sum(end_s - start_s for start_s, end_s in _counted(piece))


def _ranked(sums: Mapping[str, float], total_s: float, first: str) -> LikelyLabels:
    ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    if ranked and ranked[0][0] != first and first in sums:
        ranked.remove((first, sums[first]))
        ranked.insert(0, (first, sums[first]))
    return tuple((label, weighted / total_s) for label, weighted in ranked[:MOST_LIKELY])


def _merged(pieces: Iterable[_Piece]) -> list[_Piece]:
    """Join touching neighbours with the same action; weight their confidence by the counted time."""
    merged: list[_Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and last.action == piece.action and piece.start_s - last.end_s < TOUCHING_S:
            if last.counted is None and piece.counted is None:
                last_s, piece_s, counted = last.end_s - last.start_s, piece.end_s - piece.start_s, None
            else:
                last_s, piece_s = _counted_s(last), _counted_s(piece)
                counted = (*_counted(last), *_counted(piece))
            mean = (last.confidence * last_s + piece.confidence * piece_s) / (last_s + piece_s)
            merged[-1] = _Piece(last.action, last.start_s, piece.end_s, mean, counted)
        else:
            merged.append(piece)
    return merged


def _without_short(pieces: list[_Piece], min_duration_s: float) -> list[_Piece]:
    def is_short(piece: _Piece) -> bool:
        return piece.action != UNKNOWN_ACTION and piece.end_s - piece.start_s < min_duration_s - TOUCHING_S

    while True:
        joined = _merged(_absorbed(pieces, is_short))
        if len(joined) == len(pieces):
            break
        pieces = joined
    return _merged(piece._replace(action=UNKNOWN_ACTION) if is_short(piece) else piece for piece in pieces)


def _absorbed(pieces: list[_Piece], is_short: Callable[[_Piece], bool]) -> Iterator[_Piece]:
    """Give a short piece the action of its two neighbours if they have the same one and are not both short."""
    for k, piece in enumerate(pieces):
        before = pieces[k - 1] if k > 0 and piece.start_s - pieces[k - 1].end_s < TOUCHING_S else None
        after = pieces[k + 1] if k + 1 < len(pieces) and pieces[k + 1].start_s - piece.end_s < TOUCHING_S else None
        if (
            is_short(piece)
            and before is not None
            and after is not None
            and before.action == after.action
            and not (is_short(before) and is_short(after))
        ):
            # the piece was not recognized as this action, so it does not count towards the action's confidence
            yield piece._replace(action=before.action, counted=())
        else:
            yield piece


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
