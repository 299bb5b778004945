"""Figures on how a live stream runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

MEASURED = 90
"""Rates and times cover this many of the latest events; for frames, about three seconds."""


@dataclass(frozen=True)
class LabelingStats:
    """How well labelling keeps up.

    Attributes:
        clip_ms: median time to classify one clip; None before the first.
        behind_s: median age of a person's latest sample when their clip's label came; None before the first.
        joined_clips: clips that were joined with the person's next clip because the classifier was busy.
        dropped_clips: clips that were never classified.
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
        frames_per_s: frames that were returned.
        delay_ms: median time from a frame's arrival to its return.
        delay_95_ms: 95 of 100 frames are returned within this time.
        detections_per_s: frames in which detection ran.
        skipped_frames: frames without detection, because a newer one had arrived.
        labeling: how well labelling keeps up.
        classifier: name of the classifier.
        other_labeling: how well the other classifier keeps up; None if there is none.
        other_classifier: the other classifier's name; None if there is none.
        people: how many are in the picture.
        left_out_frames: frames left out of the running recording because its encoder could not keep up.
        problem: one sentence about what went wrong last; None if nothing did.
        changing: whether a change of the settings is under way.
    """

    time_s: float
    frames_per_s: float
    delay_ms: float
    delay_95_ms: float
    detections_per_s: float
    skipped_frames: int
    labeling: LabelingStats
    classifier: str
    other_labeling: LabelingStats | None
    other_classifier: str | None
    people: int
    left_out_frames: int
    problem: str | None
    changing: bool


class Rate:
    """Events per second over the latest few."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=MEASURED)

    def tick(self, time_s: float) -> None:
        """Count one event at ``time_s``."""
        self._times_s.append(time_s)

    def per_s(self, now_s: float) -> float:
        """Return the events per second; it falls while none come."""
        times_s = list(self._times_s)
        if len(times_s) < 2:
            return 0.0
        return (len(times_s) - 1) / max(now_s - times_s[0], 1e-6)

    def silent_s(self, now_s: float) -> float:
        """Return the seconds since the last event; 0 before the first."""
        times_s = list(self._times_s)
        return now_s - times_s[-1] if times_s else 0.0


class Delays:
    """Times from a frame's arrival to its return, over the latest few."""

    def __init__(self) -> None:
        self._delays_ms: deque[float] = deque(maxlen=MEASURED)

    def add(self, delay_ms: float) -> None:
        """Add the delay of one frame."""
        self._delays_ms.append(delay_ms)

    def percentile_ms(self, percent: float) -> float:
        """Return the time within which this share of the frames is returned; 0 before the first."""
        delays_ms = list(self._delays_ms)
        return float(np.percentile(delays_ms, percent)) if delays_ms else 0.0
