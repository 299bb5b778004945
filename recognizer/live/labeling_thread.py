"""Label a live stream's clips on a thread of their own."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import torch

from recognizer.clips.sampling import joined
from recognizer.live.stats import LabelingStats, Recent
from recognizer.types import Clip

_log = logging.getLogger(__name__)

_LONGEST_JOINED = 4
"""A waiting clip grows to at most this many times its span. At the documented settings, 8 samples are then still about
four a second; fewer would no longer show a movement."""


class LabelingThread:
    """Classifies clips one at a time; the person who has waited longest comes first.

    At most one clip per person waits. If the next one comes before the classifier is free, the two are joined into one
    over the time of both. The label is no earlier, but covers the whole time, and the classifier has no extra work.

    Args:
        label: classifies clips and stores the predictions; called on this thread.
        stay_began_s: time since which a person has been present without a long absence; clips never span one.
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
        self._waiting_since_s: dict[int, float] = {}
        self._working_since_s: float | None = None
        self._clip_ms, self._behind_s = Recent(), Recent()
        self._joined = 0
        self._dropped = 0
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="live-label", daemon=True)
        self._thread.start()

    def put(self, clips: Iterable[Clip]) -> None:
        """Add complete clips, without waiting."""
        now_s = time.monotonic()
        with self._condition:
            for clip in clips:
                older = self._waiting.get(clip.person_id)
                self._waiting[clip.person_id] = clip if older is None else self._joined_clip(older, clip)
                self._waiting_since_s.setdefault(clip.person_id, now_s)
            self._condition.notify_all()

    def _joined_clip(self, older: Clip, newer: Clip) -> Clip:
        longest_s = _LONGEST_JOINED * (newer.end_s - newer.start_s)
        from_s = max(self._stay_began_s(newer.person_id), newer.end_s - longest_s)
        whole = older.start_s >= from_s
        self._joined += whole
        self._dropped += not whole
        return joined(older, newer, from_s) if older.end_s > from_s else newer

    def oldest_wait_s(self) -> float:
        """Return how long the oldest clip has waited for its label, even while it is classified; 0 without one."""
        with self._condition:
            since_s = list(self._waiting_since_s.values())
            if self._working_since_s is not None:
                since_s.append(self._working_since_s)
        return time.monotonic() - min(since_s) if since_s else 0.0

    def _work(self) -> None:
        torch.set_num_threads(threads_each())
        while True:
            with self._condition:
                self._working_since_s = None
                self._condition.wait_for(lambda: self._closed or bool(self._waiting))
                if self._closed:
                    return
                person_id = next(iter(self._waiting))
                clip = self._waiting.pop(person_id)
                self._working_since_s = self._waiting_since_s.pop(person_id)
            self._classify(clip)

    def _classify(self, clip: Clip) -> None:
        started_s = time.monotonic()
        try:
            self._label([clip])
        except Exception:  # noqa: BLE001 - one bad clip must not end the stream; it is logged and reported
            _log.exception("a clip could not be classified")
            self.problem = "A clip could not be classified; the server's log says why."
            return
        self.problem = None
        now_s = time.monotonic()
        self._clip_ms.add(now_s, (now_s - started_s) * 1000)
        self._behind_s.add(now_s, max(0.0, self._now_s() - clip.end_s))

    def stats(self) -> LabelingStats:
        """Return how well labelling keeps up."""
        now_s = time.monotonic()
        return LabelingStats(
            clip_ms=self._clip_ms.percentile(50, now_s),
            behind_s=self._behind_s.percentile(50, now_s),
            waiting_s=self.oldest_wait_s(),
            joined_clips=self._joined,
            dropped_clips=self._dropped,
        )

    def close(self, last_clips: Sequence[Clip], timeout_s: float) -> None:
        """End the thread, then classify the waiting clips and ``last_clips``; call once.

        Args:
            last_clips: the clips of the people who were present at the end.
            timeout_s: how long to wait for the clip that is being classified.
        """
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout_s)
        for clip in [*self._waiting.values(), *last_clips]:
            self._classify(clip)


def threads_each() -> int:
    """Return how many cores the following thread and each labelling thread may use. If each used all cores, each would
    wait for the others (measured by benchmarks/live.py)."""
    return max(1, (os.cpu_count() or 2) // 2)
