"""Detect less often before labels are late."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_REST_S = 0.5
"""Detection never rests longer than this: the tracker matches overlapping boxes, and people keep walking meanwhile."""

_PROMPT_S = 0.5
"""A clip that waits at most this long for its label does not slow detection down."""

_REST_PER_WAIT = 0.5
"""Seconds of rest for each second that the oldest clip has waited beyond ``_PROMPT_S``."""


class DetectionPace:
    """Decides how long the next detection waits, so that classification gets its share of the processor.

    Both use the same cores, and detection always has work, so it would take all it gets. Each stream looks only at its
    own clips; streams on one machine share the classifier, so all of them slow down when it is behind.

    Args:
        oldest_wait_s: returns how long the oldest clip without a label has waited; 0 if there is none.
        now_s: the clock.
    """

    def __init__(self, oldest_wait_s: Callable[[], float], now_s: Callable[[], float] = time.monotonic) -> None:
        self._oldest_wait_s = oldest_wait_s
        self._now_s = now_s
        self._ended_s = float("-inf")

    def rest_s(self) -> float:
        """Return the time until the next detection may start; it is 0 as soon as labels keep up again."""
        rest_s = (self._oldest_wait_s() - _PROMPT_S) * _REST_PER_WAIT
        due_s = self._ended_s + min(max(rest_s, 0.0), LONGEST_REST_S)
        return max(0.0, due_s - self._now_s())

    def end(self) -> None:
        """Note that a detection ends now: the rest counts from its end, so that a slow one cannot take all time."""
        self._ended_s = self._now_s()
