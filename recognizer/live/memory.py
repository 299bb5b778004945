"""Giving memory that this program has freed back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back_memory() -> None:
    """Let the C library give back what was freed; does nothing where it does not know how (outside glibc).

    Pictures and clips of many sizes, freed by several threads, leave free memory in pieces that glibc keeps: about 1 MB
    more for each second of a stream. Takes some 10 ms.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
