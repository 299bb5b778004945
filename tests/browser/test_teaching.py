"""Own actions taught in the workbench in Chromium, on analyses that no network made: marked, named, undone, found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recognizer.dashboard import server
from recognizer.service.store import AnalysisStore, StoredAnalysis
from tests.support.browser import STEP_TIMEOUT_MS, settled_box
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.workbench import store_analysis
from tests.support.workbench_actions import ask, bench, wait_for_bench, wait_until
from tests.support.workbench_page import HOST, workbench_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TIMELINE = featured_timeline(2, 20.0, action_s=6.0)
OTHER = featured_timeline(2, 20.0, seed=2, sha256="ef" * 32, action_s=6.0)
FIRST, SECOND = (label for label in labels_of(TIMELINE, 1) if label in labels_of(TIMELINE, 2))
WIDE = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
NAMES = """Array.from(model.segments.lane.keys()).map((row) => model.segment(row))
    .filter(({ lane }) => lane.key === given[0]).map(({ action }) => action)"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teaching") / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def stored(data: Path) -> StoredAnalysis:
    return store_analysis(data, TIMELINE)


@pytest.fixture(scope="module")
def other(data: Path, stored: StoredAnalysis) -> StoredAnalysis:
    return store_analysis(data, OTHER, stored.video_path)


@pytest.fixture(scope="module")
def pages(data: Path) -> Iterator[str]:
    with workbench_server(AnalysisStore(data)) as address:
        yield address


