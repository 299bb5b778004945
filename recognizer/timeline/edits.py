"""The kinds of corrections that a person makes to a timeline. Each holds all that it needs, so it can be stored.

An edit of segments speaks of a person's time, not of the machine's segments: other thresholds or another classifier
make other segments, and the edit still applies. What a person has decided covers the machine's segments there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from recognizer.types import TOUCHING_S, Segment

PersonId = Annotated[int, Meta(extra_json_schema={"minimum": 1})]
Seconds = Annotated[float, Meta(extra_json_schema={"minimum": 0})]


class Span(NamedTuple):
    """A stretch of a person's time that a person has decided; without an action, there is no segment."""

    start_s: float
    end_s: float
    action: str | None


class Merge(Struct, frozen=True, tag="merge", tag_field="edit"):
    """Two numbers are one person: everything of ``person_id`` becomes that of ``into``."""

    person_id: PersonId
    into: PersonId

    def __post_init__(self) -> None:
        _check(self.person_id != self.into, f"person {self.into} cannot be merged with itself")


class Split(Struct, frozen=True, tag="split", tag_field="edit"):
    """One number is two people: from ``at_s`` on, ``person_id`` is ``new_id``, a number that nobody has."""

    person_id: PersonId
    at_s: Seconds
    new_id: PersonId

    def __post_init__(self) -> None:
        _check_times(self.at_s)
        _check(self.person_id != self.new_id, f"the other part of person {self.new_id} needs another number")


class Hide(Struct, frozen=True, tag="hide", tag_field="edit"):
    """A person is not shown, or shown again."""

    person_id: PersonId
    hidden: bool = True


class Name(Struct, frozen=True, tag="name", tag_field="edit"):
    """A person gets a name; an empty one removes it."""

    person_id: PersonId
    name: str


class Relabel(Struct, frozen=True, tag="relabel", tag_field="edit"):
    """The segment from ``start_s`` up to ``end_s`` is another action."""

    person_id: PersonId
    start_s: Seconds
    end_s: Seconds
    action: str

    def __post_init__(self) -> None:
        _check_action(self.action)
        _check_times(self.start_s, self.end_s)

    def spans(self) -> Iterator[Span]:
        """Yield what the edit decides."""
        yield Span(self.start_s, self.end_s, self.action)


class Add(Relabel, frozen=True, tag="add", tag_field="edit"):
    """There is a segment where the machine has none."""


class Join(Relabel, frozen=True, tag="join", tag_field="edit"):
    """The segments from ``start_s`` up to ``end_s``, and what lies between them, are one."""


class Delete(Struct, frozen=True, tag="delete", tag_field="edit"):
    """There is no segment from ``start_s`` up to ``end_s``."""

    person_id: PersonId
    start_s: Seconds
    end_s: Seconds

    def __post_init__(self) -> None:
        _check_times(self.start_s, self.end_s)

    def spans(self) -> Iterator[Span]:
        """Yield what the edit decides."""
        yield Span(self.start_s, self.end_s, None)


class Cut(Struct, frozen=True, tag="cut", tag_field="edit"):
    """The segment from ``start_s`` up to ``end_s`` is two of one action, which meet at ``at_s``."""

    person_id: PersonId
    start_s: Seconds
    at_s: Seconds
    end_s: Seconds
    action: str

    def __post_init__(self) -> None:
        _check_action(self.action)
        _check_times(self.start_s, self.at_s, self.end_s)

    def spans(self) -> Iterator[Span]:
        """Yield what the edit decides."""
        yield Span(self.start_s, self.at_s, self.action)
        yield Span(self.at_s, self.end_s, self.action)


