"""Detect less often before labels are late."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_INTERVAL_S = 0.5
"""Detections are never further apart on purpose: the tracker joins boxes that overlap, and people walk on meanwhile."""

_PROMPT_S = 0.5
"""A clip that waits no longer than this for its label slows nothing down."""

_INTERVAL_PER_WAIT = 0.5
"""Seconds between two detections for each second that the oldest clip has waited beyond ``_PROMPT_S``."""


class DetectionPace:
    """Says how long the next detection should wait, so that classifying clips gets its share of the processor.

    Both use the same cores, and detection, which is never done, would take what it gets. Each stream looks at its own
    clips; streams on one machine share the classifier, so all of them slow down when it is behind.

    Args:
        oldest_wait_s: how long the oldest clip without a label has waited; 0 if there is none.
        now_s: the clock.
    """

    def __init__(self, oldest_wait_s: Callable[[], float], now_s: Callable[[], float] = time.monotonic) -> None:
        self._oldest_wait_s = oldest_wait_s
        self._now_s = now_s
        self._started_s = float("-inf")

    def rest_s(self) -> float:
        """Return the time until the next detection may start; falls to 0 as soon as labels keep up again."""
        interval_s = (self._oldest_wait_s() - _PROMPT_S) * _INTERVAL_PER_WAIT
        due_s = self._started_s + min(max(interval_s, 0.0), LONGEST_INTERVAL_S)
        return max(0.0, due_s - self._now_s())

    def start(self) -> None:
        """Note that a detection starts now."""
        self._started_s = self._now_s()