@contextmanager
def opened(browser: Browser, address: str, *analyses: StoredAnalysis, **options: Any) -> Iterator[Page]:
    """Open a page in a browser that remembers these analyses; finally, check that no script has failed."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    ids = [one.analysis_id for one in analyses]
    context.add_init_script(f"localStorage.setItem('who-does-what-when.analyses', JSON.stringify({ids}))")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(STEP_TIMEOUT_MS)
    page.goto(address)
    wait_for_bench(page)
    settled_box(bench(page))
    bench(page).scroll_into_view_if_needed()
    yield page
    context.close()
    assert not errors


def place(page: Page, lane: int, time_s: float) -> tuple[float, float]:
    """Return where a time of a lane is in the window."""
    x, y = ask(
        page,
        """(({ left, top }) => [
            left + lanes.layout.titlePx + lanes.view.xOf(given[1]),
            top + lanes.layout.top(given[0]) + lanes.layout.lanePx / 2,
        ])(lanes.stage.getBoundingClientRect())""",
        [lane, time_s],
    )
    return x, y


def mark(page: Page, lane: int, start_s: float, end_s: float) -> None:
    """Drag over a stretch of a lane with shift, without snapping."""
    for key in ("Shift", "Alt"):
        page.keyboard.down(key)
    page.mouse.move(*place(page, lane, start_s))
    page.mouse.down()
    page.mouse.move(*place(page, lane, (start_s + end_s) / 2))
    page.mouse.move(*place(page, lane, end_s))
    page.mouse.up()
    for key in ("Shift", "Alt"):
        page.keyboard.up(key)


def type_name(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="do here?").wait_for()
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def says(page: Page, text: str) -> None:
    """Wait for what the note and people who listen are told."""
    page.locator(".toast").filter(has_text=text).wait_for()
    bench(page).get_by_role("status").filter(has_text=text).first.wait_for()


def shows(page: Page, name: str, lane: str = "p1") -> None:
    """Wait until a lane has a name."""
    wait_until(page, f"{NAMES}.includes(given[1])", [lane, name])


def names(page: Page, lane: str = "p1") -> set[str]:
    return set(ask(page, NAMES, [lane]))


def revision(page: Page) -> int:
    found: int = ask(page, "model.timeline.revision")
    return found


def test_taught_where_one_looks_everybody_is_named_at_once_and_undo_takes_it_back(
    browser: Browser, pages: str, stored: StoredAnalysis
) -> None:
    with opened(browser, pages + stored.analysis_id, stored) as page:
        machine = names(page)
        # a stretch is marked and named; one kind of example teaches nothing yet
        mark(page, 0, *stretch_of(TIMELINE, 1, FIRST))
        page.get_by_role("menuitem", name="Teach as an example").click()
        type_name(page, "resting")
        says(page, "Taught “resting” in “My actions”. Own names appear once")
        assert names(page) == machine
        assert len(page.evaluate("JSON.parse(localStorage.getItem('who-does-what-when.sets'))")) == 1

        # a segment is taught by its key; the other person is named, too
        start_s, end_s = stretch_of(TIMELINE, 1, SECOND)
        page.mouse.click(*place(page, 0, (start_s + end_s) / 2))
        page.keyboard.press("t")
        page.get_by_role("option", name="resting").wait_for()
        for typed, first in (("rest", "resting"), ("sting", "New: “sting”")):
            page.keyboard.type(typed)
            assert page.locator("dialog.popup .label").all_inner_texts()[0] == first, "Enter takes it"
            page.keyboard.press("Control+a")
        page.keyboard.press("Delete")
        page.get_by_role("option", name="None of these").click()
        says(page, "Taught “none of these”")
        shows(page, "resting")
        shows(page, "resting", "p2")
        assert FIRST not in names(page)

        # undo: by key, in the note, and at the button
        before = revision(page)
        page.keyboard.press("Control+z")
        says(page, "No longer taught: “none of these”")
        assert revision(page) != before
        assert names(page) == machine
        mark(page, 0, start_s, end_s)
        page.keyboard.press("t")
        type_name(page, "serving")
        shows(page, "serving", "p2")
        assert bench(page).get_by_role("button", name="Undo: teach “serving”").count() == 1
        page.locator(".toast").get_by_role("button", name="Undo").click()
        says(page, "No longer taught: “serving”")
        assert names(page) == machine

        # one after the other, as with corrections
        for name in ("serving", "waiting"):
            mark(page, 0, start_s, end_s)
            page.keyboard.press("t")
            type_name(page, name)
            says(page, f"Taught “{name}”")
        page.keyboard.press("Control+z")
        says(page, "No longer taught: “waiting”")
        page.keyboard.press("Control+z")
        says(page, "No longer taught: “serving”")
        assert names(page) == machine

        # a moment that shows nothing is refused next to it
        x, y = place(page, 0, 5.1)
        mark(page, 0, 5.0, 5.2)
        page.keyboard.press("t")
        type_name(page, "falling")
        says(page, "mark at least 0.3 s")
        box = page.locator(".toast").bounding_box()
        assert box is not None
        assert abs(box["y"] - y) < 60
        assert box["x"] < x + 60

        # a corrected label offers itself
        page.mouse.click(*place(page, 1, sum(stretch_of(TIMELINE, 2, SECOND)) / 2))
        page.keyboard.press("r")
        page.get_by_role("combobox", name="Label of").wait_for()
        page.keyboard.type("serving")
        page.keyboard.press("Enter")
        page.locator(".toast").get_by_role("button", name="Teach this as an example").click()
        says(page, "Taught “serving”")
        shows(page, "serving")
        page.reload()
        wait_for_bench(page)
        assert "serving" in names(page)

        # what is taught stands in the lane, and can be taken back there
        assert ask(page, "model.shownLanes.map(({ taught }) => taught.map(({ action }) => action))") == [
            ["resting"], ["serving"],
        ]  # fmt: skip
        page.mouse.click(*place(page, 1, sum(stretch_of(TIMELINE, 2, SECOND)) / 2), button="right")
        page.get_by_role("menuitem", name="No longer teach “serving”").click()
        says(page, "No longer taught: “serving”")
        assert "serving" not in names(page)
        page.locator(".toast").get_by_role("button", name="Undo").click()
        says(page, "Taught again: “serving”")
        assert "serving" in names(page)


def test_own_lanes_beside_the_networks_and_moments_alike(
    browser: Browser, pages: str, stored: StoredAnalysis, other: StoredAnalysis
) -> None:
    own = server.context().own_actions
    set_id = own.create("Gym")
    for label, name in ((FIRST, "resting"), (SECOND, "serving")):
        own.add_example(set_id, stored.analysis_id, 1, *stretch_of(TIMELINE, 1, label), name)
    own.choose(stored.analysis_id, set_id, "beside")
    start_s, end_s = stretch_of(TIMELINE, 1, FIRST)
    with opened(browser, pages + stored.analysis_id, stored, other, viewport=NARROW, has_touch=True) as page:
        assert ask(page, "model.shownLanes.map(({ key, classifier }) => [key, classifier])") == [
            ["p1", "Gym"], ["p1-1", "i3d"], ["p2", "Gym"], ["p2-1", "i3d"],
        ]  # fmt: skip
        assert FIRST in names(page, "p1-1")
        assert names(page) <= {"resting", "serving", "unknown"}

        # the network's lane cannot be corrected, and everything else about the person can
        before = revision(page)
        page.mouse.click(*place(page, 1, start_s + 0.5))
        page.keyboard.press("2")
        bench(page).get_by_role("status").filter(has_text="what the network said").wait_for()
        page.keyboard.press("Delete")
        assert revision(page) == before
        page.keyboard.press("F2")
        page.get_by_role("textbox", name="Name of Person 1").fill("Anna")
        page.keyboard.press("Enter")
        wait_until(page, "model.timeline.revision > given", before)
        assert ask(page, "model.shownLanes.map(({ title }) => title)") == ["Anna", "Anna", "Person 2", "Person 2"]

        # it can be taught from, by finger
        bench(page).get_by_role("button", name="Select time", exact=True).tap()
        ask(page, "lanes.host.dispatchEvent(new CustomEvent('stretch', { detail: given }))",
            {"laneIndex": 1, "startS": start_s, "endS": end_s, "x": 200, "y": 400})  # fmt: skip
        assert page.get_by_role("menuitem").count() == 2
        page.get_by_role("menuitem", name="More like this").tap()

        # moments alike: those here go there, others are links that open at the moment
        page.locator(".moment").first.wait_for()
        cards = page.locator(".moment")
        assert cards.count() > 4
        page.wait_for_function(f"{HOST}.shadowRoot.querySelector('.moment img').naturalWidth > 0")
        here, there = page.locator("button.moment").first, page.locator("a.moment").first
        assert (here.get_attribute("aria-label") or "").startswith("generated.mp4, person ")
        link = there.get_attribute("href") or ""
        assert f"run={other.analysis_id}#person=" in link
        here.tap()
        page.locator("dialog.popup").wait_for(state="detached")
        assert ask(page, "model.selection !== null && model.timeS > 0")
    moment = link.partition("#")[2]
    with opened(browser, f"{pages}{other.analysis_id}#{moment}", other) as page:
        wait_until(page, "model.selectedLane !== null")
        at_s = float(moment.rpartition("=")[2])
        assert ask(page, "model.timeS") == pytest.approx(at_s, abs=0.04)
        assert page.evaluate("location.hash") == ""


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, NARROW])
def test_what_is_said_of_an_example_covers_nothing_beside_the_workbench(
    browser: Browser, pages: str, stored: StoredAnalysis, viewport: ViewportSize
) -> None:
    """Regression: wider than the picture, it lay over the sidebar."""
    with opened(browser, pages + stored.analysis_id, stored, viewport=viewport) as page:
        if viewport != NARROW:
            page.evaluate("document.body.style.padding = '16px 80px 16px 380px'")  # as in the app
        text = (
            "Taught “resting” in “My actions”. Own names appear once there are examples of two actions, from any video."
        )
        page.evaluate(f"(text) => {HOST}.recognizer.editing.teaching.toast.show(text, [['Undo', () => {{}}]])", text)
        said, around = settled_box(page.locator(".toast")), settled_box(bench(page))
        assert around["x"] <= said["x"]
        assert said["x"] + said["width"] <= around["x"] + around["width"]
