"""Return freed memory to the operating system; exempt long-lived objects from garbage collection."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable
from functools import cache


def give_back_memory() -> None:
    """Make the C library return freed memory; does nothing outside glibc.

    Pictures and clips of many sizes, freed by several threads, leave fragments that glibc retains: about 1 MB for each
    second of a stream. Takes about 10 ms.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def exempt_from_collection() -> None:
    """Exempt all current objects from later garbage collections; call it after loading large, permanent data.

    With the networks' libraries loaded, a full collection takes a tenth of a second or more, and all pages wait for it.
    Current cycles are collected first.
    """
    gc.collect()
    gc.freeze()


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
