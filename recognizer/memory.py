"""Return freed memory to the operating system; exempt long-lived objects from garbage collection."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

_YOUNG_OBJECTS: Final = 20_000
"""Python's own value is 700."""


def give_back_memory() -> None:
    """Make the C library return freed memory; does nothing outside glibc.

    Pictures and clips of many sizes, freed by several threads, leave fragments that glibc retains: about 1 MB for each
    second of a stream. Takes about 10 ms.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def collect_and_give_back_memory() -> None:
    """Look for garbage, then give it back; call this when somebody has gone.

    Closed pages and cameras' connections hold themselves, and pictures. Because Python looks rarely (see
    ``collect_rarely``), a server that nobody uses would keep them. Takes about 40 ms, in which nothing else runs.
    """
    gc.collect()
    give_back_memory()


def exempt_from_collection() -> None:
    """Exempt all current objects from later garbage collections; call it after loading large, permanent data.

    With the networks' libraries loaded, a full collection takes a tenth of a second or more, and all pages wait for it.
    Current cycles are collected first, also those of objects that were exempt.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def leave_garbage() -> None:
    """Call this when the process is about to end: its memory goes back to the system without a search for cycles.

    With the networks' libraries loaded, Python's last collections take half a second of processor time.
    """
    gc.freeze()


def collect_rarely() -> None:
    """Let more objects be made before Python looks for cycles among them.

    An answer with thousands of segments makes so many that Python would look through all objects of the server with
    every dozenth answer.
    """
    gc.set_threshold(_YOUNG_OBJECTS)


@contextmanager
def without_collections() -> Iterator[None]:
    """Make many objects that stay without looking for cycles meanwhile: it takes as long as making them."""
    _pauses.begin()
    try:
        yield
    finally:
        _pauses.end()


class _Pauses:
    """Counts who wants no collections, on any thread; they go on when nobody does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._was_enabled = True

    def begin(self) -> None:
        with self._lock:
            if self._count == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0 and self._was_enabled:
                gc.enable()


_pauses = _Pauses()


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
