"""A fair line, in which visitors take turns, however many pieces of work each of them has.

Pure: no threads and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)

NOBODY: Final = ""
"""The visitor of the server's own work, which never waits for other work of its own."""

_UNKNOWN_TAKES_S: Final = 600.0
"""Stands for work of unknown length when the order of the line is foreseen."""


@dataclass(frozen=True)
class Place:
    """A place in a line.

    Attributes:
        number: 1 for what starts next; 0 for what has started.
        starts_in_s: seconds until it starts; None if work of unknown length is ahead.
    """

    number: int
    starts_in_s: float | None


@dataclass
class FairLine(Generic[Item]):
    """A fair line of waiting and running work.

    The visitor with the least running work is next; among equals, the one who had the fewest turns. Who comes later
    starts with the turns of those who are served then, so that nobody overtakes by coming again and again (start-time
    fair queueing, Goyal, Vin and Cheng 1996, with one for every length). A visitor's own work keeps its order.

    Attributes:
        at_once: how much runs at the same time, of all visitors together.
        each_at_once: how much of that may be one visitor's; None for everything.
    """

    at_once: int
    each_at_once: int | None = None
    _waiting: list[tuple[Item, str]] = field(default_factory=list)
    _running: dict[Item, str] = field(default_factory=dict)
    _turns: dict[str, int] = field(default_factory=dict)
    _served: int = 0  # turns of the visitor who was served last, before that turn

    def add(self, item: Item, visitor_id: str = NOBODY) -> None:
        """Let a piece of work wait for its turn."""
        self._waiting.append((item, visitor_id))
        self._turns[visitor_id] = max(self._turns.get(visitor_id, 0), self._served)

    def take(self, is_over: Callable[[Item], bool] = lambda _: False) -> Item | None:
        """Return what starts now, which then counts as running; None if nothing may start.

        Args:
            is_over: whether a waiting piece of work was given up; it is forgotten.
        """
        self.forget(is_over)
        if len(self._running) >= self.at_once:
            return None
        first_of: dict[str, Item] = {}
        for item, visitor_id in self._waiting:
            first_of.setdefault(visitor_id, item)
        free = [visitor_id for visitor_id in first_of if self._may_start(visitor_id)]
        if not free:
            return None
        chosen = min(free, key=lambda one: (self._count(one), self._turns[one]))
        item = first_of[chosen]
        self._waiting.remove((item, chosen))
        self._running[item] = chosen
        self._served = self._turns[chosen]
        self._turns[chosen] += 1
        return item

    def forget(self, is_over: Callable[[Item], bool]) -> None:
        """Forget the waiting work that was given up."""
        self._waiting = [(item, visitor_id) for item, visitor_id in self._waiting if not is_over(item)]

    def end(self, item: Item) -> None:
        """Forget a running piece of work; its place is free."""
        del self._running[item]
        if not self._running and not self._waiting:
            self._turns.clear()  # the visitors of a year must not add up
            self._served = 0

    def place(self, item: Item, takes_s: Callable[[Item], float | None]) -> Place | None:
        """Return a piece of work's place; None if it is not in this line.

        Args:
            item: the piece of work.
            takes_s: seconds that a piece of work will take from now on; None if that is unknown.
        """
        if item in self._running:
            return Place(0, 0.0)
        if all(item != waiting for waiting, _ in self._waiting):
            return None
        return _Foresight(self, takes_s).place(item)

    def copy(self) -> FairLine[Item]:
        """Return a line of its own with the same work."""
        same = (list(self._waiting), dict(self._running), dict(self._turns), self._served)
        return FairLine(self.at_once, self.each_at_once, *same)

    @property
    def running(self) -> list[Item]:
        """The running work."""
        return list(self._running)

    def _count(self, visitor_id: str) -> int:
        return sum(running == visitor_id for running in self._running.values())

    def _may_start(self, visitor_id: str) -> bool:
        return visitor_id == NOBODY or self.each_at_once is None or self._count(visitor_id) < self.each_at_once


class _Foresight(Generic[Item]):
    """Plays a line to its end, with the time that each piece of work is expected to take."""

    def __init__(self, line: FairLine[Item], takes_s: Callable[[Item], float | None]) -> None:
        self._line = line.copy()
        self._takes_s = takes_s
        self._now_s = 0.0
        self._ends_s = {item: self._length_s(item) for item in self._line.running}
        self._is_known = all(takes_s(item) is not None for item in self._line.running)

    def place(self, wanted: Item) -> Place:
        """Return the place of what waits in the line."""
        number = 0
        while True:
            item = self._line.take()
            if item is None:
                self._end_one()
                continue
            number += 1
            if item == wanted:
                return Place(number, self._now_s if self._is_known else None)
            self._ends_s[item] = self._now_s + self._length_s(item)
            self._is_known = self._is_known and self._takes_s(item) is not None

    def _end_one(self) -> None:
        first = min(self._ends_s, key=lambda one: self._ends_s[one])
        self._now_s = max(self._now_s, self._ends_s.pop(first))
        self._line.end(first)

    def _length_s(self, item: Item) -> float:
        known_s = self._takes_s(item)
        return _UNKNOWN_TAKES_S if known_s is None else known_s
