"""Bars along the time axis: what someone does, and when they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from recognizer.palette import ActionPalette
from recognizer.plots.evidence import Evidence
from recognizer.plots.layout import LEGEND_LABEL_CHARS, Theme, as_items, look, plain_label
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.settings import UNKNOWN_ACTION
from recognizer.types import Segment

PRESENT: Final = "present"

MOST_NAMED: Final = 300
"""Bars of one chart with a name inside. A browser measures every name on each redraw: with 5,000 of them that takes
three times as long as all the rest, and there is room for a few dozen."""


def spans(lanes: Sequence[str], starts_s: Sequence[float], ends_s: Sequence[float], axis: TimeAxis) -> dict[str, Any]:
    """Where bars lie: each in its lane, from its start to its end."""
    return {
        "y": as_items(list(lanes)),
        "base": as_items(axis.bases(starts_s)),
        "x": as_items(axis.lengths(starts_s, ends_s)),
        "orientation": "h",
    }


def action_bars(
    action: str,
    rank: int,
    chosen: Sequence[Segment],
    lanes: Sequence[str],
    hovers: Sequence[str],
    axis: TimeAxis,
    palette: ActionPalette,
    dark: bool,
    named_over_s: float = 0.0,
    **more: Any,
) -> go.Bar:
    """All bars of one action.

    Args:
        action: which.
        rank: place in the legend.
        chosen: the segments.
        lanes: the lane of each.
        hovers: the hover text of each.
        axis: of time.
        palette: colours.
        dark: for a dark page.
        named_over_s: longer bars have their action's name inside, where there is room; see ``named_over_s``.
        more: of Plotly's own.
    """
    name = plain_label(action, LEGEND_LABEL_CHARS)
    return go.Bar(
        **spans(lanes, [s.start_s for s in chosen], [s.end_s for s in chosen], axis),
        **look(action, palette, dark),
        width=0.62,
        legendrank=1000 + rank,
        text=as_items([name if segment.duration_s > named_over_s else "" for segment in chosen]),
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        hovertext=as_items(list(hovers)),
        hovertemplate="%{hovertext}<extra></extra>",
        **more,
    )


def named_over_s(segments: Sequence[Segment]) -> float:
    """How long a segment must be to have its name inside: the ``MOST_NAMED`` longest have."""
    if len(segments) <= MOST_NAMED:
        return 0.0
    return sorted((segment.duration_s for segment in segments), reverse=True)[MOST_NAMED]


def presence_bars(visits: Sequence[tuple[str, int, float, float]], axis: TimeAxis, theme: Theme) -> go.Bar:
    """One pale bar for each visit: its lane, ``person_id``, start and end."""
    return go.Bar(
        **spans([lane for lane, _, _, _ in visits], [a for _, _, a, _ in visits], [b for _, _, _, b in visits], axis),
        name=PRESENT,
        marker={"color": theme.presence, "line": {"width": 0}},
        width=0.86,
        legendrank=3000,
        hovertext=[f"Person {p} · present · {span_in_words(a, b)}" for _, p, a, b in visits],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def segment_hover(segment: Segment, evidence: Evidence) -> str:
    """What a segment is, and its five most probable labels."""
    what = "best guess" if segment.action == UNKNOWN_ACTION else "probability"
    lines = [
        f"Person {segment.person_id} · <b>{plain_label(segment.action)}</b> · "
        f"{span_in_words(segment.start_s, segment.end_s)} · {what} {segment.confidence:.2f}",
        *(f"{probability:.2f}  {plain_label(label)}" for label, probability in evidence.top(segment)),
    ]
    return "<br>".join(lines)
