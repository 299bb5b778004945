"""The workbench's lanes in Chromium, over a generated analysis and the app's own addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from recognizer.service.store import AnalysisStore
from tests.support.workbench import generated_timeline, store_analysis
from tests.support.workbench_page import HOST, workbench_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

pytestmark = pytest.mark.browser

DURATION_S = 20.0
FRAME_S = 1 / 30
PIXEL_PX = 1.0
EVENTS = ("segment-menu", "lane-menu", "edge-drag", "stretch")

_HELPERS = """
(names) => {
    const bench = document.querySelector("#bench").recognizer;
    window.bench = bench;
    window.heard = [];
    for (const name of names) {
        bench.lanes.host.addEventListener(name, (event) => {
            window.heard.push({ name, ...event.detail });
            event.stopImmediatePropagation(); // the menus and edits are not these tests' matter
        }, { capture: true });
    }
    const left = () => bench.lanes.stage.getBoundingClientRect().left + bench.lanes.layout.titlePx;
    window.xOf = (timeS) => left() + bench.lanes.view.xOf(timeS);
    window.colorAt = (lane, timeS) => {
        const { canvas, layout, view } = bench.lanes;
        const [top, height] = layout.bar(lane);
        const scale = canvas.width / layout.width;
        const place = [layout.titlePx + view.xOf(timeS), top + height - 2].map((px) => Math.round(px * scale));
        const rgb = canvas.getContext("2d").getImageData(...place, 1, 1).data.slice(0, 3);
        return "#" + [...rgb].map((value) => value.toString(16).padStart(2, "0")).join("").toUpperCase();
    };
    window.yOf = (lane) => {
        const [top, height] = bench.lanes.layout.bar(lane);
        return bench.lanes.stage.getBoundingClientRect().top + top + height / 2;
    };
}
"""


class Row(NamedTuple):
    """A segment as the browser has it."""

    row: int
    lane: int
    action: str
    start_s: float
    end_s: float

    @property
    def middle_s(self) -> float:
        return (self.start_s + self.end_s) / 2


class Lanes:
    """The lanes on a page, and what a user does with them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.wait_for_function(f"{HOST}?.recognizer?.lanes.scene.style?.fills")
        page.evaluate(_HELPERS, list(EVENTS))

    def ask(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def row(self, number: int) -> Row:
        one = self.ask(f"bench.model.segment({number})")
        return Row(number, one["laneIndex"], one["action"], one["startS"], one["endS"])

    def rows_of(self, lane: int) -> list[Row]:
        first, past = self.ask(f"bench.model.rowsOf({lane})")
        return [self.row(number) for number in range(first, past)]

    def long_row(self, lane: int, *, meets_next: bool = True) -> Row:
        """Return a long segment of a lane with a neighbour that it touches."""
        rows = self.rows_of(lane)
        fitting = [one for one, after in pairwise(rows) if (after.start_s - one.end_s < 1e-6) is meets_next]
        return max(fitting, key=lambda one: one.end_s - one.start_s)

    def place(self, lane: int, time_s: float) -> tuple[float, float]:
        return self.ask(f"xOf({time_s})"), self.ask(f"yOf({lane})")

    def heard(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self.ask("window.heard.splice(0)")
        return told

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, drop: bool = True) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=4)
        if drop:
            self.page.mouse.up()

    def settle(self) -> None:
        """Wait for two frames of the screen: what was asked for is drawn."""
        self.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    @property
    def time_s(self) -> float:
        return float(self.ask("bench.model.timeS"))

    @property
    def s_per_px(self) -> float:
        return 1 / float(self.ask("bench.lanes.view.pxPerS"))

    @property
    def view_s(self) -> tuple[float, float]:
        start_s, span_s = self.ask("[bench.lanes.view.startS, bench.lanes.view.spanS]")
        return start_s, start_s + span_s


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("store")
    store = AnalysisStore(folder)
    few = generated_timeline(people=4, duration_s=DURATION_S, clip_every_s=0.8)
    store_analysis(folder, few, analysis_id="few")
    many = generated_timeline(people=30, duration_s=4.0, clip_every_s=0.3)
    store_analysis(folder, many, analysis_id="many")
    with workbench_server(store) as url:
        yield url


@pytest.fixture
def open_lanes(browser: Browser, address: str) -> Iterator[Callable[..., Lanes]]:
    contexts, errors = [], []

    def open_it(analysis_id: str = "few", **options: Any) -> Lanes:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + analysis_id)
        return Lanes(page)

    yield open_it
    for context in contexts:
        context.close()
    assert not errors


