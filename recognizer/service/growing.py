"""The timeline of a running analysis: made when somebody looks, and at a bounded share of the processor's time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from recognizer.timeline.model import Timeline

MOST_SHARE: Final = 0.05
"""Share of one core that showing a running analysis may take from the analysis itself."""

LEAST_S: Final = 1.0
"""Nothing is made again sooner; a label appears within about a second in a short video."""


class Growing:
    """The timeline so far of one analysis, for all pages that show it. Safe to call from any thread.

    Args:
        make: makes it; takes the longer, the more there is.
    """

    def __init__(self, make: Callable[[], Timeline]) -> None:
        self._make: Callable[[], Timeline] | None = make
        self._latest: Timeline | None = None
        self._next_s = float("-inf")
        self._lock = threading.Lock()

    def timeline(self) -> Timeline | None:
        """Return the timeline so far, or one that was made for another page a moment ago; None if none was."""
        with self._lock:
            if self._make is not None and time.monotonic() >= self._next_s:
                began_s = time.thread_time()
                self._latest = self._make()
                self._next_s = time.monotonic() + (time.thread_time() - began_s) / MOST_SHARE
            return self._latest

    def end(self) -> None:
        """Make nothing any more; the analysis is over, and what it needed can go."""
        with self._lock:
            self._make = None


class Pace:
    """The interval at which a page draws something that grows and takes ever longer to draw.

    Attributes:
        every_s: seconds from one time to the next.
    """

    def __init__(self) -> None:
        self.every_s = LEAST_S
        self._took_s = 0.0

    def is_too_fast(self, took_s: float) -> bool:
        """Note the seconds of a core that drawing took; return whether ``every_s`` is longer from now on.

        It follows the lesser of the last two: the first drawing of a server imports what it needs.
        """
        usual_s, self._took_s = min(took_s, self._took_s), took_s
        if usual_s <= MOST_SHARE * self.every_s:
            return False
        self.every_s = 2 * usual_s / MOST_SHARE  # a whole page is drawn to change it, so seldom
        return True
