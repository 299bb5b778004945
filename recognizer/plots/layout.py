"""Theme, colours, names, legend and lanes, shared by the charts."""

from __future__ import annotations

import html
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognizer.palette import ActionPalette, rgb_of, text_colour_on
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.model import Timeline
from recognizer.types import Segment

Figure: TypeAlias = dict[str, Any]
"""``data`` and ``layout`` for plotly.js. ``plotly.graph_objects.Figure`` accepts it too, but its validation is too slow
for every move of a slider."""

_LANE_PX: Final = 44
_MIN_HEIGHT_PX: Final = 160
_AXIS_PX: Final = 54
_LEGEND_ROW_PX: Final = 20
_LEGEND_PADDING_PX: Final = 18  # measured; with less, Plotly moves the margin
LEGEND_WIDTH_PX: Final = 900  # a guess; on a narrower page, Plotly shrinks the lanes to fit the legend
_TOP_PX: Final = 28  # for Plotly's buttons, which would cover the first lane
_MAX_LEGEND_PX: Final = 160
LEGEND_LABEL_CHARS: Final = 40
_HOVER_LABEL_CHARS: Final = 120
AXIS_NAME_CHARS: Final = 17
"""Longer names of lanes would leave too little room for the bars in a narrow window."""

_AXIS_CHAR_PX: Final = 6.2  # in Streamlit's font; for a wider font Plotly shrinks the bars
_AXIS_NAME_PADDING_PX: Final = 16
FONT: Final = "Source Sans, Source Sans Pro, system-ui, sans-serif"
"""Streamlit's own font if available; never one that must be downloaded."""


@dataclass(frozen=True)
class Theme:
    """Colours of everything except the actions."""

    text: str
    grid: str
    presence: str
    not_analysed: str
    plate: str
    agree: str
    disagree: str
    movement: tuple[str, str, str]
    """Still, slow, fast."""


_LIGHT: Final = Theme(
    text="#1D2A30",
    grid="rgba(29,42,48,0.12)",
    presence="#E4DFD5",
    not_analysed="rgba(29,42,48,0.07)",
    plate="#FFFFFF",
    agree="#BFC6C4",
    disagree="#1D2A30",
    movement=("#A39C8E", "#6B6F6C", "#1D2A30"),
)
_DARK: Final = Theme(
    text="#E9E4DA",
    grid="rgba(233,228,218,0.14)",
    presence="#33404A",
    not_analysed="rgba(233,228,218,0.08)",
    plate="#202A31",
    agree="#4B5962",
    disagree="#F4EFE4",
    movement=("#70808A", "#A9B0B0", "#F4EFE4"),
)


def theme_for(dark: bool) -> Theme:
    """Return the theme of a light or a dark page."""
    return _DARK if dark else _LIGHT


def by_total_time(segments: Iterable[Segment], palette: ActionPalette) -> list[str]:
    """Return the actions by total time, the longest first and ``unknown`` last, and assign colours in this order."""
    total_s: dict[str, float] = defaultdict(float)
    for segment in segments:
        total_s[segment.action] += segment.duration_s
    actions = sorted(total_s, key=lambda action: (action == UNKNOWN_ACTION, -total_s[action], action))
    palette.assign(actions)
    return actions


def lane_name(person_id: int) -> str:
    """Return a person's name on the vertical axis."""
    return f"Person {person_id}"


def name_lanes(figure: Figure, lanes: Mapping[int, str], names: Mapping[int, str]) -> None:
    """Write users' names of people next to their lanes; a lane stays apart even if its name is that of another."""
    if names:
        shown = [plain_label(names.get(person_id, lane), AXIS_NAME_CHARS) for person_id, lane in lanes.items()]
        figure["layout"]["yaxis"] |= {"tickvals": list(lanes.values()), "ticktext": shown}


@lru_cache(maxsize=4096)
def plain_label(label: str, longest: int = _HOVER_LABEL_CHARS) -> str:
    """Escape a label so that Plotly shows it literally: no markup, no line breaks, no formula between dollar signs."""
    line = " ".join(label.split())
    if len(line) > longest:
        line = f"{line[: longest - 1].rstrip()}…"
    return html.escape(line).replace("$", "&#36;").replace("&#x27;", "&#39;")


