"""The timeline of each person, as a chart."""

from __future__ import annotations

from collections.abc import Sequence

from recognizer import plots
from recognizer.dashboard import server
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.timeline.model import Timeline
from recognizer.types import Segment


def draw_swimlane(timeline: Timeline, segments: Sequence[Segment], key: str) -> None:
    """Draw the timeline of each person in the page's theme."""
    figure = plots.swimlane(timeline, segments, server.palette(), dark=is_dark())
    title = "Timeline: who does what, when"
    show_chart(figure, key, title)
