"""The chart of many videos: time per action in each group, or in each video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from recognizer.palette import ActionPalette
from recognizer.plots.layout import AXIS_NAME_CHARS, Figure, bar_style, laid_out, plain_label, theme_for
from recognizer.settings import UNKNOWN_ACTION

_UNITS: Final = ((2 * 3600.0, 3600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s"))
"""From how many seconds on a unit is used, its seconds, and its sign."""


class TimeSpent(NamedTuple):
    """Time spent on one action in one lane.

    Attributes:
        lane: identifies a group or a video.
        action: the action.
        time_s: seconds.
    """

    lane: str
    action: str
    time_s: float


def time_budgets(
    spent: Sequence[TimeSpent],
    lanes: Mapping[str, str],
    seen_s: Mapping[str, float],
    palette: ActionPalette,
    *,
    as_shares: bool = False,
    dark: bool = False,
) -> Figure:
    """Return the chart: one stacked bar per lane, in the colours that the actions have everywhere.

    Args:
        spent: what was done.
        lanes: what each lane is called, from top to bottom; what was done elsewhere is left out.
        seen_s: for how long people are in view in each lane, all together.
        palette: colours of the actions.
        as_shares: in percent of ``seen_s`` instead of time.
        dark: whether the page is dark.
    """
    by_action: dict[str, dict[str, float]] = defaultdict(dict)
    for one in spent:
        if one.lane in lanes:
            by_action[one.action][one.lane] = one.time_s
    actions = sorted(by_action, key=lambda name: (name == UNKNOWN_ACTION, -sum(by_action[name].values()), name))
    palette.assign(actions)
    longest_s = max((sum(of.get(lane, 0.0) for of in by_action.values()) for lane in lanes), default=0.0)
    unit_s, unit = next((unit_s, unit) for from_s, unit_s, unit in _UNITS if longest_s >= from_s)

    def length(lane: str, time_s: float) -> float:
        return 100 * time_s / seen_s[lane] if as_shares and seen_s.get(lane) else 0.0 if as_shares else time_s / unit_s

    bars = [
        {
            "type": "bar",
            "x": [length(lane, time_s) for lane, time_s in by_action[action].items()],
            "y": list(by_action[action]),
            "orientation": "h",
            **bar_style(action, palette, dark),
            "width": 0.62,
            "legendrank": 1000 + rank,
            "hovertext": [
                _hover(lanes[lane], action, time_s, seen_s.get(lane, 0.0)) for lane, time_s in by_action[action].items()
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for rank, action in enumerate(actions)
    ]
    names = [plain_label(name, AXIS_NAME_CHARS) for name in lanes.values()]
    figure = laid_out(bars, theme_for(dark), None, names, actions)
    figure["layout"]["barmode"] = "stack"
    figure["layout"]["yaxis"] |= {"categoryarray": list(lanes), "tickvals": list(lanes), "ticktext": names}
    most = max((sum(length(lane, of.get(lane, 0.0)) for of in by_action.values()) for lane in lanes), default=0.0)
    axis = figure["layout"]["xaxis"]
    axis |= {"range": [0, most * 1.02 or 1], "minallowed": 0, "maxallowed": most * 1.02 or 1}
    axis["title"]["text"] = "Share of the time in view (%)" if as_shares else f"Time of all people ({unit})"
    return figure


def _hover(lane: str, action: str, time_s: float, seen_s: float) -> str:
    share = f" ({time_s / seen_s:.1%} of the time in view)" if seen_s else ""
    return f"{plain_label(lane)} · <b>{plain_label(action)}</b> · {_in_words(time_s)}{share}"


def _in_words(time_s: float) -> str:
    unit_s, unit = next((unit_s, unit) for from_s, unit_s, unit in _UNITS if time_s >= from_s)
    return f"{time_s / unit_s:.1f} {unit}"
