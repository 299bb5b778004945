"""A line in each person's lane, or a lane of its own, that shows where they are still, slow or fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from recognizer.plots.bars import Bar, LaneBars
from recognizer.plots.layout import Theme, lane_name
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, Span, people_moving
from recognizer.timeline.speeds import Unknown

_MIDDLE: Final = 0.37
"""Middle of the line, in lanes below the middle of the lane: between the bars of the actions and the lane's edge."""

_WIDTHS: Final = {Movement.STILL: 0.025, Movement.SLOW: 0.06, Movement.FAST: 0.11}
"""The faster, the thicker and darker, so that the line reads without colours."""

_HOVER_WIDTH: Final = 0.12
_OWN_LANE: Final = 4.0
"""In a lane of its own, the line is so much thicker."""

_LEAST_S: Final = 0.5
_MOST_SPANS: Final = 400
"""Shorter stretches join their neighbours, and so do those that would not be seen because there are so many."""


class _Line(NamedTuple):
    person_id: int
    span: Span


def movement_lines(timeline: Timeline, axis: TimeAxis) -> list[_Line]:
    """Return the stretches of everyone's movement; none if it was not measured."""
    least_s = max(_LEAST_S, axis.end_s / _MOST_SPANS)
    return [
        _Line(moving.person.person_id, span) for moving in people_moving(timeline) for span in moving.spans(least_s)
    ]


def add_movement(bars: LaneBars, lines: Sequence[_Line], theme: Theme, own_lane: str | None = None) -> list[str]:
    """Add the lines to a chart, and return their names in the legend. Where movement is unknown, only hover text is.

    Args:
        bars: the chart's bars.
        lines: the lines.
        theme: their colours.
        own_lane: name of a lane that has nothing else, for the lines of one person; None draws them in people's lanes.
    """
    thicker, middle = (1.0, _MIDDLE) if own_lane is None else (_OWN_LANE, 0.0)
    names = []
    for rank, movement in enumerate(Movement):
        here = [_bar(line, own_lane) for line in lines if line.span.movement is movement]
        if here:
            names.append(movement.value)
            style = {"name": movement.value, "marker": {"color": theme.movement[rank], "line": {"width": 0}}}
            bars.add(here, style, thicker * _WIDTHS[movement], 3001 + rank, middle)
    if lines:
        # the line is thin: its hover text needs more room, and is there where movement is unknown, too
        unseen = {"name": "movement", "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}}, "showlegend": False}
        bars.add([_bar(line, own_lane) for line in lines], unseen, thicker * _HOVER_WIDTH, 3009, middle)
    return names


def _bar(line: _Line, own_lane: str | None) -> Bar:
    span = line.span
    when = span_in_words(span.start_s, span.end_s)
    if isinstance(span.movement, Unknown):
        hover = f"Person {line.person_id} · movement unknown · {when}<br>{span.movement.value}"
    else:
        speed = "" if span.per_s is None else f"<br>{span.per_s:.2f} body heights per second"
        hover = f"Person {line.person_id} · <b>{span.movement.value}</b> · {when}{speed}"
    return Bar(own_lane or lane_name(line.person_id), span.start_s, span.end_s, hover)