def _is_error(message: ConsoleMessage) -> bool:
    """Return whether a message is an error; a person without a picture is none."""
    return message.type == "error" and "/picture/" not in message.location["url"]


def test_pointer_on_a_lane_moves_the_video_and_selects(open_lanes: Callable[..., Lanes]) -> None:
    lanes = open_lanes()
    page, one = lanes.page, lanes.long_row(1)
    page.wait_for_function("bench.player.video.readyState >= 2")

    page.mouse.click(*lanes.place(1, one.middle_s))
    assert abs(lanes.time_s - one.middle_s) <= lanes.s_per_px
    assert lanes.ask("bench.model.selection") == one.row
    assert lanes.ask("bench.model.selectedLane") == "p2"
    page.wait_for_function(f"Math.abs(bench.player.video.currentTime - {one.middle_s}) < {lanes.s_per_px + FRAME_S}")

    # a drag takes the video along, and leaves the selection alone
    lanes.drag(lanes.place(3, 4.0), lanes.place(3, 12.0), drop=False)
    lanes.settle()
    assert abs(lanes.time_s - 12.0) <= lanes.s_per_px
    assert lanes.ask("new DOMMatrix(bench.lanes.playhead.style.transform).e") == pytest.approx(
        lanes.ask("bench.lanes.layout.titlePx + bench.lanes.view.xOf(bench.model.timeS)"), abs=0.01
    )
    page.mouse.up()
    assert lanes.ask("bench.model.selection") == one.row
    page.wait_for_function(f"Math.abs(bench.player.video.currentTime - 12.0) < {lanes.s_per_px + FRAME_S}")

    # while the third person is away, there is no segment to select
    page.mouse.click(*lanes.place(2, 0.45 * DURATION_S))
    assert (lanes.ask("bench.model.selection"), lanes.ask("bench.model.selectedLane")) == (None, "p3")

    page.mouse.move(*lanes.place(1, one.middle_s))
    card = page.locator(".lanes-hover")
    card.get_by_text(f"Person 2 · {one.start_s:.1f} s – {one.end_s:.1f} s").wait_for()
    page.wait_for_function(f"{HOST}.shadowRoot.querySelectorAll('.lanes-likely > div').length === 5")
    confidence = lanes.ask(f"bench.model.segment({one.row}).confidence")
    assert f"probability {confidence:.2f}" in card.inner_text()
    assert card.locator("b").inner_text() == one.action
    assert one.action in card.locator(".lanes-likely div").first.inner_text()
    names = card.locator(".lanes-likely div").evaluate_all("all => all.map((one) => one.lastElementChild.offsetLeft)")
    assert len(set(names)) == 1, "the labels are below one another, whatever their bars"
    page.mouse.move(*lanes.place(2, 0.45 * DURATION_S))
    card.get_by_text("not in the picture").wait_for()


def test_zoom_keeps_what_is_under_the_pointer_and_the_view_follows_the_playhead(
    open_lanes: Callable[..., Lanes],
) -> None:
    lanes = open_lanes()
    page = lanes.page
    x, y = (round(value) for value in lanes.place(1, 6.0))  # a wheel's event counts whole pixels
    under_s = 6.0 + (x - lanes.ask("xOf(6.0)")) * lanes.s_per_px
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    lanes.settle()
    start_s, end_s = lanes.view_s
    assert 1 < end_s - start_s < DURATION_S / 4
    assert lanes.ask(f"xOf({under_s})") == pytest.approx(x, abs=PIXEL_PX)

    moved_s = 60 * lanes.s_per_px
    page.mouse.wheel(60, 0)
    lanes.settle()
    assert lanes.view_s[0] == pytest.approx(start_s + moved_s, abs=1e-6)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Shift")
    lanes.settle()
    assert lanes.view_s[0] == pytest.approx(start_s, abs=1e-6)
    top = lanes.ask("bench.lanes.stage.getBoundingClientRect().top")
    lanes.drag((x, top + 10), (x - 60, top + 10))
    assert lanes.view_s[0] == pytest.approx(start_s + moved_s, abs=1e-6)

    # the view turns the page when the time leaves it, but not if the user has moved it away from the playhead
    lanes.ask(f"bench.player.seek({lanes.view_s[1] - 0.1})")
    lanes.ask(f"bench.player.seek({lanes.view_s[1] + 0.1})")
    assert lanes.view_s[0] < lanes.time_s < lanes.view_s[0] + 0.1 * (end_s - start_s)
    before_s = lanes.view_s
    thumb = page.locator(".lanes-thumb").bounding_box()
    assert thumb is not None
    lanes.drag((thumb["x"] + 30, thumb["y"] + 5), (thumb["x"] + 500, thumb["y"] + 5))
    assert lanes.view_s[0] > before_s[1]
    lanes.ask(f"bench.player.seek({before_s[1] - 0.2})")
    assert lanes.view_s[0] > before_s[1]

    page.get_by_role("button", name="Show everything").click()
    lanes.settle()
    assert lanes.view_s == (0.0, DURATION_S)
    one = lanes.long_row(0)
    page.mouse.dblclick(*lanes.place(0, one.middle_s))
    start_s, end_s = lanes.view_s
    assert start_s <= one.start_s < one.end_s <= end_s
    assert end_s - start_s < 1.4 * (one.end_s - one.start_s)
    page.get_by_role("button", name="Zoom out").click()
    assert lanes.view_s[1] - lanes.view_s[0] == pytest.approx(2 * (end_s - start_s))


