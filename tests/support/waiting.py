"""Wait for another thread, but not forever."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_S = 60.0
"""Longest wait for something that takes milliseconds on an idle machine; only a failing test waits this long."""

WORK_S = 300.0
"""Longest wait for a program that loads libraries, which takes seconds on an idle machine."""

PAUSE_S = 0.005


def wait_until(condition: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    """Return once ``condition`` holds; fail after ``wait_s``."""
    end_s = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < end_s, f"still waiting after {wait_s:g} s"
        time.sleep(PAUSE_S)
