"""Taking turns at a network: who came first is served first, and what others wait with may go along."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Place:
    """One caller's in the queue.

    Attributes:
        called: set when the waiting is over.
        has_turn: whether it ended with a turn, which the caller has to give on.
    """

    called: threading.Event = field(default_factory=threading.Event)
    has_turn: bool = False


@dataclass(eq=False)
class _Brought(_Place):
    """A place with what its caller brings.

    Attributes:
        kind: see ``Turns.together``.
        batch: see ``Turns.together``.
        outputs: there before its turn where it went along in another's.
        alone: whether it failed together with others, so that its turn is for itself.
    """

    kind: Hashable = None
    batch: Tensor = field(default_factory=lambda: torch.empty(0))
    outputs: Tensor | None = None
    alone: bool = False


class Turns:
    """A lock that is fair. ``threading.Lock`` lets a thread that comes back at once pass all who wait.

    A thread must not take a turn inside its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Place] = deque()
        self._taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn of one's own, as a context manager."""
        with self._queued(_Place()):
            yield

    def together(self, kind: Hashable, batch: Tensor, most: int, run: Callable[[Tensor], Tensor]) -> Tensor:
        """What ``run`` makes of the batch (B, …): in a turn of one's own, or along with another's batch.

        Whose turn it is takes along, in order of arrival, what others of the same kind wait with. Where that fails,
        everyone is served alone, so that an error reaches only those whose own it is.

        Args:
            kind: batches of equal kinds can be joined, and any of their callers' ``run`` serves them.
            batch: in memory that nobody changes meanwhile.
            most: of which no more are taken along, own ones included.
            run: gives one output for each of the batch, in order.
        """
        mine = _Brought(kind=kind, batch=batch)
        with self._queued(mine):
            if mine.outputs is None and not mine.alone and (along := self._along_with(mine, most)):
                self._serve([mine, *along], run)
            if mine.outputs is None:
                mine.outputs = run(batch)
        return mine.outputs

    def _along_with(self, mine: _Brought, most: int) -> list[_Brought]:
        along, total = [], len(mine.batch)
        with self._lock:
            for place in self._waiting:
                if isinstance(place, _Brought) and place.kind == mine.kind and not place.alone:
                    total += len(place.batch)
                    if total > most:  # nor those after it, who may fit but came later
                        break
                    along.append(place)
        return along

    def _serve(self, places: Sequence[_Brought], run: Callable[[Tensor], Tensor]) -> None:
        """Give everyone's outputs to them, in memory of their own; whoever waits stays in the queue until then."""
        try:
            outputs = run(torch.cat([place.batch for place in places]))
            parts = [part.clone() for part in torch.split(outputs, [len(place.batch) for place in places])]
        except Exception:  # noqa: BLE001 - whatever a network raises; whose error it is, is seen when each goes alone
            _log.warning("%d batches did not go through together; each goes alone", len(places), exc_info=True)
            for place in places:
                place.alone = True
            return
        with self._lock:
            for place, part in zip(places, parts, strict=True):
                place.outputs = part
                if place in self._waiting:  # not one's own, nor one that was interrupted meanwhile
                    self._waiting.remove(place)
                    place.called.set()

    @contextmanager
    def _queued(self, place: _Place) -> Iterator[None]:
        """Wait until the place is called; afterwards the turn, if that is what it was called for, goes over."""
        with self._lock:
            if self._taken:
                self._waiting.append(place)
            else:
                self._taken = True
                self._call(place)
        try:
            place.called.wait()
            yield
        finally:
            with self._lock:
                if not place.called.is_set():  # Ctrl-C in the middle of waiting
                    self._waiting.remove(place)
                elif place.has_turn:
                    if self._waiting:
                        self._call(self._waiting.popleft())  # the turn is never free in between
                    else:
                        self._taken = False

    def _call(self, place: _Place) -> None:
        place.has_turn = True
        place.called.set()
