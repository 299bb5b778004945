"""The chart of total time per person and action."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from recognizer.palette import ActionPalette
from recognizer.plots.layout import (
    Figure,
    bar_style,
    by_total_time,
    laid_out,
    lane_name,
    name_lanes,
    plain_label,
    theme_for,
)
from recognizer.timeline.model import Timeline
from recognizer.types import Segment


def time_per_action(
    timeline: Timeline,
    segments: Sequence[Segment],
    palette: ActionPalette,
    *,
    dark: bool = False,
    names: Mapping[int, str] = MappingProxyType({}),
) -> Figure:
    """Return the chart: one stacked bar per person, in seconds, in the colours of ``swimlane``.

    Args:
        timeline: the timeline.
        segments: its segments.
        palette: colours of the actions.
        dark: whether the page is dark.
        names: users' names for people; no two are the same.
    """
    theme = theme_for(dark)

    def who(person_id: int) -> str:
        return plain_label(names.get(person_id, lane_name(person_id)))

    time_s: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for segment in segments:
        time_s[segment.action][segment.person_id] += segment.duration_s
    present_s = {track.person_id: track.present_s for track in timeline.people}
    actions = by_total_time(segments, palette)
    bars = []
    for rank, action in enumerate(actions):
        by_person = sorted(time_s[action].items())
        bars.append(
            {
                "type": "bar",
                "x": [seconds for _, seconds in by_person],
                "y": [lane_name(person_id) for person_id, _ in by_person],
                "orientation": "h",
                **bar_style(action, palette, dark),
                "width": 0.62,
                "legendrank": 1000 + rank,
                "hovertext": [
                    f"{who(person_id)} · <b>{plain_label(action)}</b> · {seconds:.1f} s"
                    + (f" ({seconds / present_s[person_id]:.0%} of presence)" if present_s.get(person_id) else "")
                    for person_id, seconds in by_person
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    lanes = {track.person_id: lane_name(track.person_id) for track in timeline.people}
    figure = laid_out(bars, theme, timeline, list(lanes.values()), actions)
    name_lanes(figure, lanes, names)
    longest_s = max((sum(by.get(p, 0.0) for by in time_s.values()) for p in present_s), default=0.0)
    figure["layout"]["barmode"] = "stack"
    axis = figure["layout"]["xaxis"]
    axis |= {"range": [0, longest_s * 1.02 or 1], "minallowed": 0, "maxallowed": longest_s * 1.02 or 1}
    axis["title"]["text"] = "Time (s)"
    return figure