def test_edges_stretches_and_menus_are_asked_for_unless_the_timeline_is_read_only(
    open_lanes: Callable[..., Lanes],
) -> None:
    lanes = open_lanes()
    page, one = lanes.page, lanes.long_row(0)
    page.mouse.click(*lanes.place(0, one.middle_s))
    edge = lanes.place(0, one.end_s)
    page.mouse.move(edge[0] + 3, edge[1])
    assert lanes.ask("bench.lanes.stage.style.cursor") == "ew-resize"

    to_s = one.end_s - 0.3 * (one.end_s - one.start_s)
    lanes.drag(edge, lanes.place(0, to_s))
    (moved,) = lanes.heard()
    assert (moved["name"], moved["row"], moved["side"]) == ("edge-drag", one.row, "end")
    assert moved["toS"] == pytest.approx(to_s, abs=lanes.s_per_px)
    # it stays there until the segments come, which may be those before the correction
    assert lanes.ask("bench.lanes.marks.edge.toS") == moved["toS"]
    lanes.ask("bench.model.setView({})")
    assert lanes.ask("bench.lanes.marks.edge") is None
    # close to the playhead, which is in the middle of the segment, the edge lies on it
    lanes.drag(edge, lanes.place(0, one.middle_s + 4 * lanes.s_per_px))
    assert lanes.heard()[0]["toS"] == lanes.time_s
    # the neighbour keeps a bit of itself
    after = lanes.row(one.row + 1)
    lanes.drag(edge, lanes.place(0, after.end_s + 2.0))
    assert one.end_s < lanes.heard()[0]["toS"] < after.end_s

    lanes.drag(edge, lanes.place(0, to_s), drop=False)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert lanes.heard() == []

    # other segments that come meanwhile may have other numbers
    lanes.drag(edge, lanes.place(0, to_s), drop=False)
    lanes.ask("bench.model.setView({})")
    page.mouse.up()
    assert lanes.heard() == []

    page.keyboard.down("Shift")
    lanes.drag(lanes.place(3, 15.03), lanes.place(3, 13.02))
    page.keyboard.up("Shift")
    (stretch,) = lanes.heard()
    assert (stretch["name"], stretch["laneIndex"]) == ("stretch", 3)
    for key, wanted_s in (("startS", 13.02), ("endS", 15.03)):
        assert stretch[key] == pytest.approx(wanted_s, abs=7 * lanes.s_per_px)

    x, y = lanes.place(0, one.middle_s)
    page.mouse.click(x, y, button="right")
    title_x = lanes.ask("bench.lanes.stage.getBoundingClientRect().left + 40")
    page.mouse.click(title_x, y, button="right")
    menu, lane_menu = lanes.heard()
    assert (menu["name"], menu["row"]) == ("segment-menu", one.row)
    assert (menu["x"], menu["y"]) == (pytest.approx(x, abs=1), pytest.approx(y, abs=1))
    assert (lane_menu["name"], lane_menu["laneIndex"]) == ("lane-menu", 0)

    page.mouse.click(x, y)
    lanes.ask("bench.model.timeline.readOnly = true")
    lanes.drag(edge, lanes.place(0, to_s))
    assert lanes.time_s == pytest.approx(to_s, abs=lanes.s_per_px)
    page.keyboard.down("Shift")
    lanes.drag(lanes.place(3, 13.0), lanes.place(3, 15.0))
    page.keyboard.up("Shift")
    page.mouse.click(x, y, button="right")
    assert lanes.heard() == []


