"""Who does what, when: one lane a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from recognizer.palette import ActionPalette
from recognizer.plots.evidence import Evidence
from recognizer.plots.layout import (
    LEGEND_LABEL_CHARS,
    LEGEND_WIDTH_PX,
    TOP_PX,
    Theme,
    as_items,
    by_total_time,
    lane_name,
    lay_out,
    look,
    plain_label,
    theme_for,
)
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline import Timeline
from recognizer.types import Segment

_PRESENT: Final = "present"
_NOTE_PX: Final = 18


def swimlane(
    timeline: Timeline,
    segments: Sequence[Segment],
    palette: ActionPalette,
    *,
    dark: bool = False,
    people: Sequence[int] | None = None,
    legend_width_px: int = LEGEND_WIDTH_PX,
) -> go.Figure:
    """Who does what, when: one lane a person, the first on top; a bar for each segment, presence as a pale bar behind.

    ``customdata`` of a bar is ``[index in segments, person_id, start_s]``. The horizontal axis zooms, the lanes stay.
    On videos from LONG_VIDEO_S on the axis is Plotly's date axis, so that its ticks read minutes and seconds at every
    zoom; ``time_on_axis`` gives a time as such a chart wants it.

    Args:
        timeline: what was analysed.
        segments: of the same timeline.
        palette: colours of the actions; new actions take theirs in the order of the legend.
        dark: for a dark page.
        people: the people to show, from top to bottom; None for everyone.
        legend_width_px: how wide the page lets the legend be, about.
    """
    theme = theme_for(dark)
    axis = TimeAxis(timeline)
    shown = [track.person_id for track in timeline.people] if people is None else list(people)
    indices: dict[str, list[int]] = defaultdict(list)
    lanes = set(shown)
    for index, segment in enumerate(segments):
        if segment.person_id in lanes:
            indices[segment.action].append(index)
    actions = by_total_time((segments[k] for ks in indices.values() for k in ks), palette)

    bars = [_presence_bars(timeline, shown, axis, theme)]
    evidence = Evidence(timeline.predictions)
    for rank, action in enumerate(actions):
        chosen = [segments[k] for k in indices[action]]
        bars.append(
            go.Bar(
                **_spans([s.person_id for s in chosen], [s.start_s for s in chosen], [s.end_s for s in chosen], axis),
                **look(action, palette, dark),
                width=0.62,
                legendrank=1000 + rank,
                customdata=as_items([[k, segments[k].person_id, segments[k].start_s] for k in indices[action]]),
                text=plain_label(action, LEGEND_LABEL_CHARS),
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                hovertext=as_items([_hover(segment, evidence) for segment in chosen]),
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    figure = go.Figure(bars)
    lay_out(figure, theme, timeline, shown, [*actions, _PRESENT], legend_width_px)
    figure.update_layout(barmode="overlay", uniformtext={"minsize": 11, "mode": "hide"})
    figure.update_xaxes(**axis.layout())
    if not timeline.complete and timeline.analysed_s < axis.end_s:
        _shade_rest(figure, theme, axis, timeline.analysed_s)
    return figure


def _presence_bars(timeline: Timeline, people: Sequence[int], axis: TimeAxis, theme: Theme) -> go.Bar:
    """One pale bar for each visit of each person."""
    tracks = {track.person_id: track for track in timeline.people}
    visits = [
        (person_id, *visit) for person_id in people if person_id in tracks for visit in tracks[person_id].presence
    ]
    return go.Bar(
        **_spans([p for p, _, _ in visits], [a for _, a, _ in visits], [b for _, _, b in visits], axis),
        name=_PRESENT,
        marker={"color": theme.presence, "line": {"width": 0}},
        width=0.86,
        legendrank=3000,
        hovertext=[f"Person {p} · present · {span_in_words(a, b)}" for p, a, b in visits],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _shade_rest(figure: go.Figure, theme: Theme, axis: TimeAxis, analysed_s: float) -> None:
    """Shade what was not analysed; its name stands above, because the shade may be narrow."""
    x0, x1 = axis.value(analysed_s), axis.value(axis.end_s)
    figure.add_shape(
        type="rect", x0=x0, x1=x1, y0=0, y1=1, yref="y domain", fillcolor=theme.not_analysed, line_width=0,
        layer="below",
    )  # fmt: skip
    figure.add_annotation(
        x=x1, xanchor="right", y=1, yref="y domain", yanchor="bottom", text="not analysed", showarrow=False,
        font={"color": theme.text, "size": 12},
    )  # fmt: skip
    figure.update_layout(height=figure.layout.height + _NOTE_PX, margin_t=TOP_PX + _NOTE_PX)


def _hover(segment: Segment, evidence: Evidence) -> str:
    what = "best guess" if segment.action == UNKNOWN_ACTION else "probability"
    lines = [
        f"Person {segment.person_id} · <b>{plain_label(segment.action)}</b> · "
        f"{span_in_words(segment.start_s, segment.end_s)} · {what} {segment.confidence:.2f}",
        *(f"{probability:.2f}  {plain_label(label)}" for label, probability in evidence.top(segment)),
    ]
    return "<br>".join(lines)


def _spans(people: Sequence[int], starts_s: Sequence[float], ends_s: Sequence[float], axis: TimeAxis) -> dict[str, Any]:
    return {
        "y": [lane_name(person_id) for person_id in people],
        "base": axis.bases(starts_s),
        "x": axis.lengths(starts_s, ends_s),
        "orientation": "h",
    }
