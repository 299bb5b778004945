"""Memory: what was freed goes back to the system, and what stays is not looked at again and again."""

from __future__ import annotations

import ctypes
import gc
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


def exempt_from_collection() -> None:
    """Leave what there is now out of all later garbage collections; for when something large was loaded that stays.

    A whole collection looks at everything that Python holds, a tenth of a second and more with the networks' libraries,
    and all pages wait for it. What is a cycle now is collected before.
    """
    gc.collect()
    gc.freeze()


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
