"""The chart of actions in bins of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from recognizer.palette import ActionPalette
from recognizer.plots.layout import Figure, bar_style, by_total_time, laid_out, plain_label, theme_for
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.timeline.model import Timeline
from recognizer.timeline.summaries import BinRow
from recognizer.types import Segment

_PLOT_PX: Final = 220
_LEFT_PX: Final = 56


def time_in_bins(
    timeline: Timeline,
    segments: Sequence[Segment],
    rows: Sequence[BinRow],
    palette: ActionPalette,
    *,
    dark: bool = False,
) -> Figure:
    """Return the chart: one stacked bar per bin, in seconds of all people together, in the colours of ``swimlane``.

    Args:
        timeline: the timeline, for its time.
        segments: the segments of the rows, which order the actions.
        rows: from ``summaries.in_bins``.
        palette: colours of the actions.
        dark: whether the page is dark.
    """
    theme, axis = theme_for(dark), TimeAxis(timeline)
    total_s: dict[str, dict[tuple[float, float], float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        total_s[row.action][row.start_s, row.end_s] += row.total_s
    actions = [action for action in by_total_time(segments, palette) if action in total_s]
    bars = []
    for rank, action in enumerate(actions):
        bins = sorted(total_s[action])
        starts_s, ends_s = [start_s for start_s, _ in bins], [end_s for _, end_s in bins]
        bars.append(
            {
                "type": "bar",
                "x": axis.bases(starts_s),
                "y": [total_s[action][one] for one in bins],
                "width": axis.lengths(starts_s, ends_s),
                "offset": 0,
                **bar_style(action, palette, dark),
                "legendrank": 1000 + rank,
                "hovertext": [
                    f"<b>{plain_label(action)}</b> · {total_s[action][one]:.1f} s<br>in {span_in_words(*one)}"
                    for one in bins
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    figure = laid_out(bars, theme, timeline, [""], actions)
    layout = figure["layout"]
    height = layout["height"] + _PLOT_PX
    layout |= {"barmode": "stack", "bargap": 0, "height": height}
    layout["legend"]["y"] = -layout["margin"]["b"] / (height - layout["margin"]["b"] - layout["margin"]["t"]) / 2
    layout["margin"]["l"] = _LEFT_PX
    layout["yaxis"] = {
        "title": {"text": "Time, all people together (s)", "standoff": 8, "font": {"size": 13}},
        "gridcolor": theme.grid,
        "rangemode": "tozero",
        "fixedrange": True,
        "zeroline": False,
        "automargin": True,
    }
    axis.finish(layout["xaxis"])
    return figure