class MoveEdge(Struct, frozen=True, tag="move_edge", tag_field="edit"):
    """The edge at ``at_s`` lies at ``to_s``. It may be the end of a segment, the start of one, or both.

    Attributes:
        person_id: the person.
        at_s: where the edge was.
        to_s: where it is.
        left_start_s: start of the segment that ends there, with ``left_action``; None if there is none.
        left_action: its action.
        right_end_s: end of the segment that starts there, with ``right_action``; None if there is none.
        right_action: its action.
    """

    person_id: PersonId
    at_s: Seconds
    to_s: Seconds
    left_start_s: Seconds | None = None
    left_action: str | None = None
    right_end_s: Seconds | None = None
    right_action: str | None = None

    def __post_init__(self) -> None:
        _check_times(self.at_s)
        _check((self.left_start_s is None) == (self.left_action is None), "a segment has a start and an action")
        _check((self.right_end_s is None) == (self.right_action is None), "a segment has an end and an action")
        _check(self.left_start_s is not None or self.right_end_s is not None, "an edge belongs to a segment")
        _check_times(*(t for t in (self.left_start_s, self.to_s, self.right_end_s) if t is not None))

    def spans(self) -> Iterator[Span]:
        """Yield what the edit decides: both segments up to the new edge; what one alone leaves is nobody's."""
        if self.left_start_s is not None:
            yield Span(self.left_start_s, self.to_s, self.left_action)
        elif self.to_s > self.at_s:
            yield Span(self.at_s, self.to_s, None)
        if self.right_end_s is not None:
            yield Span(self.to_s, self.right_end_s, self.right_action)
        elif self.to_s < self.at_s:
            yield Span(self.to_s, self.at_s, None)


class Check(Struct, frozen=True, tag="check", tag_field="edit"):
    """A person has looked at this stretch and finds it right, or takes that back."""

    person_id: PersonId
    start_s: Seconds
    end_s: Seconds
    checked: bool = True

    def __post_init__(self) -> None:
        _check_times(self.start_s, self.end_s)


class Restore(Struct, frozen=True, tag="restore", tag_field="edit"):
    """The machine's segments count again from ``start_s`` up to ``end_s``; since version 1.1."""

    person_id: PersonId
    start_s: Seconds
    end_s: Seconds

    def __post_init__(self) -> None:
        _check_times(self.start_s, self.end_s)


SingleEdit = Merge | Split | Hide | Name | Relabel | Add | Join | Delete | Cut | MoveEdge | Check | Restore


class Together(Struct, frozen=True, tag="together", tag_field="edit"):
    """Edits that a person makes, and undoes, as one; since version 1.1."""

    edits: tuple[SingleEdit, ...]

    def __post_init__(self) -> None:
        _check(bool(self.edits), "no edits are made together")


Edit = SingleEdit | Together


def move_edge(segments: Sequence[Segment], person_id: int, at_s: float, to_s: float) -> MoveEdge:
    """Return the edit that moves the edge at ``at_s`` of these segments, for one or two segments that meet there.

    Raises:
        ValueError: no segment of the person has an edge there, or the edge would pass another end of its segment.
    """
    mine = [one for one in segments if one.person_id == person_id]
    left = next((one for one in mine if abs(one.end_s - at_s) < TOUCHING_S), None)
    right = next((one for one in mine if abs(one.start_s - at_s) < TOUCHING_S), None)
    return MoveEdge(
        person_id,
        at_s,
        to_s,
        left.start_s if left else None,
        left.action if left else None,
        right.end_s if right else None,
        right.action if right else None,
    )


def _check_times(*times_s: float) -> None:
    """Raise unless the times are finite, not negative, and ascending."""
    _check(all(math.isfinite(time_s) and time_s >= 0 for time_s in times_s), f"times are {times_s}, not seconds from 0")
    for before_s, after_s in pairwise(times_s):
        _check(after_s > before_s, f"{after_s:g} s is not after {before_s:g} s")


def _check_action(action: str) -> None:
    _check(bool(action.strip()), "a segment needs an action")


def _check(fits: bool, problem: str) -> None:
    if not fits:
        raise ValueError(problem)
