"""The chart of many videos: bars, shares and words."""

from __future__ import annotations

from typing import Any

from recognizer.palette import ActionPalette, style_of_slot
from recognizer.plots import TimeSpent, time_budgets

SPENT = (
    TimeSpent("1", "yoga", 3600.0),
    TimeSpent("1", "unknown", 9000.0),
    TimeSpent("2", "tai chi", 7200.0),
    TimeSpent("elsewhere", "yoga", 1e6),
)
LANES = {"2": "hall", "1": "<b>yard</b>"}
SEEN_S = {"1": 18000.0, "2": 14400.0}


def bars(figure: dict[str, Any]) -> dict[str, tuple[list[float], list[str]]]:
    return {trace["name"]: (trace["x"], trace["y"]) for trace in figure["data"]}


def test_a_lane_has_a_bar_of_each_action_in_a_fitting_unit() -> None:
    palette = ActionPalette({"yoga": 5})
    figure = time_budgets(SPENT, LANES, SEEN_S, palette)
    assert bars(figure) == {"tai chi": ([2.0], ["2"]), "yoga": ([1.0], ["1"]), "unknown": ([2.5], ["1"])}
    assert [trace["name"] for trace in figure["data"]][-1] == "unknown"
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time of all people (h)"
    assert figure["layout"]["yaxis"]["tickvals"] == ["2", "1"]
    assert figure["layout"]["yaxis"]["ticktext"] == ["hall", "&lt;b&gt;yard&lt;/b&gt;"]
    yoga = next(trace for trace in figure["data"] if trace["name"] == "yoga")
    assert yoga["marker"]["color"] == style_of_slot(5).colour_light
    assert yoga["hovertext"] == ["&lt;b&gt;yard&lt;/b&gt; · <b>yoga</b> · 60.0 min (20.0% of the time in view)"]


def test_shares_are_of_the_time_in_view() -> None:
    figure = time_budgets(SPENT, LANES, {"1": 18000.0}, ActionPalette(), as_shares=True)
    assert bars(figure) == {"tai chi": ([0.0], ["2"]), "yoga": ([20.0], ["1"]), "unknown": ([50.0], ["1"])}
    assert figure["layout"]["xaxis"]["title"]["text"] == "Share of the time in view (%)"
    assert "(" not in figure["data"][0]["hovertext"][0], "no share where it is not known how long people were in view"


def test_nothing_is_drawn_of_nothing() -> None:
    assert time_budgets((), {}, {}, ActionPalette())["data"] == []
