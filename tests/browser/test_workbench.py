"""The workbench in Chromium, on an analysis that no network made: player, overlay, people, keys, sliders."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recognizer.timeline.model import PersonTrack
from tests.support.browser import STEP_TIMEOUT_MS, OpenPage, main, settled_box
from tests.support.workbench import SIZE_WH, box_at, generated_timeline, store_analysis
from tests.support.workbench_actions import ask, bench, shown_number, wait_for_bench, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

NTSC_HZ = Fraction(30000, 1001)
DURATION_S = 20.0
PEOPLE = 8
WIDE = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
NARROWEST: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def stored(app_data: Path) -> str:
    """The query of an analysis of eight people, and a ninth who is there for half a second."""
    timeline = generated_timeline(PEOPLE, DURATION_S, rate=NTSC_HZ)
    times_s = np.array([0.5, 0.7, 0.9])
    boxes = np.tile(np.array([[10, 200, 40, 300]], np.float32), (3, 1))
    brief = PersonTrack(PEOPLE + 1, times_s, boxes, np.full(3, 0.9, np.float32), ((0.5, 1.0),))
    return f"/?run={store_analysis(app_data, replace(timeline, people=(*timeline.people, brief))).analysis_id}"


def assert_late_answers_change_nothing(page: Page) -> None:
    """What a slow page or server says of an earlier state does not replace a later one."""
    # the page knows a slider's position when the slider has moved on
    positions = bench(page).evaluate(
        """async (bench) => {
            const host = bench.getRootNode().host;
            const { model } = host.recognizer;
            const names = performance.getEntriesByType("resource").map(({ name }) => name);
            const { mount } = await import(names.findLast((name) => name.endsWith("/js/main.js")));
            const root = bench.closest(".workbench");
            const before = { api: model.api.base, revision: model.timeline.revision, view: model.view, goTo: null };
            const told = [];
            mount(root, before, { setStateValue: (_, view) => told.push(view), setTriggerValue() {} });
            const slider = bench.querySelector("input[type=range]");
            const move = (value, ...events) => {
                slider.value = value;
                for (const name of events) slider.dispatchEvent(new Event(name, { bubbles: true }));
            };
            move(0.6, "input", "change");
            move(0.8, "input");
            mount(root, { ...before, view: { ...before.view, ...told[0] } }, { setStateValue() {} });
            const still = model.view.minConfidence;
            mount(root, { ...before, view: { ...before.view, minConfidence: 1 } }, { setStateValue() {} });
            return [told[0].minConfidence, still, model.view.minConfidence];
        }"""
    )
    assert positions == [0.6, 0.8, 1], "what the page itself wants counts"
    lanes = ask(page, "model.timeline.lanes.length")
    ask(page, "model.adopt({ ...model.timeline, revision: model.timeline.revision - 1, lanes: [] })")
    assert ask(page, "model.timeline.lanes.length") == lanes
    wait_until(page, "model.shownView === model.view")


def frame_at(time_s: float) -> int:
    return int(time_s * float(NTSC_HZ) + 1e-5)


def press_keys(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_video_lanes_and_boxes_move_together_and_obey_keys_and_sliders(open_page: OpenPage, stored: str) -> None:
    page = open_page(stored, viewport=WIDE)
    wait_for_bench(page)
    check_video_lanes_and_boxes_move_together(page)
    check_keys_and_sliders(page)


def check_video_lanes_and_boxes_move_together(page: Page) -> None:
    place = settled_box(bench(page))
    assert place["y"] + place["height"] <= WIDE["height"], "everything is in sight at once"
    assert ask(page, "model.shownLanes.length") == PEOPLE

    # ten clicks on lanes: the frame asked for, and the time is where the pointer was
    bench(page).scroll_into_view_if_needed()
    lanes = settled_box(bench(page).locator(".lanes-stage"))
    chance = random.Random(29.97)
    clicked: list[tuple[float, float]] = []
    for _ in range(10):
        x = lanes["x"] + lanes["width"] * chance.uniform(0.2, 0.98)
        page.mouse.click(x, lanes["y"] + lanes["height"] * chance.uniform(0.15, 0.95))
        time_s = ask(page, "model.timeS")
        assert shown_number(page) == frame_at(time_s)
        clicked.append((x, time_s))
    xs, times_s = zip(*clicked, strict=True)
    slope, offset = np.polyfit(xs, times_s, 1)
    assert max(abs(time_s - slope * x - offset) for x, time_s in clicked) < 0.02

    # the playhead while it plays: in each picture, against the time of the frame that is on the screen
    ask(page, "player.seek(2)")
    ask(page, _RECORD_JS)
    ask(page, "player.play()")
    wait_until(page, "player.distances.length > 40")
    ask(page, "player.pause()")
    distances_s = ask(page, "player.distances")
    assert max(distances_s) <= 1 / float(NTSC_HZ), distances_s

    # boxes: between two samples, where they were generated
    ask(page, "player.seek(7.33)")
    wait_until(page, f"overlay.drawn.length === {PEOPLE}")
    picture = ask(page, "overlay.picture(overlay.canvas.clientWidth, overlay.canvas.clientHeight)")
    for number, *drawn in ask(page, "overlay.drawn.map((o) => [o.lane.personId, o.left, o.top, o.right, o.bottom])"):
        x1, y1, x2, y2 = (edge / side for edge, side in zip(box_at(number, PEOPLE, 7.33), SIZE_WH * 2, strict=True))
        x, y, width, height = (picture[name] for name in ("x", "y", "width", "height"))
        expected = [x + x1 * width, y + y1 * height, x + x2 * width, y + y2 * height]
        assert drawn == pytest.approx(expected, abs=1.0), f"person {number}"

    # a click on a box selects the person
    ask(page, "player.seek(9)")
    wait_until(page, f"overlay.drawn.length === {PEOPLE - 2}")  # two are away
    x, y = ask(page, "(({ left, right, top, bottom }) => [(left + right) / 2, (top + bottom) / 2])(overlay.drawn[0])")
    bench(page).locator("canvas.overlay").click(position={"x": x, "y": y})
    chosen = ask(page, "model.selectedLane")
    assert chosen == ask(page, "overlay.drawn.at(-1).lane.key"), "the selected person is drawn on top"
    selected = bench(page).locator(".card[aria-selected=true]")
    assert selected.count() == 1
    title = selected.locator(".name").inner_text()
    selected.get_by_role("button", name=f"Hide {title} over the picture").click()
    wait_until(page, f"overlay.drawn.length === {PEOPLE - 3}")
    selected.get_by_role("button", name=f"Show {title} over the picture").click()
    wait_until(page, f"overlay.drawn.length === {PEOPLE - 2}")


_RECORD_JS = """(() => {
    player.distances = [];
    player.video.muted = true;
    const record = (now, { mediaTime }) => {
        player.video.requestVideoFrameCallback(record);
        const line = lanes.playhead;
        requestAnimationFrame(() => {
            const drawnS = lanes.view.timeAt(new DOMMatrix(line.style.transform).e - lanes.layout.titlePx);
            if (!player.video.paused) player.distances.push(Math.abs(drawnS - mediaTime));
        });
    };
    player.video.requestVideoFrameCallback(record);
})()"""


def check_keys_and_sliders(page: Page) -> None:
    bench(page).focus()
    ask(page, "player.seek(player.model.frames[60])")
    assert shown_number(page) == 60
    press_keys(page, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert shown_number(page) == 62
    press_keys(page, "Shift+ArrowRight")
    assert shown_number(page) == frame_at(62 / float(NTSC_HZ) + 1)
    press_keys(page, " ")
    wait_until(page, "player.playing && model.timeS > 3.3")
    press_keys(page, "k")
    wait_until(page, "!player.playing")
    press_keys(page, "l", "l")
    wait_until(page, "player.playing && player.video.playbackRate === 2")
    press_keys(page, "k", "j")
    wait_until(page, "player.playing && player.clock.rate < 0")
    before_s = ask(page, "model.timeS")
    wait_until(page, "model.timeS < given - 0.2", before_s)
    press_keys(page, "k")

    # segments: the selected person's next and previous, and the least certain in order, round and round
    ask(page, "player.seek(0)")
    ask(page, 'model.selectLane("p2", 0)')
    first = ask(page, "model.selection")
    press_keys(page, "]")
    assert ask(page, "model.selection") == first + 1
    assert ask(page, "model.timeS") == ask(page, "model.segment(model.selection).startS")
    press_keys(page, "[")
    assert ask(page, "model.selection") == first
    press_keys(page, ".")
    least = ask(page, "[model.segment(model.selection).confidence, Math.min(...model.segments.confidence)]")
    assert least[0] == least[1]
    rows = ask(page, "model.rows")
    heard = bench(page).get_by_role("status")
    heard.filter(has_text=f"Least certain: 1 of {rows}").wait_for()
    press_keys(page, ".", ",", ",")
    heard.filter(has_text=f"Least certain: {rows} of {rows}").wait_for()

    press_keys(page, "?")
    keys = bench(page).get_by_role("dialog", name="Keys")
    keys.get_by_text("Play or pause").wait_for()
    press_keys(page, "Escape")
    keys.wait_for(state="hidden")
    whole_s = ask(page, "lanes.view.spanS")
    press_keys(page, "+")
    assert ask(page, "lanes.view.spanS") < whole_s
    press_keys(page, "-")
    assert ask(page, "lanes.view.spanS") == pytest.approx(whole_s)

    # a segment is repeated
    row = ask(page, "model.rowAt(0, 4)")
    ask(page, "model.select(given)", row)
    start_s, end_s = ask(page, "((one) => [one.startS, one.endS])(model.segment(model.selection))")
    ask(page, "player.seek(given)", end_s - 0.3)
    bench(page).get_by_role("button", name="Repeat the selected segment").click()
    wait_until(page, "model.timeS < given", end_s - 0.5)
    assert start_s - 0.1 <= ask(page, "model.timeS") < end_s
    bench(page).get_by_role("button", name="Pause").click()
    bench(page).get_by_role("button", name="Repeat the selected segment").click()

    # sliders: each position is drawn, and the page's own thresholds follow when the slider is let go
    unknown_js = 'model.segments.actions.filter((_, k) => model.segments.action.includes(k)).join() === "unknown"'
    confidence = bench(page).get_by_role("slider", name="Minimum confidence")
    confidence.focus()
    press_keys(page, "End")
    wait_until(page, unknown_js)
    wait_until(page, "model.view.minConfidence === 1")
    press_keys(page, "Home")
    wait_until(page, "model.view.minConfidence === 0 && model.shownView === model.view")
    wait_until(page, "model.segments.isComplete")  # those second labels too that the first answer had not counted
    assert ask(page, "model.segments.second.some((second) => second >= 0)")
    press_keys(page, "End")
    wait_until(page, unknown_js)
    brief = bench(page).get_by_role("switch")
    brief.check()
    wait_until(page, f"model.shownLanes.length === {PEOPLE + 1}")
    page.wait_for_timeout(1500)  # the page runs again; the workbench stays as it is
    assert ask(page, "[model.view.minConfidence, model.view.showsBrief]") == [1, True]
    assert confidence.input_value() == "1"
    page.get_by_role("link", name="Compare classifiers").click()
    main(page).get_by_role("heading", name=re.compile("Compare")).first.wait_for()
    page.get_by_role("link", name="Analyse a video").click()
    wait_for_bench(page)
    assert ask(page, "[model.view.minConfidence, model.view.showsBrief]") == [1, True], "Python knows what was set"
    assert_late_answers_change_nothing(page)


def assert_values_are_beside_their_sliders(page: Page) -> None:
    """Fault: on the narrowest phones they stood below, over the next slider's title."""
    page.set_viewport_size(NARROWEST)
    settled_box(bench(page))
    middles = (
        bench(page)
        .locator(".filters label:has(.value)")
        .evaluate_all(
            """(labels) => labels.map((label) => [...label.children].map((one) => {
            const { top, bottom } = one.getBoundingClientRect();
            return (top + bottom) / 2;
        }))"""
        )
    )
    assert len(middles) == 2
    assert all(abs(slider - value) < 6 for slider, value in middles), middles
    assert ask(page, "document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size(NARROW)
    settled_box(bench(page))


def test_phone_and_a_video_that_is_gone(open_page: OpenPage, app_data: Path, stored: str) -> None:
    page = open_page(stored, viewport=NARROW, has_touch=True, color_scheme="dark")
    wait_for_bench(page)
    assert ask(page, "model.theme.dark")
    wait_until(page, "overlay.drawn.some((one) => one.label?.includes('('))")
    drawn = set(ask(page, "overlay.drawn.map((one) => one.color)"))
    assert drawn <= set(ask(page, "[...model.segments.colors.dark, '#8a94a3']")), "the lanes' colours"
    settled_box(bench(page))
    tops = bench(page).evaluate(
        """(one) => [".stage", ".controls", ".lanes", ".people"]
            .map((part) => one.querySelector(part).getBoundingClientRect().top)"""
    )
    assert tops == sorted(tops)
    assert ask(page, "document.documentElement.scrollWidth <= innerWidth")
    small = ask(
        page,
        """[...lanes.host.closest(".bench").querySelectorAll(".controls button, .controls select, .people button")]
            .map((one) => [one.title || one.textContent, one.getBoundingClientRect()])
            .filter(([, { width, height }]) => width && Math.min(width, height) < 40).map(([name]) => name)""",
    )
    assert small == []
    assert_values_are_beside_their_sliders(page)
    bench(page).get_by_role("button", name="Play", exact=True).tap()
    wait_until(page, "model.timeS > 0.3")

    # without its video, an analysis still shows who is where
    gone = store_analysis(app_data, generated_timeline(2, 6.0, seed=5, rate=NTSC_HZ))
    gone.video_path.unlink()
    other = open_page(f"/?run={gone.analysis_id}", viewport=WIDE)
    wait_for_bench(other, video=False)
    bench(other).get_by_text("no longer").wait_for(timeout=STEP_TIMEOUT_MS)
    wait_until(other, "overlay.drawn.length === 2")
    # a frame of the display that began before the key was pressed has no time to add; the clock stopped there once
    early = "player.clock.tick(player.clock.lastMs - 1)"
    assert ask(other, f"(player.play(), {early}, player.playing)")
    assert ask(other, f"(player.seek(player.durationS), player.playBackwards(1), {early}, player.playing)")
    ask(other, "(player.pause(), player.seek(0))")
    bench(other).focus()
    started = time.monotonic()
    press_keys(other, " ")
    wait_until(other, "model.timeS > 1")
    assert time.monotonic() - started > 0.9, "time runs as fast as the clock"
