"""Corrections in Chromium, on an analysis that no network made: each kind by mouse, key or finger, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recognizer.cli.changes import read_changes
from recognizer.service.corrections import CorrectionStore
from recognizer.service.store import AnalysisStore, StoredAnalysis
from recognizer.timeline.corrections_file import corrections_json
from tests.support.app_server import AppServer
from tests.support.browser import STEP_TIMEOUT_MS, settled_box
from tests.support.workbench import generated_timeline, store_analysis
from tests.support.workbench_actions import ask, bench, wait_for_bench, wait_until
from tests.support.workbench_page import workbench_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

PEOPLE = 3
DURATION_S = 12.0
WIDE: ViewportSize = {"width": 1440, "height": 900}
LAPTOP: ViewportSize = {"width": 680, "height": 768}  # without the sidebar and the margins
LANES = "[model.shownLanes.length, Math.round(lanes.stage.getBoundingClientRect().top)]"
NARROW: ViewportSize = {"width": 390, "height": 844}
ELSEWHERE = "Something shown here was changed elsewhere; what you see now includes that."
NOT_UNDONE = f"Nothing was undone, because {ELSEWHERE[0].lower()}{ELSEWHERE[1:]}"
ROWS = """Array.from({ length: model.rows }, (_, row) => model.segment(row)).map((one) => [
    one.lane.key, one.action, +one.startS.toFixed(4), +one.endS.toFixed(4), one.source, one.checked])"""
SELECTED = """(({ lane, action, startS, endS, source }) => [lane.title, action, startS, endS, source])(
    model.segment(model.selection))"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editing") / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def video(data: Path) -> Path:
    return store_analysis(data, generated_timeline(PEOPLE, DURATION_S)).video_path


@pytest.fixture
def stored(data: Path, video: Path) -> StoredAnalysis:
    """An analysis that nobody has corrected."""
    return store_analysis(data, generated_timeline(PEOPLE, DURATION_S), video)


@pytest.fixture(scope="module")
def pages(data: Path) -> Iterator[str]:
    """The address of pages with nothing but a workbench."""
    with workbench_server(AnalysisStore(data)) as address:
        yield address


@pytest.fixture
def server(data: Path) -> Iterator[AppServer]:
    """The app, which a test may kill."""
    with AppServer(data, data.parent / "log.txt") as server:
        yield server


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Open a page in a browser of its own; finally, check that no script has failed."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(STEP_TIMEOUT_MS)
    page.goto(address)
    wait_for_bench(page)
    settled_box(bench(page))
    yield page
    context.close()
    assert not errors


def settle(page: Page) -> None:
    """Wait for the edit that is on its way, and for what follows it."""
    bench(page).evaluate("async (bench) => { await bench.getRootNode().host.recognizer.editing.queue; }")


def wait_for_news(page: Page, text: str) -> None:
    """Wait until the page has said what another tab did; it is gone after a while."""
    bench(page).locator(".news").filter(has_text=text).wait_for(state="attached")


@contextmanager
def one_edit(page: Page, title: str) -> Iterator[None]:
    """Check that what is done within is one edit, and that the playhead stays, and the lanes if they are as many."""
    revision, time_s = ask(page, "[model.timeline.revision, model.timeS]")
    before = ask(page, LANES)
    yield
    wait_until(page, "model.timeline.revision > given", revision)
    settle(page)
    assert title in ask(page, "model.timeline.undo")
    assert ask(page, "[model.timeline.revision, model.timeS]") == [revision + 1, time_s]
    after = ask(page, LANES)
    assert after == before or after[0] != before[0]
    assert bench(page).locator(".saved").inner_text() == "Saved"


def seek(page: Page, time_s: float) -> None:
    ask(page, "player.seek(given)", time_s)
    wait_until(page, "Math.abs(model.timeS - given) < 0.04", time_s)


