"""The movement of each of the machine's people; measured in the background, because it is slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from recognizer.timeline.lineage import Source
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, people_moving
from recognizer.types import TOUCHING_S

Moving = tuple[float, float, str]
"""A stretch of time and how the person moves in it: ``still``, ``slow`` or ``fast``."""

_LEAST_S: Final = 0.5
_MOST_SPANS: Final = 800
"""Shorter stretches join their neighbours, and so do those that would not be seen because there are so many."""


class Movements:
    """The movement of the people of one timeline; other threads may read while one measures."""

    def __init__(self) -> None:
        self._moving: dict[int, list[Moving]] = {}
        self._measured = threading.Event()

    def measure(self, timeline: Timeline, is_ending: Callable[[], bool]) -> None:
        """Measure everyone's movement once, unless the program is ending."""
        if self._measured.is_set():
            return
        least_s = max(_LEAST_S, timeline.analysed_s / _MOST_SPANS)
        for moving in people_moving(timeline):
            if is_ending():
                return
            self._moving[moving.person.person_id] = [
                (span.start_s, span.end_s, span.movement.value)
                for span in moving.spans(least_s)
                if isinstance(span.movement, Movement)
            ]
        self._measured.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until everyone is measured; return False on timeout."""
        return self._measured.wait(timeout_s)

    def of(self, sources: Sequence[Source]) -> list[Moving]:
        """Return how a person moves who is made of these people; what is not measured yet is left out."""
        return [
            (max(start_s, source.start_s), min(end_s, source.end_s), movement)
            for source in sources
            for start_s, end_s, movement in self._moving.get(source.person_id, ())
            if min(end_s, source.end_s) - max(start_s, source.start_s) >= TOUCHING_S
        ]


_of_timeline: WeakKeyDictionary[Timeline, Movements] = WeakKeyDictionary()


def movements_of(timeline: Timeline) -> Movements:
    """Return the movements of a timeline; the same object each time."""
    return _of_timeline.setdefault(timeline, Movements())
