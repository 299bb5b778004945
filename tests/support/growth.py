"""How work grows with its input, by counting calls: unlike times, they are the same on every machine at every load."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

MOST_TIMES = 2.3
"""Linear work makes twice as many calls for twice the input; sorting a few more."""


def calls_in(work: Callable[[], object]) -> int:
    """Return how many Python and C functions are called while the work is done; each step of a generator is a call."""
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def times_for_twice(work_of: Callable[[int], Callable[[], object]], size: int) -> float:
    """Return how many times as many calls work makes for twice the size; ``work_of`` prepares the work of a size."""
    fewer, more = (calls_in(work_of(number)) for number in (size, 2 * size))
    return more / fewer
