"""Count the second labels of what was shown last, in the background."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, Final

from recognizer.service.jobs import Job, Jobs
from recognizer.service.shown import Shown

_REST_S: Final = 0.3
"""While a slider moves, the processor is left to it."""


class LatestCounting:
    """Counts the view that was asked for last; an earlier one is given up. Safe to call from any thread."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._wanted: Shown | None = None
        self._is_running = False

    def want(self, shown: Shown) -> None:
        """Count this view next."""
        with self._lock:
            self._wanted = shown
            starts = not self._is_running
            self._is_running = True
        if starts:
            self._jobs.start(self._work)

    def give_up(self) -> None:
        """Count nothing until a view is wanted again."""
        with self._lock:
            self._wanted = None

    def _work(self, job: Job[Any]) -> None:
        counted: Shown | None = None
        while (shown := self._next(counted, job)) is not None:
            is_stopped = job.stops_within(_REST_S)
            is_counted = not is_stopped and shown.count_all(partial(self._is_given_up, job, shown))
            counted = shown if is_counted else None

    def _next(self, counted: Shown | None, job: Job[Any]) -> Shown | None:
        """Return what to count after another view; None, and stop, if that was the last one."""
        with self._lock:
            if self._wanted is counted or job.cancelled:
                self._wanted = None
            self._is_running = self._wanted is not None
            return self._wanted

    def _is_given_up(self, job: Job[Any], shown: Shown) -> bool:
        return job.cancelled or self._wanted is not shown
