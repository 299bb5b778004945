"""The time axis of a video: seconds, or minutes and seconds for a long video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recognizer.timeline.model import Timeline

LONG_VIDEO_S: Final = 120.0
"""From this duration on, the axis shows minutes and seconds."""

_EMPTY_SHARE: Final = 0.5
"""The axis begins with the first picture if more of it would be empty."""

_NOT_A_YEAR_MS: Final = 2.0**-10
"""Added to milliseconds: Plotly reads 2000 as the year 2000, but 2000.001 as milliseconds."""


def time_on_axis(timeline: Timeline, time_s: float) -> float | str:
    """Return a time as a value of the horizontal axis of ``swimlane``: seconds, or a date for a long video."""
    return TimeAxis(timeline).value(time_s)


class TimeAxis:
    """The time axis of a video: seconds, or minutes and seconds for a long video."""

    def __init__(self, timeline: Timeline) -> None:
        end_s = timeline.analysed_s
        if not timeline.complete:
            end_s = max(end_s, timeline.video.duration_s or 0.0)
        elif len(timeline.frame_times_s):
            # the decoded frames decide: the container may state a wrong duration
            end_s = max(end_s, float(timeline.frame_times_s[-1]) + 1 / timeline.frame_rate_hz)
        ends_s = (track.presence[-1][1] for track in timeline.people if track.presence)
        self.end_s = max(end_s, *ends_s, 0.001) if timeline.people else max(end_s, 0.001)
        first_s = timeline.begins_s
        # a piece of a longer recording may keep its place in it, and would be a thin line at the right
        self.begin_s = first_s if first_s > _EMPTY_SHARE * self.end_s else 0.0
        self.is_date = self.end_s >= LONG_VIDEO_S

    def value(self, time_s: float) -> float | str:
        """Return a time as a value of the axis."""
        return str(np.datetime64(round(time_s * 1000), "ms")) if self.is_date else time_s

    def bases(self, starts_s: Sequence[float] | NDArray[np.float64]) -> Any:
        """Return the starts of bars as values of the axis."""
        if not self.is_date:
            return list(starts_s)
        return np.round(np.asarray(starts_s, np.float64) * 1000).astype("datetime64[ms]").astype(str).tolist()

    def numbers(self, times_s: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return times as numbers, for large arrays that are sent as bytes."""
        times = np.asarray(times_s, np.float64)
        return times * 1000 + _NOT_A_YEAR_MS if self.is_date else times

    def lengths(
        self, starts_s: Sequence[float] | NDArray[np.float64], ends_s: Sequence[float] | NDArray[np.float64]
    ) -> Any:
        """Return the lengths of bars in the unit of the axis."""
        lengths_s = np.asarray(ends_s, np.float64) - np.asarray(starts_s, np.float64)
        return (lengths_s * (1000 if self.is_date else 1)).tolist()  # a date axis counts milliseconds

    def finish(self, axis: dict[str, Any]) -> None:
        """Add range, title and tick format to the layout of a horizontal axis."""
        end = self.value(self.end_s)
        begin = self.value(self.begin_s)
        axis |= {"range": [begin, end], "minallowed": begin, "maxallowed": end}
        if not self.is_date:
            axis["title"]["text"] = "Time (s)"
            return
        hours = self.end_s >= 3600
        whole = "%H:%M:%S" if hours else "%M:%S"
        axis["title"]["text"] = "Time (h:min:s)" if hours else "Time (min:s)"
        axis |= {
            "type": "date",
            "tickformatstops": [
                {"dtickrange": [None, 999], "value": f"{whole}.%L"},
                {"dtickrange": [1000, None], "value": whole},
            ],
        }


def span_in_words(start_s: float, end_s: float) -> str:
    """Return ``3.2 s – 5.9 s (2.7 s)``, or ``2:03.2 – 2:05.9 (2.7 s)`` late in a video."""
    if end_s < LONG_VIDEO_S:
        return f"{start_s:.1f} s – {end_s:.1f} s ({end_s - start_s:.1f} s)"
    return f"{_clock(start_s)} – {_clock(end_s)} ({end_s - start_s:.1f} s)"


def _clock(time_s: float) -> str:
    """Return ``2:05.3``, or ``1:02:05.3`` from an hour on."""
    tenths = round(time_s * 10)
    minutes, seconds = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02d}" if hours else f"{minutes}") + f":{seconds / 10:04.1f}"
