"""The time without a sign of life, as far as one could have come."""

from __future__ import annotations

import time
from collections.abc import Callable


class Silence:
    """Counts the time without a sign of life, but only while this process runs.

    A process may stand still for seconds: on a busy machine, while a library holds Python's lock, or on a laptop that
    sleeps. No sign can be taken meanwhile, so what comes late is no silence. ``count`` is called at short intervals,
    and a longer pause between two calls counts no longer than ``most_s``: signs have that much time to arrive first.

    Args:
        most_s: one pause between two calls counts at most this long.
        now_s: the clock.

    Attributes:
        lasted_s: what ``count`` returned last.
    """

    def __init__(self, most_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self.lasted_s = 0.0
        self._most_s = most_s
        self._now_s = now_s
        self._counted_at_s = now_s()

    def count(self, ago_s: float) -> float:
        """Return how long the silence has lasted.

        Args:
            ago_s: the time since the latest sign, by the clock; infinite if it is unknown.
        """
        now_s = self._now_s()
        passed_s, self._counted_at_s = now_s - self._counted_at_s, now_s
        self.lasted_s = min(ago_s, self.lasted_s + min(passed_s, self._most_s))
        return self.lasted_s