def as_bytes(values: NDArray[np.float64]) -> dict[str, str]:
    """Encode a large array for plotly.js, which decodes it."""
    shape = {"shape": ",".join(map(str, values.shape))} if values.ndim > 1 else {}
    return {"dtype": "f8", "bdata": b64encode(values.astype("<f8").tobytes()).decode("ascii"), **shape}


def bar_style(action: str, palette: ActionPalette, dark: bool) -> dict[str, Any]:
    """Return name, colour, pattern and text colour of the bars of one action."""
    style = palette.style(action)
    colour = style.colour(dark)
    text = text_colour_on(rgb_of(colour))
    return {
        "name": plain_label(action, LEGEND_LABEL_CHARS),
        "marker": {
            "color": colour,
            "line": {"width": 0},
            "pattern": {
                "shape": style.pattern,
                "fillmode": "overlay",
                "fgcolor": "rgb({},{},{})".format(*text),
                "fgopacity": 0.4,
                "size": 7,
                "solidity": 0.22,
            },
        },
        "insidetextfont": {"color": "rgb({},{},{})".format(*text), "size": 13},
    }


def laid_out(
    traces: Sequence[Mapping[str, Any]],
    theme: Theme,
    timeline: Timeline | None,
    lanes: Sequence[str],
    legend: Sequence[str],
    legend_width_px: int = LEGEND_WIDTH_PX,
) -> Figure:
    """Return a figure of these traces with the common layout: lanes from the top, size, colours, legend below."""
    # Plotly arranges the legend in columns as wide as its longest name, unless it fits on one line
    widths_px = [52 + 8 * min(len(name), LEGEND_LABEL_CHARS) for name in legend]
    columns = max(1, legend_width_px // max(widths_px, default=legend_width_px))
    rows = 1 if sum(widths_px) <= legend_width_px else -(-len(legend) // columns)
    legend_px = min(_MAX_LEGEND_PX, rows * _LEGEND_ROW_PX + _LEGEND_PADDING_PX)
    names_px = _AXIS_NAME_PADDING_PX + _AXIS_CHAR_PX * min(AXIS_NAME_CHARS, max(map(len, lanes), default=0))
    height = max(_MIN_HEIGHT_PX, _TOP_PX + _LANE_PX * len(lanes) + _AXIS_PX + legend_px)
    layout: dict[str, Any] = {
        "template": "none",
        "height": height,
        # if these margins suffice, Plotly draws once; otherwise it draws everything again
        "margin": {"l": round(names_px), "r": 16, "t": _TOP_PX, "b": _AXIS_PX + legend_px},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": theme.text},
        "hoverlabel": {
            "bgcolor": theme.plate,
            "bordercolor": theme.grid,
            "font": {"family": FONT, "size": 13, "color": theme.text},
            "align": "left",
            "namelength": -1,
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme.text, "activecolor": theme.text},
        "hovermode": "closest",
        "dragmode": "zoom",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -_AXIS_PX / (height - _TOP_PX - _AXIS_PX - legend_px),
            "yanchor": "top",
            "traceorder": "normal",
            "itemsizing": "constant",
            "maxheight": _MAX_LEGEND_PX,
        },
        # constant for one video, or a chart of all, so that the zoom and hidden legend entries survive a redraw
        "uirevision": "all" if timeline is None else timeline.video.sha256 or "live",
        "xaxis": {
            "gridcolor": theme.grid,
            "zeroline": False,
            "showline": True,
            "linecolor": theme.grid,
            "ticks": "outside",
            "tickcolor": theme.grid,
            "exponentformat": "none",
            "title": {"standoff": 8, "font": {"size": 13}},
        },
        "yaxis": {
            "categoryorder": "array",
            "categoryarray": list(lanes),
            "range": [max(len(lanes), 1) - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "ticklabelstandoff": 6,
        },
    }
    if not lanes:
        layout["yaxis"]["visible"] = False
        layout["annotations"] = [
            {
                "text": "no people found",
                "showarrow": False,
                "x": 0.5,
                "y": 0.5,
                "xref": "x domain",
                "yref": "y domain",
                "font": {"color": theme.text, "size": 14},
            }
        ]
    return {"data": list(traces), "layout": layout}