def select(page: Page, lane: int, time_s: float) -> list[Any]:
    """Select a segment with the mouse; return who, what, from, to, and its source."""
    page.bring_to_front()  # Chromium draws nothing in a tab behind
    page.mouse.click(*place(page, lane, time_s))
    wait_until(page, "model.selection !== null && model.segment(model.selection).laneIndex === given", lane)
    selected: list[Any] = ask(page, SELECTED)
    return selected


def relabel(page: Page, lane: int, key: str) -> None:
    """Give the segment at one second another of its likely labels, by key."""
    select(page, lane, 1.0)
    with one_edit(page, "relabel"):
        page.keyboard.press(key)


def place(page: Page, lane: int, time_s: float | None) -> tuple[float, float]:
    """Return where a time of a lane is in the window; for None, where its title is."""
    found = ask(
        page,
        """(({ left, top }) => [
            left + (given[1] === null ? lanes.layout.titlePx / 2 : lanes.layout.titlePx + lanes.view.xOf(given[1])),
            top + lanes.layout.top(given[0]) + lanes.layout.lanePx / 2,
        ])(lanes.stage.getBoundingClientRect())""",
        [lane, time_s],
    )
    return found[0], found[1]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def choose(page: Page, text: str) -> None:
    """Type into the picker that is open, and take the first that it finds."""
    page.get_by_role("combobox", name="to").wait_for()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def offered(page: Page, text: str) -> list[str]:
    """Return what a picker offers for a text, that which Enter takes first, and close it."""
    page.keyboard.press("r")
    page.get_by_role("combobox", name="Label of").wait_for()
    page.keyboard.type(text)
    labels = page.locator("dialog.popup .label").all_inner_texts()
    assert page.locator("dialog.popup [aria-selected=true] .label").all_inner_texts() == labels[:1]
    page.keyboard.press("Escape")
    page.locator("dialog.popup").wait_for(state="detached")
    return labels


def titles(page: Page) -> list[str]:
    found: list[str] = ask(page, "model.timeline.lanes.map((lane) => lane.title)")
    return found


CHIPS = """(chips) => chips.map((chip) => {
    const { scrollWidth, clientWidth } = chip.querySelector(".label");
    return [scrollWidth > clientWidth, Math.round(chip.getBoundingClientRect().width)];
})"""


def assert_the_label_can_be_read(page: Page) -> None:
    """On a laptop, where not everything fits, the likely labels are cut off before the one that is chosen.

    Of them, no short one is cut off for a longer one. Fault: they read "y…" and "tai …" beside "dancing charles…".
    """
    page.set_viewport_size(LAPTOP)
    longest = "(model.segments.actions.reduce((one, other) => (one.length > other.length ? one : other)))"
    ask(page, f"model.select(model.segments.action.findIndex((k) => model.segments.actions[k] === {longest}))")
    wait_until(page, "lanes.host.closest('.bench').querySelectorAll('.chip:enabled').length === 5")
    label = bench(page).locator(".label-now .label")
    assert label.evaluate("({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth")
    chips = bench(page).locator(".chip:enabled").evaluate_all(CHIPS)
    cut, whole = ([width for is_cut, width in chips if is_cut is wanted] for wanted in (True, False))
    assert cut
    assert min(cut) >= max([*whole, *cut]) - 1, chips
    page.set_viewport_size(WIDE)
    settled_box(bench(page))


def test_enter_takes_what_was_typed_and_no_label_that_only_the_network_knows(
    browser: Browser, pages: str, stored: StoredAnalysis
) -> None:
    """Regression: Enter after "walk" took "walking the dog"."""
    with opened(browser, pages + stored.analysis_id) as page:
        bench(page).scroll_into_view_if_needed()
        select(page, 0, 1.0)
        assert offered(page, "walk")[:2] == ["Use “walk”", "walking the dog"]
        assert offered(page, "Walking  the dog")[:1] == ["walking the dog"], "it is what was typed"
        with one_edit(page, "as walk"):
            page.keyboard.press("r")
            choose(page, "walk")
        assert offered(page, "wal")[0] == "Use “wal”", "the segment has the other one"
        select(page, 1, 1.0)
        assert offered(page, "wal")[:2] == ["walk", "Use “wal”"], "given before"
        assert offered(page, "alk")[0] == "Use “alk”"


