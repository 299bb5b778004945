"""Convert times to frame numbers."""

from __future__ import annotations

import math

import numpy as np

from recognizer.timeline.model import Timeline

_ROUNDING_S = 1e-6
"""Times closer than this are equal: a boundary halfway between two frames always takes the earlier one."""


class FrameNumbers:
    """Converts times to frame numbers. Frames are counted from 0, and intervals are half-open in frames too.

    A boundary at ``time_s`` lies before the first frame whose time is at most half a frame earlier. Half a frame is
    half the interval to the next frame, but never more than half of the average interval. Intervals that touch in time
    therefore touch in frames, and no frame is counted twice. If the frames' times are unknown, a constant frame rate is
    assumed.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._rate_hz = timeline.frame_rate_hz
        self._first_s = timeline.begins_s
        times_s = timeline.frame_times_s
        tolerance_s = np.full(len(times_s), 0.5 / self._rate_hz)
        if len(times_s) > 1:
            tolerance_s[:-1] = np.minimum(tolerance_s[:-1], np.diff(times_s) / 2)
        self._latest_boundary_s = times_s + tolerance_s + _ROUNDING_S

    def first_at(self, time_s: float) -> int:
        """Return the number of the first frame at or after ``time_s``; the frame count if there is none."""
        if len(self._latest_boundary_s):
            return int(np.searchsorted(self._latest_boundary_s, time_s, side="left"))
        return max(0, math.ceil((time_s - self._first_s - _ROUNDING_S) * self._rate_hz - 0.5))
