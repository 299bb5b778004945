"""Naming a live stream's clips beside its picture, on a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median

import torch

from recognizer.clips.sampling import joined
from recognizer.live.stats import MEASURED, NamingStats
from recognizer.types import Clip

_log = logging.getLogger(__name__)

_LONGEST_JOINED = 4
"""A clip that waits grows to at most as many times its span. With 8 samples that is still about four a second at the
documented settings; fewer would no longer show a movement."""


class Namer:
    """Gives clips to a classifier, one at a time; whoever has waited longest comes first.

    At most one clip a person waits. Where the next one comes before the classifier is free, the two become one over the
    time of both: the label comes as late, but no time goes unnamed and the classifier has no more to do.

    Args:
        label: names clips and keeps what was said; called on this thread.
        stay_began_s: since when a person is there without a long absence; a clip never reaches over one.
        now_s: the stream's time.
    """

    def __init__(
        self,
        label: Callable[[Sequence[Clip]], object],
        stay_began_s: Callable[[int], float],
        now_s: Callable[[], float],
    ) -> None:
        self.problem: str | None = None
        self._label = label
        self._stay_began_s = stay_began_s
        self._now_s = now_s
        self._waiting: dict[int, Clip] = {}
        self._clip_ms: deque[float] = deque(maxlen=MEASURED)
        self._behind_s: deque[float] = deque(maxlen=MEASURED)
        self._joined = 0
        self._dropped = 0
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="live-label", daemon=True)
        self._thread.start()

    def put(self, clips: Iterable[Clip]) -> None:
        """Clips that are full now; returns at once."""
        with self._condition:
            for clip in clips:
                older = self._waiting.get(clip.person_id)
                self._waiting[clip.person_id] = clip if older is None else self._together(older, clip)
            self._condition.notify_all()

    def _together(self, older: Clip, newer: Clip) -> Clip:
        longest_s = _LONGEST_JOINED * (newer.end_s - newer.start_s)
        from_s = max(self._stay_began_s(newer.person_id), newer.end_s - longest_s)
        whole = older.start_s >= from_s
        self._joined += whole
        self._dropped += not whole
        return joined(older, newer, from_s) if older.end_s > from_s else newer

    def _work(self) -> None:
        torch.set_num_threads(threads_each())
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or bool(self._waiting))
                if self._closed:
                    return
                clip = self._waiting.pop(next(iter(self._waiting)))
            self._name(clip)

    def _name(self, clip: Clip) -> None:
        started_s = time.monotonic()
        try:
            self._label([clip])
        except Exception:  # noqa: BLE001 - one bad clip must not end the stream; it is logged and said
            _log.exception("a clip could not be named")
            self.problem = "A clip could not be named; the log of the server says why."
            return
        self.problem = None
        self._clip_ms.append((time.monotonic() - started_s) * 1000)
        self._behind_s.append(max(0.0, self._now_s() - clip.end_s))

    def stats(self) -> NamingStats:
        """How it keeps up."""
        clip_ms, behind_s = list(self._clip_ms), list(self._behind_s)
        return NamingStats(
            clip_ms=median(clip_ms) if clip_ms else None,
            behind_s=median(behind_s) if behind_s else None,
            joined_clips=self._joined,
            dropped_clips=self._dropped,
        )

    def close(self, last_clips: Sequence[Clip], timeout_s: float) -> None:
        """End the thread, and name what still waits and ``last_clips``; called once.

        Args:
            last_clips: of those who were there at the end.
            timeout_s: how long a clip that is being named is waited for.
        """
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout_s)
        for clip in [*self._waiting.values(), *last_clips]:
            self._name(clip)


def threads_each() -> int:
    """Cores for the thread that follows and for each that names: when all take all, each waits for the others'
    (measured by benchmarks/live.py)."""
    return max(1, (os.cpu_count() or 2) // 2)
