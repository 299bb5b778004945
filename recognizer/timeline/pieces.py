"""Stretches of one person's time with one label, before they are segments: joined, and without those that are short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from recognizer.settings import UNKNOWN_ACTION
from recognizer.types import TOUCHING_S

Spans = tuple[tuple[float, float], ...]


class Piece(NamedTuple):
    """A part of a person's time with one label; ``counted`` is as in ``Segment``."""

    action: str
    start_s: float
    end_s: float
    confidence: float
    counted: Spans | None = None


def without_short(pieces: Sequence[Piece], min_duration_s: float) -> list[Piece]:
    """Return one person's pieces without short ones; see ``Timeline.segments``.

    In each round, every short piece between two of one action, at least one of them long enough, becomes theirs, and
    the three are one. A long video has thousands of pieces, and what becomes of one depends on its neighbours alone: a
    round looks at those that the round before has changed.

    Args:
        pieces: in order of time; no two that touch have one action.
        min_duration_s: pieces with an action that are shorter are short.
    """
    least_s = min_duration_s - TOUCHING_S
    parts = list(map(_Part, pieces))
    for one, following in pairwise(parts):
        one.after, following.before = following, one
    changed = parts
    while changed:
        changed = _absorbed(changed, least_s)
    left = [part for part in parts if not part.is_gone]
    for part in left:
        if part.is_short(least_s):
            part.action = UNKNOWN_ACTION
    return [part.piece() for part in _joined(left)]


class _Part:
    """A piece that grows.

    Attributes:
        counted_s: the time that the confidence averages.
        before, after: its neighbours.
        is_gone: whether it has become part of an earlier one.
    """

    __slots__ = ("action", "after", "before", "confidence", "counted", "counted_s", "end_s", "is_gone", "start_s")

    def __init__(self, piece: Piece) -> None:
        self.action, self.start_s, self.end_s, self.confidence, counted = piece
        self.counted = None if counted is None else list(counted)
        self.counted_s = self.end_s - self.start_s if counted is None else sum(end_s - s for s, end_s in counted)
        self.before: _Part | None = None
        self.after: _Part | None = None
        self.is_gone = False

    def piece(self) -> Piece:
        counted = None if self.counted is None else tuple(self.counted)
        return Piece(self.action, self.start_s, self.end_s, self.confidence, counted)

    def is_short(self, least_s: float) -> bool:
        return self.action != UNKNOWN_ACTION and self.end_s - self.start_s < least_s

    def touches(self, following: _Part) -> bool:
        return following.start_s - self.end_s < TOUCHING_S

    def action_around(self, least_s: float) -> str | None:
        """Return the action that a short piece takes from its neighbours; None if it keeps its own."""
        before, after = self.before, self.after
        if before is None or after is None or before.action != after.action or not self.is_short(least_s):
            return None
        if not (before.touches(self) and self.touches(after)) or (before.is_short(least_s) and after.is_short(least_s)):
            return None
        return before.action

    def become(self, action: str) -> None:
        """Take another action. It was not recognized, so this time does not count towards the action's confidence."""
        self.action, self.counted, self.counted_s = action, [], 0.0

    def join(self, following: _Part) -> None:
        """Take in the next part, which has the same action; weight the confidence by the counted time."""
        both_s = self.counted_s + following.counted_s
        self.confidence = (self.confidence * self.counted_s + following.confidence * following.counted_s) / both_s
        if self.counted is None and following.counted is None:
            self.end_s = following.end_s
            self.counted_s = self.end_s - self.start_s
            return
        self.counted = self._spans() + following._spans()
        self.counted_s, self.end_s = both_s, following.end_s

    def _spans(self) -> list[tuple[float, float]]:
        return [(self.start_s, self.end_s)] if self.counted is None else self.counted

    def leave(self) -> None:
        """Be part of the neighbour before."""
        self.is_gone = True
        if self.before is not None:
            self.before.after = self.after
        if self.after is not None:
            self.after.before = self.before


def _absorbed(parts: Iterable[_Part], least_s: float) -> list[_Part]:
    """Give those of these parts that are short the action around them, all at once; return what changed around them."""
    taking = [(part, action) for part in parts if not part.is_gone and (action := part.action_around(least_s))]
    for part, action in taking:
        part.become(action)
    changed: dict[_Part, None] = {}
    for part, _ in taking:
        if not part.is_gone:
            first = _first_of_run(part)
            while first.after is not None and _are_one(first, first.after):
                following = first.after
                first.join(following)
                following.leave()
            changed |= dict.fromkeys(one for one in (first.before, first, first.after) if one is not None)
    return list(changed)


def _first_of_run(part: _Part) -> _Part:
    while part.before is not None and _are_one(part.before, part):
        part = part.before
    return part


def _are_one(part: _Part, following: _Part) -> bool:
    return part.action == following.action and part.touches(following)


def _joined(parts: Iterable[_Part]) -> Iterator[_Part]:
    """Join touching neighbours with one action."""
    last: _Part | None = None
    for part in parts:
        if last is not None and _are_one(last, part):
            last.join(part)
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last