def test_lanes_are_drawn_in_the_colors_of_the_actions_and_scroll_below_the_axis(
    open_lanes: Callable[..., Lanes],
) -> None:
    lanes = open_lanes("many", device_scale_factor=2)
    page = lanes.page

    def check_colors(theme: str, shown: list[int]) -> None:
        lanes.settle()
        for lane in shown:
            for row in lanes.rows_of(lane):
                if row.end_s - row.start_s > 6 * lanes.s_per_px:
                    wanted = lanes.ask(f"bench.model.segments.colors.{theme}[bench.model.segments.action[{row.row}]]")
                    # a pattern lies over the color of the ninth action and those after it
                    pattern = lanes.ask(f"bench.model.segments.patterns[bench.model.segments.action[{row.row}]]")
                    time_s = row.end_s - 3 * lanes.s_per_px
                    assert pattern or lanes.ask(f"colorAt({lane}, {time_s})") == wanted

    check_colors("light", [0, 1])
    page.evaluate("document.querySelector('#bench').style.setProperty('--st-background-color', '#0F1720')")
    page.wait_for_function("bench.model.theme.dark")
    check_colors("dark", [0, 1])

    page.mouse.move(*lanes.place(3, 1.0))
    page.mouse.wheel(0, 10_000)
    page.wait_for_function("bench.lanes.layout.scrollPx > 0")
    first, past = lanes.ask("bench.lanes.layout.inSight()")
    assert (past, past - first < 12) == (30, True)
    check_colors("dark", [28, 29])
    page.mouse.click(*lanes.place(29, 1.0))
    assert lanes.ask("bench.model.selectedLane") == "p30"
    lanes.ask("bench.model.selectLane('p2')")
    lanes.settle()
    first, past = lanes.ask("bench.lanes.layout.inSight()")
    assert first <= 1 < past


def test_keys_fingers_and_screen_readers_reach_the_lanes(open_lanes: Callable[..., Lanes]) -> None:
    lanes = open_lanes(viewport={"width": 390, "height": 844}, has_touch=True)
    page = lanes.page
    listbox = page.get_by_role("listbox", name="Timeline, 4 lanes")
    listbox.focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    assert lanes.ask("bench.model.selectedLane") == "p2"
    page.keyboard.press("Enter")
    first = lanes.rows_of(1)[0]
    assert lanes.ask("bench.model.selection") == first.row
    card = page.locator(".lanes-hover")
    card.get_by_text(first.action, exact=True).first.wait_for()
    page.keyboard.press("ContextMenu")
    assert [one["name"] for one in lanes.heard()] == ["segment-menu"]
    page.keyboard.press("+")
    assert lanes.view_s[1] - lanes.view_s[0] == pytest.approx(DURATION_S / 2)

    table = page.get_by_role("table", name="Segments of Person 2")
    table.wait_for(state="attached")
    assert table.locator("tbody tr").count() == len(lanes.rows_of(1))
    assert table.locator("tbody tr").first.locator("td").first.text_content() == first.action
    chosen = listbox.get_by_role("option", selected=True)
    assert "Person 2: present for 20.0 s" in (chosen.text_content() or "")
    assert listbox.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert lanes.ask("bench.model.selection") is None

    page.get_by_role("button", name="Show everything").click()
    lanes.settle()
    one = max(lanes.rows_of(3), key=lambda row: row.end_s - row.start_s)
    page.touchscreen.tap(*lanes.place(3, one.middle_s))
    assert lanes.ask("bench.model.selection") == one.row
    card.get_by_text("Person 4").wait_for()
    _pinch(lanes)


def _pinch(lanes: Lanes) -> None:
    """Spread two fingers: the times below them stay there."""
    (x1, y), (x2, _) = lanes.place(1, 8.0), lanes.place(1, 12.0)
    fingers = lanes.page.context.new_cdp_session(lanes.page)

    def touch(kind: str, *xs: float) -> None:
        points = [{"x": x, "y": y, "id": number} for number, x in enumerate(xs)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x1)
    touch("touchStart", x1, x2)
    for spread in (5, 15, 25):
        touch("touchMove", x1 - spread, x2 + spread)
    touch("touchEnd")
    lanes.settle()
    assert lanes.view_s[1] - lanes.view_s[0] < 0.8 * DURATION_S
    assert lanes.ask("xOf(8.0)") == pytest.approx(x1 - 25, abs=PIXEL_PX)
    assert lanes.ask("xOf(12.0)") == pytest.approx(x2 + 25, abs=PIXEL_PX)