def test_every_kind_of_edit_stays_and_can_be_undone(
    browser: Browser, pages: str, stored: StoredAnalysis, data: Path, tmp_path: Path
) -> None:
    with opened(browser, pages + stored.analysis_id) as page:
        machine = ask(page, ROWS)
        bench(page).scroll_into_view_if_needed()

        # labels: by key, by one click, and by search
        assert_the_label_can_be_read(page)
        relabel(page, 0, "2")
        with one_edit(page, "relabel"):
            bench(page).locator(".chip").nth(2).click()
        with one_edit(page, "as zumba"):
            page.keyboard.press("r")
            choose(page, "zumba")
        with one_edit(page, "as my own exercise"):
            bench(page).locator(".label-now").click()
            choose(page, "my own  exercise")
        name, action, start_s, end_s, source = ask(page, SELECTED)
        assert (name, action, source) == ("Person 1", "my own exercise", "human")
        assert bench(page).locator(".source").inner_text() == "corrected by you"
        bench(page).get_by_role("status").filter(has_text="Now my own exercise").wait_for()

        # edges: dragged, and set to the playhead
        with one_edit(page, "move an edge"):
            drag(page, place(page, 0, end_s), place(page, 0, end_s + 0.3))
        assert ask(page, SELECTED)[3] == pytest.approx(end_s + 0.3, abs=0.1)
        seek(page, start_s + 0.4)
        with one_edit(page, "cut"):
            page.keyboard.press("x")
        cut_s = ask(page, SELECTED)[2]
        assert cut_s == pytest.approx(start_s + 0.4, abs=0.04)
        with one_edit(page, "join"):
            page.keyboard.press("b")
        assert ask(page, SELECTED)[2] == start_s
        with one_edit(page, "move an edge"):
            page.keyboard.press("o")
        assert ask(page, SELECTED)[3] == cut_s
        after = ask(page, "model.segment(model.selection + 1)")
        seek(page, after["endS"] + 0.2)
        with one_edit(page, "relabel"):  # the next segment is covered
            page.keyboard.press("o")
        assert ask(page, SELECTED)[2:4] == [start_s, pytest.approx(after["endS"] + 0.2, abs=0.04)]
        with one_edit(page, "restore"):
            page.keyboard.press("u")
        assert ask(page, SELECTED)[4] == "machine"

        # a stretch: marked with shift; deleted, and something else added
        page.keyboard.down("Shift")
        drag(page, place(page, 1, 3.1), place(page, 1, 4.9))
        page.keyboard.up("Shift")
        with one_edit(page, "add yoga"):
            page.get_by_role("menuitem", name="Add a segment").click()
            choose(page, "yoga")
        with one_edit(page, "delete"):
            page.keyboard.press("Delete")
        assert ask(page, "[model.selection, model.selectedLane]") == [None, "p2"]

        # checked: one, all of a person, and all in view
        select(page, 1, 1.0)
        with one_edit(page, "check"):
            page.keyboard.press("c")
        progress = bench(page).locator(".progress")
        assert progress.inner_text().startswith(f"checked 1 of {ask(page, 'model.rows')} segments, ")
        with one_edit(page, "check person 2"):
            page.mouse.click(*place(page, 1, None), button="right")
            page.get_by_role("menuitem", name="Check all in view").click()
        with one_edit(page, "more"):
            progress.click()
            page.get_by_role("menuitem", name="Check all").click()
        assert progress.inner_text().endswith("100 % of the time")

        # people: named, split, merged by drag and by choice, hidden
        with one_edit(page, "name person 1 Anna"):
            page.mouse.dblclick(*place(page, 0, None))
            page.get_by_role("textbox", name="Name of Person 1").fill("Anna")
            page.keyboard.press("Enter")
        seek(page, 6.0)
        with one_edit(page, "split Anna"):
            page.keyboard.press("s")
        assert titles(page) == ["Anna", "Person 2", "Person 3", "Person 4"]
        assert ask(page, "model.selectedLane") == "p4"
        with one_edit(page, "merge person 4 into Anna"):
            bench(page).locator("[data-lane=p4]").drag_to(bench(page).locator("[data-lane=p1]"))
            page.get_by_role("menuitem", name="Person 4 is Anna").click()
        with one_edit(page, "merge person 3 into person 2"):
            drag(page, place(page, 2, None), place(page, 1, None))
            page.get_by_role("menuitem", name="Person 3 is Person 2").click()
            page.locator(".note", has_text="both are in view for").wait_for()
        with one_edit(page, "hide person 2"):
            page.keyboard.press("h")
        assert titles(page) == ["Anna"]
        with one_edit(page, "show person 2"):
            bench(page).get_by_role("button", name="1 hidden").click()
            page.get_by_role("menuitem", name="Person 2").click()

        # all of it is there after a refresh, and the command line makes the same of it
        corrected = ask(page, ROWS)
        thresholds = ask(page, "[model.view.minConfidence, model.view.minDurationS]")
        page.reload()
        wait_for_bench(page)
        assert ask(page, ROWS) == corrected
        assert rows_of_command_line(stored, data, tmp_path / "corrections.json", thresholds) == corrected

        # back to the machine's, and forth again
        edits = ask(page, "model.timeline.revision")
        bench(page).get_by_role("button", name="Undo").click()
        for _ in range(edits - 1):
            page.keyboard.press("Control+z")
        settle(page)
        assert ask(page, "model.timeline.undo") is None
        assert ask(page, ROWS) == machine
        assert titles(page) == ["Person 1", "Person 2", "Person 3"]
        for _ in range(edits):
            page.keyboard.press("Control+y")
        settle(page)
        assert ask(page, ROWS) == corrected


