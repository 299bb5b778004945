"""Share a network between callers: first come, first served, with compatible requests batched together."""

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
class _Waiter:
    """One caller in the queue.

    Attributes:
        done_waiting: set when the caller may continue.
        has_turn: whether the caller then holds the turn, and must hand it on.
    """

    done_waiting: threading.Event = field(default_factory=threading.Event)
    has_turn: bool = False


@dataclass(eq=False)
class _Request(_Waiter):
    """A caller with a batch.

    Attributes:
        kind: see ``FairQueue.run_batched``.
        batch: see ``FairQueue.run_batched``.
        outputs: set early if another caller's run included this batch.
        must_run_alone: whether a joint run failed, so that this batch runs by itself.
    """

    kind: Hashable = None
    batch: Tensor = field(default_factory=lambda: torch.empty(0))
    outputs: Tensor | None = None
    must_run_alone: bool = False


class FairQueue:
    """A fair lock: with ``threading.Lock``, a thread that returns at once overtakes all waiting threads.

    A thread must not take a turn while it holds one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter] = deque()
        self._taken = False

    @property
    def waiting(self) -> int:
        """The number of callers that wait for a turn."""
        with self._lock:
            return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the turn during a ``with`` block."""
        with self._queued(_Waiter()):
            yield

    def run_batched(self, kind: Hashable, batch: Tensor, limit: int, run: Callable[[Tensor], Tensor]) -> Tensor:
        """Return ``run(batch)`` for a batch (B, …), computed in this caller's turn or as part of another's.

        The caller whose turn it is also runs compatible requests that are waiting, first come, first served. If the
        joint run fails, each request runs alone, so that an error reaches only the caller who caused it.

        Args:
            kind: batches of equal kinds can be joined, and the ``run`` of any of their callers works for all.
            batch: must not change during the call.
            limit: the largest joint batch, this one included.
            run: returns one output for each input, in order.
        """
        own = _Request(kind=kind, batch=batch)
        with self._queued(own):
            if own.outputs is None and not own.must_run_alone and (others := self._compatible_with(own, limit)):
                self._run_together([own, *others], run)
            if own.outputs is None:
                own.outputs = run(batch)
        return own.outputs

    def _compatible_with(self, own: _Request, limit: int) -> list[_Request]:
        compatible, total = [], len(own.batch)
        with self._lock:
            for waiter in self._waiting:
                if isinstance(waiter, _Request) and waiter.kind == own.kind and not waiter.must_run_alone:
                    total += len(waiter.batch)
                    if total > limit:  # a smaller request behind it could fit, but must not overtake
                        break
                    compatible.append(waiter)
        return compatible

    def _run_together(self, requests: Sequence[_Request], run: Callable[[Tensor], Tensor]) -> None:
        """Run a joint batch and hand out copies of the outputs; the others stay in the queue until then."""
        try:
            outputs = run(torch.cat([request.batch for request in requests]))
            parts = [part.clone() for part in torch.split(outputs, [len(request.batch) for request in requests])]
        except Exception:  # noqa: BLE001 - a network may raise anything; running each alone shows who caused it
            _log.warning("a joint run of %d batches failed; each runs alone", len(requests), exc_info=True)
            for request in requests:
                request.must_run_alone = True
            return
        with self._lock:
            for request, part in zip(requests, parts, strict=True):
                request.outputs = part
                if request in self._waiting:  # not the caller's own, nor one interrupted meanwhile
                    self._waiting.remove(request)
                    request.done_waiting.set()

    @contextmanager
    def _queued(self, waiter: _Waiter) -> Iterator[None]:
        """Wait for the turn, or for outputs from another's turn; hand the turn on at the end."""
        with self._lock:
            if self._taken:
                self._waiting.append(waiter)
            else:
                self._taken = True
                self._give_turn(waiter)
        try:
            waiter.done_waiting.wait()
            yield
        finally:
            with self._lock:
                if not waiter.done_waiting.is_set():  # Ctrl-C during the wait
                    self._waiting.remove(waiter)
                elif waiter.has_turn:
                    if self._waiting:
                        self._give_turn(self._waiting.popleft())  # never free in between, so nobody overtakes
                    else:
                        self._taken = False

    def _give_turn(self, waiter: _Waiter) -> None:
        waiter.has_turn = True
        waiter.done_waiting.set()
