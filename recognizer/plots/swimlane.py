"""The timeline chart: one lane per person."""

from __future__ import annotations

from collections.abc import Sequence

from recognizer.palette import ActionPalette
from recognizer.plots.bars import PRESENT, LaneBars, presence_bar, segment_bars
from recognizer.plots.hovers import segment_hovers
from recognizer.plots.layout import LEGEND_WIDTH_PX, Figure, Theme, by_total_time, laid_out, lane_name, theme_for
from recognizer.plots.movement_line import add_movement, movement_lines
from recognizer.plots.time_axis import TimeAxis
from recognizer.timeline.model import Timeline
from recognizer.types import Segment


def swimlane(
    timeline: Timeline,
    segments: Sequence[Segment],
    palette: ActionPalette,
    *,
    dark: bool = False,
    legend_width_px: int = LEGEND_WIDTH_PX,
) -> Figure:
    """Return the chart: one lane per person, the first on top; a bar per segment in front of pale bars for presence.

    Below the bars, a thin line tells where the person is still, slow or fast; where that is unknown, there is none.

    Only the horizontal axis zooms. From LONG_VIDEO_S on, it is Plotly's date axis, so that its ticks show minutes and
    seconds at every zoom; ``time_on_axis`` converts a time to a value of the axis.

    Args:
        timeline: the result of an analysis.
        segments: segments of this timeline.
        palette: colours of the actions; new actions get colours in the order of the legend.
        dark: whether the page is dark.
        legend_width_px: approximate width available for the legend.
    """
    theme = theme_for(dark)
    axis = TimeAxis(timeline)
    people = {track.person_id for track in timeline.people}
    rows = [
        (lane_name(segment.person_id), segment, hover)
        for segment, hover in zip(segments, segment_hovers(timeline, segments), strict=True)
        if segment.person_id in people
    ]
    actions = by_total_time((segment for _, segment, _ in rows), palette)
    names = [lane_name(track.person_id) for track in timeline.people]
    lines = movement_lines(timeline, axis)
    bars = LaneBars(names, axis, max(len(rows), len(lines)), has_line=bool(lines))
    visits = [
        presence_bar(lane_name(track.person_id), track.person_id, start_s, end_s)
        for track in timeline.people
        for start_s, end_s in track.presence
    ]
    bars.add_presence(visits, theme)
    of_action = segment_bars(rows)
    for rank, action in enumerate(actions):
        bars.add_action(action, rank, of_action[action], palette, dark)
    movements = add_movement(bars, lines, theme)
    figure = laid_out(bars.traces(), theme, timeline, names, [*actions, PRESENT, *movements], legend_width_px)
    bars.finish(figure, names)
    if not timeline.complete and timeline.analysed_s < axis.end_s:
        _shade_rest(figure, theme, axis, timeline.analysed_s)
    return figure


def _shade_rest(figure: Figure, theme: Theme, axis: TimeAxis, analysed_s: float) -> None:
    """Shade the time that was not analysed. The note is above the lanes, because the shaded area may be narrow."""
    x0, x1 = axis.value(analysed_s), axis.value(axis.end_s)
    layout = figure["layout"]
    layout["shapes"] = [
        {
            "type": "rect",
            "x0": x0,
            "x1": x1,
            "y0": 0,
            "y1": 1,
            "yref": "y domain",
            "fillcolor": theme.not_analysed,
            "line": {"width": 0},
            "layer": "below",
        }
    ]
    note = {
        "x": x1,
        "xanchor": "right",
        "y": 1,
        "yref": "y domain",
        "yanchor": "bottom",
        "text": "not analysed",
        "showarrow": False,
        "font": {"color": theme.text, "size": 12},
    }
    layout["annotations"] = [*layout.get("annotations", ()), note]
