"""The charts and their colours."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray

from recognizer.palette import (
    PAGE_LIGHT,
    PATTERNS,
    UNKNOWN_STYLE,
    ActionPalette,
    contrast,
    rgb_of,
    style_of_slot,
    text_colour_on,
)
from recognizer.plots import swimlane, time_on_axis, time_per_action
from recognizer.plots.bars import MOST_BARS, MOST_NAMED
from recognizer.plots.time_axis import TimeAxis
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, Reading, Segment, VideoInfo

PAGE_DARK = "#141B20"
"""Background of the dark page; the dark tones are chosen for it."""


def track(person_id: int, *presence: tuple[float, float]) -> PersonTrack:
    return PersonTrack(person_id, np.empty(0), np.empty((0, 4), np.float32), np.empty(0, np.float32), presence)


def make_timeline(**changes: Any) -> Timeline:
    timeline = Timeline(
        video=VideoInfo("ab" * 32, 640, 360, Fraction(10), 12.0, 100, "h264"),
        settings=Settings(),
        people=(track(1, (0.0, 4.0), (6.0, 8.0)), track(2, (3.0, 10.0))),
        predictions=(
            Prediction(1, 0.0, 2.0, (("tai chi", 0.9), ("yoga", 0.1)), "i3d"),
            Prediction(1, 1.0, 3.0, (("tai chi", 0.6), ("jogging", 0.4)), "i3d"),
            Prediction(1, 6.0, 8.0, (("jogging", 0.2), ("yoga", 0.1)), "i3d"),
            Prediction(2, 3.0, 9.0, (("jogging", 0.8), ("yoga", 0.2)), "i3d"),
        ),
        frame_times_s=np.arange(100) / 10,
        analysed_s=10.0,
        complete=True,
    )
    return replace(timeline, **changes)


def draw(timeline: Timeline, min_confidence: float = 0.3, **options: Any) -> dict[str, Any]:
    """Return the swimlane as the browser receives it."""
    figure = swimlane(timeline, timeline.segments(min_confidence), ActionPalette(), **options)
    drawn: dict[str, Any] = json.loads(json.dumps(figure, allow_nan=False))
    return drawn


def test_one_lane_a_person_and_one_trace_an_action_with_unknown_last() -> None:
    figure = draw(make_timeline())
    assert [trace["name"] for trace in figure["data"]] == ["present", "jogging", "tai chi", "unknown"]
    present, jogging, tai_chi, unknown = figure["data"]
    assert (present["y"], present["base"], present["x"]) == (["Person 1", "Person 1", "Person 2"], [0, 6, 3], [4, 2, 7])
    assert (jogging["y"], jogging["base"], jogging["x"]) == (["Person 2"], [3], [6])
    assert (tai_chi["y"], tai_chi["base"], tai_chi["x"]) == (["Person 1"], [0], [3])
    assert (unknown["y"], unknown["base"], unknown["x"]) == (["Person 1"], [6], [2])
    ranks = [trace["legendrank"] for trace in figure["data"]]
    assert ranks[1] < ranks[2] < ranks[3] < ranks[0], "presence is drawn first and named last"


def test_axis_counts_seconds_from_zero_and_only_time_zooms() -> None:
    layout = draw(make_timeline())["layout"]
    assert layout["xaxis"]["range"] == [0, 10], "what was decoded, not the container's 12 s"
    assert layout["xaxis"]["title"]["text"] == "Time (s)"
    assert layout["yaxis"]["fixedrange"] is True
    assert layout["yaxis"]["categoryarray"] == ["Person 1", "Person 2"]
    assert layout["yaxis"]["range"] == [1.5, -0.5], "person 1 on top"


def test_hover_describes_the_segment_and_lists_mean_probabilities() -> None:
    figure = draw(make_timeline())
    # tai chi from 0 to 3 s: the first clip decides 1.5 s of it and the second the other 1.5 s
    assert figure["data"][2]["hovertext"] == [
        "Person 1 · <b>tai chi</b> · 0.0 s – 3.0 s (3.0 s) · probability 0.75"
        "<br>0.75  tai chi<br>0.20  jogging<br>0.05  yoga"
    ]
    assert figure["data"][3]["hovertext"][0].startswith(
        "Person 1 · <b>unknown</b> · 6.0 s – 8.0 s (2.0 s) · best guess 0.20<br>0.20  jogging"
    )
    assert figure["data"][0]["hovertext"][1] == "Person 1 · present · 6.0 s – 8.0 s (2.0 s)"


def test_hover_names_the_second_label_where_two_are_close() -> None:
    said = ((("counting money", 0.34), ("reading book", 0.3)), (("tai chi", 0.9), ("yoga", 0.05)))
    predictions = tuple(Prediction(1, 2.0 * k, 2.0 * k + 2, top, "i3d") for k, top in enumerate(said))
    figure = draw(make_timeline(predictions=predictions))
    hovers = sorted(text for trace in figure["data"][1:] for text in trace["hovertext"])
    assert hovers[0].startswith("Person 1 · <b>counting money</b> or reading book · 0.0 s – 2.0 s")
    assert hovers[1].startswith("Person 1 · <b>tai chi</b> · 2.0 s – 4.0 s")


def many_segments(count: int) -> Timeline:
    """Return alternating segments of two actions, of many lengths, without gaps; too short in total for a date axis."""
    lengths_s = [0.1 + k % 7 / 100 + k / 1e5 for k in range(count)]
    ends_s = list(itertools.accumulate(lengths_s))
    predictions = tuple(
        Prediction(1, end_s - length_s, end_s, ((("yoga", "jogging")[k % 2], 0.9),), "i3d")
        for k, (length_s, end_s) in enumerate(zip(lengths_s, ends_s, strict=True))
    )
    return make_timeline(predictions=predictions, people=(track(1, (0.0, ends_s[-1] + 1)),))


def unpacked(packed: dict[str, str]) -> NDArray[np.float64]:
    """Decode a large array as plotly.js does."""
    assert packed["dtype"] == "f8"
    values = np.frombuffer(base64.b64decode(packed["bdata"]), "<f8")
    return values.reshape([int(size) for size in packed.get("shape", str(values.size)).split(",")])


def test_few_bars_all_have_a_name_and_a_hover_text() -> None:
    figure = draw(many_segments(MOST_BARS))
    assert [trace["name"] for trace in figure["data"]] == ["present", "yoga", "jogging"]
    for trace in figure["data"][1:]:
        assert len(trace["y"]) == len(trace["hovertext"]) == MOST_BARS / 2
        assert set(trace["text"]) == {trace["name"]}


def test_of_many_bars_the_longest_have_names_and_the_others_are_one_outline_per_colour() -> None:
    """Regression: a browser took a second to make thousands of bars, and more to measure their names, each time a
    slider was moved."""
    timeline = many_segments(MOST_BARS + 200)
    segments = timeline.segments()
    figure = go.Figure(swimlane(timeline, segments, ActionPalette()))
    bars = [trace for trace in figure.data if trace.type == "bar" and trace.name != "present"]
    outlines = {trace.name: trace for trace in figure.data if trace.type == "scatter"}
    assert sorted(bar.name for bar in bars) == ["jogging", "yoga"], "the legend is as ever"
    assert sum(len(bar.x) for bar in bars) == MOST_NAMED
    for bar in bars:
        outline = outlines[bar.name]
        assert (outline.fillcolor, outline.legendgroup) == (bar.marker.color, bar.legendgroup)
        seen = {(base, base + length) for base, length in zip(bar.base, bar.x, strict=True)}
        corners = unpacked(outline.x)[:-2]  # without the return to the start and the gap
        seen |= set(zip(corners[::2], corners[1::2], strict=True))
        expected = sorted((s.start_s, s.end_s) for s in segments if s.action == bar.name)
        assert np.allclose(sorted(seen), expected)
        assert min(bar.x) > max(np.diff(corners)[::2])


def test_many_bars_have_the_same_hover_texts() -> None:
    timeline = many_segments(MOST_BARS + 1)
    segments = timeline.segments()
    figure = go.Figure(swimlane(timeline, segments, ActionPalette()))
    (strip,) = (trace for trace in figure.data if trace.type == "heatmap")
    assert all(trace.hoverinfo == "skip" for trace in figure.data if trace is not strip)
    (texts,) = strip.hovertext
    for segment in (segments[0], segments[250], segments[-1]):
        cell = np.searchsorted(unpacked(strip.x), (segment.start_s + segment.end_s) / 2) - 1
        assert texts[cell].startswith(f"Person 1 · <b>{segment.action}</b> · {segment.start_s:.1f} s – ")
    assert texts[-1].startswith("Person 1 · present · "), "after the last segment the person is still there"
    assert np.isfinite(unpacked(strip.z)).all(), "no part of the stay is left out"


def test_numbers_on_a_date_axis_are_not_taken_for_years() -> None:
    timeline = make_timeline(people=(track(1, (0.0, 300.0)),), analysed_s=300.0, frame_times_s=np.arange(0, 300, 0.1))
    axis = TimeAxis(timeline)
    assert axis.is_date
    numbers = axis.numbers([1.0, 2.024, 9.0])
    assert np.allclose(numbers, [1000, 2024, 9000], atol=0.01)
    assert not any(float(number).is_integer() for number in numbers)


def test_hover_texts_follow_the_threshold() -> None:
    timeline = make_timeline()
    for threshold, said in ((0.0, "jogging"), (0.3, "unknown"), (0.0, "jogging")):
        figure = swimlane(timeline, timeline.segments(threshold), ActionPalette())
        texts = [text for trace in figure["data"] for text in trace["hovertext"]]
        assert any(f"<b>{said}</b>" in text and "6.0 s – 8.0 s" in text for text in texts)


def test_labels_of_a_persons_own_file_are_shown_literally() -> None:
    label = "<b>bold</b> <a href='x'>l</a> & $x^2$\nnext"
    timeline = make_timeline(predictions=(Prediction(1, 0.0, 2.0, ((label, 0.9),), "i3d"),))
    trace = draw(timeline)["data"][1]
    for text in (trace["name"], trace["text"][0], trace["hovertext"][0].replace(trace["hovertext"][0][:40], "")):
        assert "<b>bold" not in text
        assert "<a" not in text
        assert "$" not in text
    assert trace["name"].startswith("&lt;b&gt;bold&lt;/b&gt; &lt;a href=&#39;x&#39;&gt;")
    assert "&#36;x^2&#36; next" in trace["hovertext"][0]


def test_very_long_labels_are_shortened_in_the_legend() -> None:
    timeline = make_timeline(predictions=(Prediction(1, 0.0, 2.0, (("word " * 60, 0.9),), "i3d"),))
    trace = draw(timeline)["data"][1]
    assert len(trace["name"]) <= 40
    assert trace["name"].endswith("…")


def test_time_that_was_not_analysed_is_shaded() -> None:
    layout = draw(make_timeline(complete=False, analysed_s=8.0))["layout"]
    assert layout["xaxis"]["range"] == [0, 12], "the container's word until all is decoded"
    assert [(shape["x0"], shape["x1"]) for shape in layout["shapes"]] == [(8, 12)]
    assert [note["text"] for note in layout["annotations"]] == ["not analysed"]
    assert "shapes" not in draw(make_timeline())["layout"]


def test_long_videos_count_minutes_and_seconds() -> None:
    timeline = make_timeline(
        people=(track(1, (100.0, 200.0)),),
        predictions=(Prediction(1, 125.25, 130.0, (("yoga", 0.9),), "i3d"),),
        frame_times_s=np.arange(0, 300, 0.1),
        analysed_s=300.0,
    )
    figure = draw(timeline)
    assert figure["layout"]["xaxis"]["type"] == "date"
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time (min:s)"
    assert figure["layout"]["xaxis"]["tickformatstops"][-1]["value"] == "%M:%S"
    assert figure["layout"]["xaxis"]["range"] == ["1970-01-01T00:00:00.000", "1970-01-01T00:05:00.000"]
    assert figure["data"][1]["base"] == ["1970-01-01T00:02:05.250"]
    assert figure["data"][1]["x"] == [4750]
    assert " · 2:05.2 – 2:10.0 (4.8 s) · " in figure["data"][1]["hovertext"][0]
    assert time_on_axis(timeline, 61.5) == "1970-01-01T00:01:01.500"
    assert time_on_axis(make_timeline(), 3.5) == 3.5


@pytest.mark.parametrize("dark", [False, True])
def test_the_chart_says_when_nobody_was_found(dark: bool) -> None:
    layout = draw(make_timeline(people=(), predictions=()), dark=dark)["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["no people found"]
    assert layout["height"] >= 160


def test_height_grows_with_people() -> None:
    tall = draw(make_timeline(people=tuple(track(k, (0.0, 1.0)) for k in range(1, 21))))["layout"]["height"]
    assert tall - draw(make_timeline())["layout"]["height"] > 15 * 40


def test_zoom_outlives_a_redraw_and_not_another_video() -> None:
    one, again = draw(make_timeline(), 0.0), draw(make_timeline(), 0.9)
    other = draw(make_timeline(video=replace(make_timeline().video, sha256="cd" * 32)))
    assert one["layout"]["uirevision"] == again["layout"]["uirevision"] != other["layout"]["uirevision"]


def test_charts_share_colours_and_suit_the_page() -> None:
    timeline, palette = make_timeline(), ActionPalette()
    segments = timeline.segments()
    for dark in (False, True):
        lanes = go.Figure(swimlane(timeline, segments, palette, dark=dark))
        totals = go.Figure(time_per_action(timeline, segments, palette, dark=dark))
        for figure in (lanes, totals):
            assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
            for trace in figure.data:
                if trace.name != "present":
                    assert trace.marker.color == palette.style(trace.name).colour(dark)
        page = rgb_of(PAGE_DARK if dark else PAGE_LIGHT)
        assert contrast(rgb_of(lanes.layout.font.color), page) >= 7


def test_time_per_action_stacks_seconds_per_person() -> None:
    timeline = make_timeline()
    figure = go.Figure(time_per_action(timeline, timeline.segments(0.3), ActionPalette()))
    bars = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figure.data}
    assert bars == {"jogging": {"Person 2": 6.0}, "tai chi": {"Person 1": 3.0}, "unknown": {"Person 1": 2.0}}
    assert figure.layout.barmode == "stack"
    assert figure.layout.xaxis.title.text == "Time (s)"
    assert figure.data[0].hovertext[0] == "Person 2 · <b>jogging</b> · 6.0 s (86% of presence)"
    assert figure.layout.xaxis.range[1] >= 6.0


# --- palette ---


def linear(colour: str) -> NDArray[np.float64]:
    value = np.array(rgb_of(colour)) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb_linear: NDArray[np.float64]) -> NDArray[np.float64]:
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(rgb_linear, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira, Fernandes 2009, full severity
VISION = {
    "typical": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_distinguishable_with_any_colour_vision(vision: str, dark: bool) -> None:
    colours = [style_of_slot(slot).colour(dark) for slot in range(8)] + [UNKNOWN_STYLE.colour(dark)]
    seen = [lab(VISION[vision] @ linear(colour)) for colour in colours]
    for (one, a), (other, b) in itertools.combinations(zip(colours, seen, strict=True), 2):
        assert np.linalg.norm(a - b) > 12, f"{one} and {other} look alike to {vision} eyes"


@pytest.mark.parametrize("slot", range(8))
def test_colours_stand_out_from_the_page_and_carry_text(slot: int) -> None:
    for style in (style_of_slot(slot), UNKNOWN_STYLE):
        for page in (PAGE_LIGHT, "#FFFFFF"):
            assert contrast(rgb_of(style.colour_light), rgb_of(page)) >= 3
        for page in (PAGE_DARK, "#0F1720"):
            assert contrast(rgb_of(style.colour_dark), rgb_of(page)) >= 3
        for colour in (rgb_of(style.colour_light), rgb_of(style.colour_dark)):
            assert contrast(text_colour_on(colour), colour) >= 4.5


def test_contrast_is_that_of_the_web_guidelines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


def test_thirty_two_actions_look_different() -> None:
    styles = [style_of_slot(slot) for slot in range(8 * len(PATTERNS))]
    assert len(styles) == 32
    assert len({(style.colour_light, style.pattern) for style in styles}) == 32
    assert len({(style.colour_dark, style.pattern) for style in styles}) == 32
    assert replace(style_of_slot(32), slot=0) == styles[0]


def test_an_action_keeps_its_colour() -> None:
    palette = ActionPalette()
    assert [palette.style(label).slot for label in ("b", "a", "b", "c")] == [0, 1, 0, 2]
    assert ActionPalette(palette.slots).style("c") == palette.style("c")
    assert palette.slots == {"b": 0, "a": 1, "c": 2}


def test_a_new_action_takes_the_next_free_slot() -> None:
    palette = ActionPalette({"a": 0, "b": 2})
    assert [palette.style(label).slot for label in ("x", "y", "b")] == [1, 3, 2]


def test_unknown_is_grey_and_takes_no_slot() -> None:
    palette = ActionPalette({"unknown": 5})
    style = palette.style("unknown")
    assert style == UNKNOWN_STYLE
    assert max(rgb_of(style.colour_light)) - min(rgb_of(style.colour_light)) < 30
    assert palette.slots == {}


def test_a_negative_slot_is_refused() -> None:
    with pytest.raises(ValueError, match="slots count from 0, got -3"):
        ActionPalette({"a": -3})


def test_threads_agree_on_the_slots() -> None:
    palette = ActionPalette()
    labels = [f"action {k}" for k in range(200)]
    threads = [threading.Thread(target=palette.assign, args=(labels[k:] + labels[:k],)) for k in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(palette.slots.values()) == list(range(200))


def test_colours_go_by_total_time_and_not_by_order_of_drawing() -> None:
    palette = ActionPalette()
    segments = [Segment(1, "short", 0, 1, 0.9), Segment(1, "long", 1, 3, 0.9), Segment(1, "unknown", 3, 10, 0.1)]
    swimlane(make_timeline(), segments, palette)
    assert palette.slots == {"long": 0, "short": 1}


def test_axis_counts_from_the_files_zero_but_shows_no_long_empty_stretch() -> None:
    late = make_timeline(reading=Reading(first_picture_s=0.8))
    assert draw(late)["layout"]["xaxis"]["range"] == [0, 10]
    piece = make_timeline(
        reading=Reading(first_picture_s=600.0),
        frame_times_s=600 + np.arange(100) / 10,
        analysed_s=610.0,
        people=(track(1, (600.0, 604.0)),),
    )
    axis = draw(piece)["layout"]["xaxis"]
    assert axis["range"] == ["1970-01-01T00:10:00.000", "1970-01-01T00:10:10.000"]
    assert axis["minallowed"] == axis["range"][0]


def test_axis_of_a_camera_begins_with_the_stream_although_its_recording_began_later() -> None:
    timeline = make_timeline(reading=Reading(first_picture_s=9.0))
    camera = replace(timeline, video=replace(timeline.video, sha256=None))
    assert draw(camera)["layout"]["xaxis"]["range"] == [0, 10]