def rows_of_command_line(
    stored: StoredAnalysis, data: Path, file: Path, thresholds: tuple[float, float]
) -> list[list[Any]]:
    """Return the segments as ``analyze --corrections`` makes them of the stored edits."""
    sha256 = stored.timeline.video.sha256
    made = CorrectionStore(AnalysisStore(data).database).load(stored.analysis_id).corrections
    file.write_text(corrections_json(made, sha256), "utf-8")
    corrected = read_changes(str(file), None, "video.mp4", sha256).applied_to(stored.timeline)
    return [
        [f"p{s.person_id}", s.action, round(s.start_s, 4), round(s.end_s, 4), s.source, corrected.is_checked(s)]
        for s in corrected.segments(*thresholds)
    ]


def test_two_tabs_and_a_killed_server_lose_nothing(browser: Browser, server: AppServer, stored: StoredAnalysis) -> None:
    address = f"{server.url}/?run={stored.analysis_id}"
    with opened(browser, address) as page, opened(browser, address) as other:
        select(other, 1, 1.0)
        relabel(page, 0, "2")
        with one_edit(page, "check"):
            page.keyboard.press("c")
        other.bring_to_front()
        other.keyboard.press("3")  # without having seen what the first tab did
        wait_until(other, "model.timeline.revision === 3")
        wait_for_news(other, ELSEWHERE)
        settle(other)
        other.keyboard.press("F2")
        other.get_by_role("textbox", name="Name of Person 2").fill("Bo")
        other.keyboard.press("Enter")
        wait_until(other, "model.timeline.revision === 4")
        settle(other)
        expected = ask(other, ROWS)
        assert next(row for row in expected if row[0] == "p1")[4:] == ["human", True]
        assert next(row for row in expected if row[0] == "p2")[4:] == ["human", False]
        page.bring_to_front()
        page.evaluate("window.dispatchEvent(new Event('focus'))")  # headless pages have it all the time
        wait_until(page, "model.segments.revision === 4")  # they come after the timeline
        assert ask(page, ROWS) == expected, "what another tab did is seen without an edit of one's own"
        wait_for_news(page, ELSEWHERE)

        server.kill()
        select(page, 2, 1.0)
        page.keyboard.press("c")
        bench(page).get_by_role("alert").filter(has_text="The server does not answer").wait_for()
        assert bench(page).locator(".saved").inner_text() == "Not saved"
        server.start()
        page.goto(address)
        wait_for_bench(page)
        assert ask(page, ROWS) == expected
        assert titles(page) == ["Person 1", "Bo", "Person 3"]


