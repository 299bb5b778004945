"""Bars along the time axis: actions and presence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.palette import ActionPalette
from recognizer.plots.layout import LEGEND_LABEL_CHARS, Figure, Theme, as_bytes, bar_style, plain_label
from recognizer.plots.time_axis import TimeAxis, span_in_words
from recognizer.types import Segment

PRESENT: Final = "present"

MOST_BARS: Final = 500
"""A chart with more bars has one outline per colour: a browser takes half a second to draw 5,000 separate bars."""

MOST_NAMED: Final = 100
"""If there are more than MOST_BARS bars, only this many have a name inside. A browser measures every name each time it
draws the chart, and there is room for a few dozen."""

_PRESENCE_WIDTH: Final = 0.86
_ACTION_WIDTH: Final = 0.62
_ABOVE_LINE: Final = (0.74, -0.06)
"""Width and middle of a lane without the line at its lower edge, in lanes."""


class Bar(NamedTuple):
    """One bar.

    Attributes:
        lane: name of its lane.
        start_s: its start.
        end_s: its end.
        hover: its hover text.
        name: text inside the bar, if there is room.
    """

    lane: str
    start_s: float
    end_s: float
    hover: str
    name: str = ""


def segment_bars(rows: Sequence[tuple[str, Segment, str]]) -> dict[str, list[Bar]]:
    """Return the bars of each action, from rows of lane, segment and hover text."""
    longest_s = sorted((segment.duration_s for _, segment, _ in rows), reverse=True)
    named_over_s = longest_s[MOST_NAMED] if len(rows) > MOST_BARS else 0.0
    by_action: dict[str, list[Bar]] = defaultdict(list)
    for lane, segment, hover in rows:
        name = plain_label(segment.action, LEGEND_LABEL_CHARS) if segment.duration_s > named_over_s else ""
        by_action[segment.action].append(Bar(lane, segment.start_s, segment.end_s, hover, name))
    return by_action


class LaneBars:
    """Draws bars in lanes, one colour after the other.

    If there are more than MOST_BARS bars, the nameless bars of one colour are drawn as one outline, and an invisible
    strip along each lane has all the hover texts. The chart looks the same, even zoomed in to a single bar, but the
    hover texts of a colour stay when the legend hides it.

    Args:
        lanes: names of the lanes, from top to bottom.
        axis: the time axis.
        count: approximate number of bars.
        has_line: whether something is drawn at the lower edge of the lanes, which keeps its own hover texts there:
            Plotly would choose between overlapping bars by the nearest end.
    """

    def __init__(self, lanes: Sequence[str], axis: TimeAxis, count: int, *, has_line: bool = False) -> None:
        self._lanes = lanes
        self._axis = axis
        self._is_outlined = count > MOST_BARS
        self._has_line = has_line
        self._hover_place = _ABOVE_LINE if has_line else (_PRESENCE_WIDTH, 0.0)
        self._number = {lane: number for number, lane in enumerate(lanes)}
        self._place: Mapping[str, str | int] = self._number if self._is_outlined else {lane: lane for lane in lanes}
        self._traces: list[dict[str, Any]] = []
        self._hover_bars: dict[tuple[str, float, float], list[Bar]] = defaultdict(list)

    def add_presence(self, bars: Sequence[Bar], theme: Theme) -> None:
        """Add pale bars behind the bars of the actions; call this first."""
        style = {"name": PRESENT, "marker": {"color": theme.presence, "line": {"width": 0}}}
        if self._has_line and not self._is_outlined:
            shared = {"legendgroup": PRESENT}
            self._add_bars(bars, style | shared, _PRESENCE_WIDTH, 3000, hovers=False)
            unseen = {"name": PRESENT, "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}}, "showlegend": False}
            width, lower = _ABOVE_LINE
            self._add_bars(bars, unseen | shared, width, 3000, lower)
            return
        self._add_bars(bars, style, _PRESENCE_WIDTH, 3000)
        self._add_hovers(bars, *self._hover_place)

    def add_action(self, action: str, rank: int, bars: Sequence[Bar], palette: ActionPalette, dark: bool) -> None:
        """Add all bars of one action; ``rank`` is its place in the legend."""
        self.add(bars, bar_style(action, palette, dark), _ACTION_WIDTH, 1000 + rank)

    def add(
        self, bars: Sequence[Bar], style: Mapping[str, Any], width: float, legendrank: int, lower: float = 0.0
    ) -> None:
        """Add all bars of one colour; their middle is ``lower`` lanes below that of the lane."""
        if not self._is_outlined:
            self._add_bars(bars, style, width, legendrank, lower)
            return
        self._add_hovers(bars, *((width, lower) if lower else self._hover_place))
        # the legend shows a separate bar, so there must be one
        longest = max(bars, key=lambda bar: bar.end_s - bar.start_s, default=None)
        separate = [bar for bar in bars if bar.name or bar is longest]
        self._add_bars(separate, style, width, legendrank, lower)
        if outlined := [bar for bar in bars if not bar.name and bar is not longest]:
            self._traces.append(self._outline(outlined, style, width, lower))

    def traces(self) -> list[dict[str, Any]]:
        """Return the traces added so far."""
        return [*self._traces, *self._strips()]

    def finish(self, figure: Figure, names: Sequence[str]) -> None:
        """Complete the layout of a figure of these traces: bars in front of one another, lane names, time axis."""
        layout = figure["layout"]
        layout |= {"barmode": "overlay", "uniformtext": {"minsize": 11, "mode": "hide"}}
        lanes = layout["yaxis"]
        lanes |= {"tickvals": [self._place[lane] for lane in self._lanes], "ticktext": list(names)}
        if self._is_outlined:
            lanes |= {"type": "linear", "categoryorder": None, "categoryarray": None, "ticks": ""}
        self._axis.finish(layout["xaxis"])

    def _add_bars(
        self,
        bars: Sequence[Bar],
        style: Mapping[str, Any],
        width: float,
        legendrank: int,
        lower: float = 0.0,
        *,
        hovers: bool = True,
    ) -> None:
        starts_s, ends_s = _times_s(bars)
        more: dict[str, Any] = {}
        if any(bar.name for bar in bars):
            more |= {
                "text": [bar.name for bar in bars],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
            }
        if self._is_outlined:
            more |= {"legendgroup": style["name"], "hoverinfo": "skip"}
        elif not hovers:
            more |= {"hoverinfo": "skip"}
        else:
            more |= {
                "hovertext": [bar.hover for bar in bars],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        self._traces.append(
            {
                "type": "bar",
                "y": [self._place[bar.lane] for bar in bars],
                "base": self._axis.bases(starts_s),
                "x": self._axis.lengths(starts_s, ends_s),
                "orientation": "h",
                **style,
                "width": width,
                **({"offset": lower - width / 2} if lower else {}),
                "legendrank": legendrank,
                **more,
            }
        )

    def _outline(self, bars: Sequence[Bar], style: Mapping[str, Any], width: float, lower: float) -> dict[str, Any]:
        """Return an outline of all bars as one line, which connects the bars of a lane along their edge."""
        xs, ys = [], []
        for lane, in_lane in _by_lane(bars):
            starts, ends = (self._axis.numbers(times_s) for times_s in _times_s(in_lane))
            near, far = self._edges(lane, width, lower)
            # two opposite corners of each bar; Plotly adds the steps between them. Then back to the start and a gap
            xs.append(np.concatenate((np.column_stack((starts, ends)).ravel(), [starts[0], np.nan])))
            ys.append(np.concatenate((np.tile((far, near), len(in_lane)), [near, np.nan])))
        marker = style["marker"]
        return {
            "type": "scatter",
            "x": as_bytes(np.concatenate(xs)),
            "y": as_bytes(np.concatenate(ys)),
            "mode": "none",
            "line": {"shape": "hv", "simplify": False},
            "fill": "toself",
            "fillcolor": marker["color"],
            **({"fillpattern": marker["pattern"]} if "pattern" in marker else {}),
            "name": style["name"],
            "legendgroup": style["name"],
            "showlegend": False,
            "hoverinfo": "skip",
        }

    def _add_hovers(self, bars: Iterable[Bar], width: float, lower: float) -> None:
        """Record bars for the strips; where two overlap, the strip has the hover text of the last one."""
        if self._is_outlined:
            for bar in bars:
                self._hover_bars[bar.lane, width, lower].append(bar)

    def _strips(self) -> Iterator[dict[str, Any]]:
        for place, bars in self._hover_bars.items():
            starts_s, ends_s = _times_s(bars)
            edges_s = np.unique(np.concatenate((starts_s, ends_s)))
            here = np.full(len(edges_s) - 1, -1)
            firsts, pasts = np.searchsorted(edges_s, starts_s), np.searchsorted(edges_s, ends_s)
            for number, (first, past) in enumerate(zip(firsts.tolist(), pasts.tolist(), strict=True)):
                here[first:past] = number
            yield {
                "type": "heatmap",
                "x": as_bytes(self._axis.numbers(edges_s)),
                "y": self._edges(*place),
                "z": as_bytes(np.where(here < 0, np.nan, 0.0)[None, :]),
                "zmin": 0,
                "zmax": 1,
                "colorscale": ((0, "rgba(0,0,0,0)"), (1, "rgba(0,0,0,0)")),
                "showscale": False,
                "hoverongaps": False,
                "hovertext": [[bars[number].hover if number >= 0 else "" for number in here.tolist()]],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }

    def _edges(self, lane: str, width: float, lower: float = 0.0) -> tuple[float, float]:
        middle = self._number[lane] + lower
        return middle - width / 2, middle + width / 2


def _times_s(bars: Sequence[Bar]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([bar.start_s for bar in bars]), np.array([bar.end_s for bar in bars])


def _by_lane(bars: Iterable[Bar]) -> Iterable[tuple[str, list[Bar]]]:
    lanes: dict[str, list[Bar]] = defaultdict(list)
    for bar in bars:
        lanes[bar.lane].append(bar)
    return lanes.items()


def presence_bar(lane: str, person_id: int, start_s: float, end_s: float) -> Bar:
    """Return a bar for one visit of a person."""
    return Bar(lane, start_s, end_s, f"Person {person_id} · present · {span_in_words(start_s, end_s)}")
