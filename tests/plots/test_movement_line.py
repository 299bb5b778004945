"""The line of a person's movement in the timeline chart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from recognizer.comparison.model import Comparison, Entry
from recognizer.palette import ActionPalette
from recognizer.plots import classifier_lanes, swimlane
from recognizer.timeline.model import Timeline
from tests.support.exports import exported, person, still_camera


def timeline(**changes: Any) -> Timeline:
    """Ten seconds of one person who travels at 0.21 heights a second; the camera is unknown from 8 to 9.5 s."""
    one = person(1, 0.0, 10.0)
    camera = still_camera(one, unknown_s=(8.0, 9.5))
    return replace(exported().timeline, people=(one,), predictions=(), camera=camera, analysed_s=10.0, **changes)


def traces(of: Timeline, **options: Any) -> dict[str, Any]:
    figure = swimlane(of, of.segments(), ActionPalette(), **options)
    go.Figure(figure)  # Plotly accepts it
    return {trace["name"]: trace for trace in figure["data"]}


def test_a_line_below_the_bars_tells_how_a_person_moves() -> None:
    slow = traces(timeline())["slow"]
    (start_s, end_s), *rest = [(base, base + x) for base, x in zip(slow["base"], slow["x"], strict=True)]
    assert (start_s, end_s) == pytest.approx((0.1, 8.0), abs=0.5)
    assert slow["y"] == ["Person 1"] * (1 + len(rest))
    lower, width = slow["offset"], slow["width"]
    assert 0.31 <= lower < lower + width <= 0.43  # between the bars of the actions and the edge of presence
    assert "<b>slow</b>" in slow["hovertext"][0]
    assert "0.21 body heights per second" in slow["hovertext"][0]


def test_where_movement_is_unknown_there_is_no_line_and_the_hover_says_why() -> None:
    found = traces(timeline())
    reasons = [text for text in found["movement"]["hovertext"] if "unknown" in text]
    assert any("the camera's motion cannot be measured" in text for text in reasons)
    assert found["movement"]["marker"]["color"] == "rgba(0,0,0,0)"
    assert found["movement"]["showlegend"] is False
    lines = [trace for name, trace in found.items() if name in ("still", "slow", "fast")]
    assert not any(base <= 8.7 < base + x for trace in lines for base, x in zip(trace["base"], trace["x"], strict=True))


def test_a_chart_without_measured_movement_stays_as_it_was() -> None:
    assert set(traces(replace(timeline(), camera=None))) == {"present"}


def test_a_line_is_thicker_and_stands_out_more_the_faster_a_person_is() -> None:
    settings = timeline().settings
    limits = {"still": (0.5, 1.0), "slow": (0.1, 1.0), "fast": (0.0, 0.1)}
    for dark in (False, True):
        lines = [
            traces(timeline(settings=replace(settings, still_below=low, fast_from=high)), dark=dark)[name]
            for name, (low, high) in limits.items()
        ]
        widths = [line["width"] for line in lines]
        assert widths == sorted(set(widths))
        assert len({line["marker"]["color"] for line in lines}) == 3


def test_in_a_comparison_movement_has_a_lane_of_its_own_below_the_agreement() -> None:
    one = timeline()
    entries = tuple(Entry(name, one.settings, timeline=one) for name in ("i3d", "s3d"))
    figure = classifier_lanes(Comparison(entries).lanes(), 1, ActionPalette())
    go.Figure(figure)
    assert figure["layout"]["yaxis"]["categoryarray"] == ["i3d", "s3d", "agreement", "movement"]
    slow = next(trace for trace in figure["data"] if trace["name"] == "slow")
    assert set(slow["y"]) == {"movement"}
    assert "offset" not in slow  # in the middle of its lane
    assert slow["width"] > 2 * traces(timeline())["slow"]["width"]


def test_very_many_stretches_are_drawn_as_outlines() -> None:
    """Regression guard: the outline of a thin line stays at its place below the bars."""
    people = tuple(person(k, 0.0, 10.0) for k in range(1, 201))
    many = replace(timeline(), people=people, camera=still_camera(*people, unknown_s=(4.0, 6.0)))
    figure = swimlane(many, (), ActionPalette())
    outlines = [trace for trace in figure["data"] if trace["type"] == "scatter" and trace["name"] == "slow"]
    strips = [trace for trace in figure["data"] if trace["type"] == "heatmap"]
    assert len(outlines) == 1
    tops = {round(trace["y"][0] % 1, 2) for trace in strips}
    assert len(tops) >= 2  # a strip for presence, and one for the line


def test_the_hover_texts_of_presence_leave_the_line_alone() -> None:
    """Regression: Plotly showed the text of the wider bar whose end was nearer."""
    found = swimlane(timeline(), (), ActionPalette())["data"]
    bands = [trace for trace in found if trace["name"] == "present"]
    assert [band.get("hoverinfo") for band in bands] == ["skip", None]
    line = next(trace for trace in found if trace["name"] == "movement")
    assert bands[1]["offset"] + bands[1]["width"] <= line["offset"]