def test_undo_takes_back_nothing_that_another_tab_did_unseen(
    browser: Browser, pages: str, stored: StoredAnalysis
) -> None:
    address = f"{pages}{stored.analysis_id}"
    with opened(browser, address) as page, opened(browser, address) as other:
        relabel(other, 1, "3")
        assert bench(other).locator(".news").text_content() == "", "an edit of one's own is no news"
        page.bring_to_front()
        ask(page, "model.catchUp()")
        relabel(page, 0, "2")
        both = ask(page, ROWS)
        other.bring_to_front()
        other.keyboard.press("Control+z")  # meant for the edit that this tab shows as the last
        wait_for_news(other, NOT_UNDONE)
        wait_until(other, "model.segments.revision === 2")
        settle(other)
        assert ask(other, ROWS) == both
        other.keyboard.press("Control+z")
        wait_until(other, "model.segments.revision === 3")
        settle(other)
        assert ask(other, "model.timeline.redo").startswith("relabel person 1 ")

        # it is said in the window, also when the picture is scrolled out of it
        other.set_viewport_size(NARROW)
        bench(other).locator(".filters").scroll_into_view_if_needed()
        tops = ask(
            other,
            """(model.emit("elsewhere"), [".bench", ".news"].map((one) =>
                lanes.host.getRootNode().querySelector(one).getBoundingClientRect().top))""",
        )
        assert tops[0] < -100
        assert 0 <= tops[1] < NARROW["height"]


def test_what_another_tab_did_unseen_is_said_however_it_comes(
    browser: Browser, pages: str, stored: StoredAnalysis
) -> None:
    address = f"{pages}{stored.analysis_id}"
    with opened(browser, address) as page, opened(browser, address) as other:
        relabel(other, 1, "3")
        own = ask(other, "model.timeline.undo")
        ask(page, "model.catchUp()")
        relabel(page, 0, "2")
        ask(other, "model.setView({})")  # the segments that come have the other tab's change
        assert ask(other, "[model.timeline.revision, model.told]") == [2, 1]
        wait_for_news(other, ELSEWHERE)
        ask(other, "model.catchUp()")
        assert ask(other, "model.told") == 1, "it is said once"
        undo(other, 3)
        assert ask(other, "model.timeline.undo") == own


def test_undo_asks_once_for_what_a_redraw_of_the_page_brought_unseen(
    browser: Browser, pages: str, stored: StoredAnalysis
) -> None:
    address = f"{pages}{stored.analysis_id}"
    with opened(browser, address) as page, opened(browser, address) as other:
        relabel(page, 0, "2")
        ask(other, "model.refresh(1)")  # the page around the workbench may have done it itself
        relabel(other, 1, "3")
        undo(other, 3)  # an edit of one's own
        assert bench(other).locator(".news").text_content() == ""
        other.keyboard.press("Control+z")
        wait_for_news(other, NOT_UNDONE)
        settle(other)
        assert ask(other, "model.timeline.revision") == 3
        undo(other, 4)

        # what leaves the latest edit as it is, as label groups do, is not asked for
        relabel(other, 1, "3")
        ask(page, "model.catchUp()")
        relabel(page, 0, "2")
        undo(page, 7)
        ask(other, "model.refresh(7)")
        undo(other, 8)
        assert ask(other, "model.told") == 0


def test_an_undo_that_began_meanwhile_is_not_unseen(browser: Browser, pages: str, stored: StoredAnalysis) -> None:
    with opened(browser, f"{pages}{stored.analysis_id}") as page:
        relabel(page, 0, "2")
        is_foreign = ask(
            page,
            """(async ({ api }) => {
                api.revision = async () => {
                    delete api.revision;
                    await model.undo();
                    return api.revision();
                };
                return model.catchUp();
            })(model)""",
        )
        assert not is_foreign
        assert ask(page, "model.timeline.revision") == 2
        assert bench(page).locator(".news").text_content() == ""


