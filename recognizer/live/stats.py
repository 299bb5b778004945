"""Figures on how a live stream runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

MEASURED = 90
"""Rates and times cover at most this many of the latest events; for frames, about three seconds."""

RECENT_S = 10.0
"""Of those, they cover the ones of the last seconds: a machine that has become busy shows it."""


@dataclass(frozen=True)
class LabelingStats:
    """How well labelling keeps up.

    Attributes:
        clip_ms: median time to classify one clip; None before the first.
        behind_s: median age of a person's latest sample when their clip's label came; None before the first.
        waiting_s: how long the oldest clip without a label has waited for it; 0 if there is none.
        joined_clips: clips that were joined with the person's next clip because the classifier was busy.
        dropped_clips: clips that were never classified.
    """

    clip_ms: float | None
    behind_s: float | None
    waiting_s: float
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


class Recent:
    """Numbers of the last seconds; the latest number counts at any age."""

    def __init__(self) -> None:
        self._numbers: deque[tuple[float, float]] = deque(maxlen=MEASURED)

    def add(self, now_s: float, number: float = 0.0) -> None:
        """Add a number."""
        self._numbers.append((now_s, number))

    def percentile(self, percent: float, now_s: float) -> float | None:
        """Return what this share of the recent numbers does not exceed; None before the first."""
        numbers = [number for _, number in self._recent(now_s, 1)]
        return float(np.percentile(numbers, percent)) if numbers else None

    def _recent(self, now_s: float, at_least: int) -> list[tuple[float, float]]:
        numbers = list(self._numbers)
        return [one for k, one in enumerate(numbers, at_least - len(numbers)) if k >= 0 or now_s - one[0] <= RECENT_S]


class Rate(Recent):
    """Events per second over the last seconds."""

    def per_s(self, now_s: float) -> float:
        """Return the events per second; it falls while none come."""
        recent = self._recent(now_s, 2)
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(now_s - recent[0][0], 1e-6)

    def silent_s(self, now_s: float) -> float:
        """Return the seconds since the last event; 0 before the first."""
        recent = self._recent(now_s, 1)
        return now_s - recent[-1][0] if recent else 0.0
