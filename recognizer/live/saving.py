"""Save a session as it goes on, so that a crash costs its last seconds alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from recognizer.errors import StoreError
from recognizer.timeline.model import Timeline

_log = logging.getLogger(__name__)

EVERY_S: Final = 3.0
"""A save point follows this often: with the time to write it, a crash costs less than five seconds."""

LATE_S: Final = 30.0
"""A save point repeats so many seconds before the one before it: labels of these come later."""


class SessionSaver:
    """Saves what is new of a session every few seconds, on a thread of its own.

    Args:
        timeline: returns the session's timeline since a time.
        save: stores such a part; also gets the time.

    Attributes:
        problem: why the latest save point could not be stored, in a sentence; None if it was.
    """

    def __init__(self, timeline: Callable[[float], Timeline], save: Callable[[Timeline, float], None]) -> None:
        self.problem: str | None = None
        self._timeline = timeline
        self._save = save
        self._ended = threading.Event()
        self._until_s = float("-inf")
        self._frames_until_s = float("-inf")
        self._frames_at_end = 0  # so many have that time: under Windows, two may have the same
        self._thread = threading.Thread(target=self._run, name="live-save", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                self._save_new()
            except StoreError as error:  # such as a full disk; the next one has what is missing
                if self.problem is None:
                    _log.warning("a session is not saved: %s", error)
                self.problem = error.reason
            else:
                self.problem = None

    def _save_new(self) -> None:
        since_s = self._until_s - LATE_S
        timeline = self._timeline(since_s)
        times_s = timeline.frame_times_s
        first, past = (np.searchsorted(times_s, self._frames_until_s, side) for side in ("left", "right"))
        new_s = times_s[min(first + self._frames_at_end, past) :]
        self._save(replace(timeline, frame_times_s=new_s), since_s)
        self._until_s = timeline.analysed_s
        if len(new_s):
            self._frames_until_s = float(times_s[-1])
            self._frames_at_end = int(np.count_nonzero(times_s == times_s[-1]))

    def end(self) -> None:
        """Stop saving; the whole session is stored now."""
        self._ended.set()
        self._thread.join()
