"""The progress of a batch: videos, hours of video, times real time, time left, failures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from recognizer.batch.manifest import Counts, Due
from recognizer.batch.messages import Advanced, Outcome, Report
from recognizer.limits import duration_text

_RATE_AFTER_S = 5.0

NEWS: Final = "news"
"""Name of the fact in the manifest that holds ``News``."""


class News(msgspec.Struct, frozen=True):
    """A running command's news for readers of the manifest.

    Attributes:
        analysed_s: seconds of video that it has analyzed, those of unfinished videos included.
        times_real_time: see ``Tally``.
        left_s: see ``Tally``.
    """

    analysed_s: float
    times_real_time: float | None
    left_s: float | None


def video_time(seconds: float) -> str:
    """Return a length of video: ``0.7 h``, or smaller units below half an hour."""
    return f"{seconds / 3600:.1f} h" if seconds >= 1800 else duration_text(seconds)


@dataclass
class Tally:
    """The progress of a batch.

    Attributes:
        total: videos of the command.
        before: those that were done already.
        done: of this command.
        failed: of this command and of earlier ones; ``failed_now`` of this one.
        postponed: those that the next command tries again.
        left_bytes: of what waits or is in work, counted whole.
        video_s: seconds of video that this command has analyzed.
    """

    total: int
    before: int
    done: int = 0
    failed: int = 0
    failed_now: int = 0
    postponed: int = 0
    video_s: float = 0.0
    left_bytes: int = 0
    _sizes: dict[int, int] = field(default_factory=dict)
    _running: dict[int, Advanced] = field(default_factory=dict)
    _began_s: float = field(default_factory=time.monotonic)
    _worked_bytes: int = 0

    @classmethod
    def of(cls, counts: Counts) -> Tally:
        """Return the tally of a command that begins."""
        total = counts.done + counts.failed + counts.waiting
        return cls(total, counts.done, failed=counts.failed, left_bytes=counts.waiting_bytes)

    def give(self, due: Due) -> None:
        """Note that a video is given to a worker."""
        self._sizes[due.number] = due.size_bytes

    def hear(self, report: Report) -> None:
        """Note what a worker reports."""
        if isinstance(report, Advanced):
            self._running[report.number] = report
        elif isinstance(report, Outcome):
            self._running.pop(report.number, None)
            size_bytes = self._sizes.pop(report.number, 0)
            self.left_bytes -= size_bytes
            if report.took_s and report.state == "done":
                self._worked_bytes += size_bytes
                self.video_s += report.video_s
            self.done += report.state == "done"
            self.failed += report.state == "failed"
            self.failed_now += report.state == "failed"
            self.postponed += report.state == "waiting"

    @property
    def ended(self) -> int:
        """The number of videos that need nothing more."""
        return self.before + self.done + self.failed

    @property
    def analysed_s(self) -> float:
        """Seconds of video analyzed by this command, those of unfinished ones included."""
        return self.video_s + sum(one.analysed_s for one in self._running.values())

    @property
    def times_real_time(self) -> float | None:
        """Seconds of video for each second; None until it can be measured."""
        passed_s = time.monotonic() - self._began_s
        return self.analysed_s / passed_s if passed_s > _RATE_AFTER_S and self.analysed_s else None

    @property
    def left_s(self) -> float | None:
        """Estimated seconds left, by the size of the files and how far each is; None until it can be estimated.

        A video that failed is neither work done nor work left: it may have ended at once.
        """
        passed_s = time.monotonic() - self._began_s
        running_bytes = sum(self._sizes.get(number, 0) * share for number, share in self._shares())
        worked_bytes, left_bytes = self._worked_bytes + running_bytes, self.left_bytes - running_bytes
        if passed_s <= _RATE_AFTER_S or not worked_bytes or left_bytes <= 0:
            return None
        return passed_s * left_bytes / worked_bytes

    def _shares(self) -> Iterator[tuple[int, float]]:
        """Yield the videos in work whose length is known, and how much of each is analyzed, from 0 to 1."""
        for number, one in self._running.items():
            if one.of_s:
                yield number, min(one.analysed_s / one.of_s, 1.0)

    def news(self) -> News:
        """Return the news for readers of the manifest."""
        return News(self.analysed_s, self.times_real_time, self.left_s)

    @property
    def text(self) -> str:
        """One line for people."""
        parts = [f"{self.ended:,} of {self.total:,} videos"]
        if self.analysed_s:
            parts.append(f"{video_time(self.analysed_s)} of video")
        if self.times_real_time is not None:
            parts.append(f"{self.times_real_time:.2g} times real time")
        if self.left_s is not None:
            parts.append(f"about {duration_text(self.left_s)} left")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.postponed:
            parts.append(f"{self.postponed:,} to try again")
        return ", ".join(parts)
