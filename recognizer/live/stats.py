"""How a live stream runs, in figures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MEASURED = 90
"""Rates and times are told over this many of the newest events; of frames, about three seconds."""


@dataclass(frozen=True)
class NamingStats:
    """How the naming of clips keeps up.

    Attributes:
        clip_ms: median time to name one clip; None before the first.
        behind_s: median age of a person's newest sample when their clip's name came; None before the first.
        joined_clips: clips that went into the person's next one, because the classifier was busy.
        dropped_clips: clips that were never named.
    """

    clip_ms: float | None
    behind_s: float | None
    joined_clips: int
    dropped_clips: int


@dataclass(frozen=True)
class LiveStats:
    """How the stream runs.

    Attributes:
        time_s: the stream's time: seconds since its first frame.
        frames_per_s: frames that were given back.
        delay_ms: median time from a frame's arrival to its return.
        delay_95_ms: 95 of 100 frames are returned within this time.
        followed_per_s: frames in which people were looked for.
        dropped_frames: frames in which nobody was looked for, because a newer one had come.
        naming: how the naming of clips keeps up.
        classifier: name of the one that names them.
        second_naming: the same for a second classifier; None where there is none.
        second_classifier: its name.
        people: how many are in the picture.
        silent_s: seconds since the newest frame.
        left_out_frames: frames that the encoder of the running recording could not keep up with.
        problem: one sentence about what went wrong last; None when nothing did.
        changing: whether a classifier is being loaded.
    """

    time_s: float
    frames_per_s: float
    delay_ms: float
    delay_95_ms: float
    followed_per_s: float
    dropped_frames: int
    naming: NamingStats
    classifier: str
    second_naming: NamingStats | None
    second_classifier: str | None
    people: int
    silent_s: float
    left_out_frames: int
    problem: str | None
    changing: bool


class Rate:
    """Events per second over the newest few."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=MEASURED)

    def tick(self, time_s: float) -> None:
        """One event, at ``time_s``."""
        self._times_s.append(time_s)

    def per_s(self, now_s: float) -> float:
        """How many a second; falls while none come."""
        times_s = list(self._times_s)
        if len(times_s) < 2:
            return 0.0
        return (len(times_s) - 1) / max(now_s - times_s[0], 1e-6)

    def silent_s(self, now_s: float) -> float:
        """Seconds since the last event; 0 before the first."""
        times_s = list(self._times_s)
        return now_s - times_s[-1] if times_s else 0.0