def undo(page: Page, revision: int) -> None:
    """Take something back by key; it makes a revision."""
    page.bring_to_front()
    page.keyboard.press("Control+z")
    wait_until(page, "model.segments.revision === given", revision)
    settle(page)


def test_review_by_keys_and_menus_that_stay_in_the_window(browser: Browser, pages: str, stored: StoredAnalysis) -> None:
    with opened(browser, f"{pages}{stored.analysis_id}?dark", viewport=NARROW, has_touch=True) as page:
        rows = ask(page, "model.rows")
        bench(page).focus()
        page.keyboard.press(".")
        first = ask(page, "model.selection")
        likely = sorted(ask(page, f"model.likely({first})"), key=lambda one: -one[1])
        with one_edit(page, "relabel"):
            page.keyboard.press("2")
        assert ask(page, SELECTED)[1] == likely[1][0]
        page.keyboard.press("c")
        page.keyboard.press(".")  # while the edit is on its way
        settle(page)
        assert ask(page, "model.segments.checked.reduce((sum, one) => sum + one, 0)") == 1
        assert ask(page, f"model.segments.checked[{first}]") == 1
        assert ask(page, "model.selection") != first
        assert bench(page).locator(".progress").inner_text().startswith(f"checked 1 of {rows} segments, ")

        # no key means two things
        keys = bench(page).evaluate(
            """async () => {
                const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
                const { KEYS } = await import(loaded.find((name) => name.endsWith("/keys.js")));
                return KEYS.flatMap((one) => one.keys);
            }"""
        )
        assert len(keys) == len(set(keys)) > 30

        # what cannot be done says why, and changes nothing
        revision = ask(page, "model.timeline.revision")
        seek(page, 0.0)
        ask(page, "model.select(1)")
        page.keyboard.press("x")
        bench(page).get_by_role("status").filter(has_text="The playhead is not within the segment").wait_for()
        refused = ask(page, "model.applyEdits([{ edit: 'split', person_id: 1, at_s: 900, new_id: 9 }])")
        assert (refused, ask(page, "model.timeline.revision")) == (False, revision)

        # the picker: the focus stays in it, and comes back
        page.keyboard.press("r")
        field = page.get_by_role("combobox", name="Label of")
        field.wait_for()
        page.keyboard.press("ArrowDown")
        marked = field.get_attribute("aria-activedescendant")
        assert page.locator(f"#{marked}").get_attribute("aria-selected") == "true"
        for _ in range(3):
            page.keyboard.press("Tab")
            assert page.locator("dialog.popup :focus").count() == 1
        page.keyboard.press("Escape")
        page.locator("dialog.popup").wait_for(state="detached")
        assert bench(page).evaluate("(one) => one.getRootNode().activeElement === one")

        # menus at the corners of the window, by finger
        for x, y in ((4, 4), (386, 840), (386, 4), (4, 840)):
            for kind, what in (("segment-menu", "row: 1"), ("lane-menu", "laneIndex: 1")):
                ask(
                    page,
                    f"lanes.host.dispatchEvent(new CustomEvent('{kind}', {{ detail: {{ {what}, x: {x}, y: {y} }} }}))",
                )
                menu = page.locator("dialog.popup")
                menu.wait_for()
                box = menu.bounding_box()
                assert box is not None
                assert box["x"] >= 0
                assert box["y"] >= 0
                assert box["x"] + box["width"] <= NARROW["width"]
                assert box["y"] + box["height"] <= NARROW["height"]
                page.keyboard.press("Escape")
                menu.wait_for(state="detached")
        bench(page).locator(".person-now").tap()
        with one_edit(page, "merge person 2 into person 3"):
            page.get_by_role("menuitem", name="Is the same person as").tap()
            page.get_by_role("combobox", name="is the same person as").wait_for()
            page.locator("dialog.popup").get_by_role("option", name="Person 3").tap()
