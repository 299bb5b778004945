"""The library in Chromium, on a machine of one person: two thousand runs, what is done with them, and faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from recognizer.batch.findings import BoutQuery, Findings
from recognizer.service.corrections import CorrectionStore
from recognizer.service.runs import Run, RunStore
from recognizer.service.store import AnalysisStore
from tests.support.app_server import AppServer
from tests.support.batches import Video, batch_at, seen, store_batch
from tests.support.browser import ROW_PX, STEP_TIMEOUT_MS, WORK_TIMEOUT_MS, Visitors, downloaded, main, started
from tests.support.library import store_real_run, store_runs, store_upload
from tests.support.waiting import wait_until
from tests.support.workbench import write_video
from tests.support.workbench_actions import ask, wait_for_bench

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Position

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

MANY = 2000
OWN = "/recognizer/"  # Streamlit tries addresses of its own that are not there
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A data folder with many runs, the latest of which has a video and a result."""
    folder = tmp_path_factory.mktemp("library")
    data = folder / "data"
    data.mkdir()
    store_runs(AnalysisStore(data).database, MANY)
    store_upload(data, folder, "not analysed.mp4")
    timeline = seen(2, 8.0, seed=3)
    write_video(folder / "camera.mp4", timeline)
    store_batch(data / "batches" / "season", [Video("camera.mp4", "yard", timeline)], folder)
    return data, store_real_run(data, folder, "final.mp4")


@pytest.fixture(scope="module")
def app(stored: tuple[Path, Run]) -> Iterator[AppServer]:
    data, _ = stored
    with AppServer(data, data.parent / "log.txt", environment={"RECOGNIZER_LIMIT_ALONE": "true"}) as server:
        yield server


@pytest.fixture
def visit(browser: Browser, app: AppServer) -> Iterator[Any]:
    """Open the app as a visitor; finally, check that no page raised an error or asked for what is not there."""
    visitors = Visitors(browser, app.url)
    errors: list[str] = []

    def open_it(path: str, **options: Any) -> Page:
        page = visitors.new_page(**options)
        page.set_default_timeout(STEP_TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("response", lambda one: errors.append(one.url) if one.status == 404 and OWN in one.url else None)
        page.goto(f"{app.url}{path}")
        return page

    yield open_it
    visitors.close()
    assert not errors


def listed(page: Page) -> Locator:
    return page.locator(".lib tbody tr")


def total(page: Page) -> Locator:
    return page.locator(".lib .l-total")


def act(page: Page, row: Locator, label: str) -> None:
    row.get_by_role("button", name=re.compile("^More about")).click()
    page.get_by_role("menuitem", name=label).click()


def load_ms(page: Page) -> float:
    """Time of loading and drawing the whole list again, in the browser, as its own code does it."""
    time_ms: float = page.evaluate(
        """async () => {
            const { library } = document.querySelector("[data-testid=stBidiComponentIsolated]");
            const began = performance.now();
            await library.load();
            await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
            return performance.now() - began;
        }"""
    )
    return time_ms


def test_runs_are_found_named_deleted_brought_back_and_opened(visit: Any, stored: tuple[Path, Run]) -> None:
    data, real = stored
    runs = RunStore(AnalysisStore(data).database)
    page = visit("/library", viewport=WIDE)
    listed(page).first.wait_for(timeout=WORK_TIMEOUT_MS)
    expect(total(page)).to_contain_text("2,001 runs")
    first = listed(page).first
    expect(first).to_contain_text("final.mp4")
    expect(first.locator("img")).to_have_js_property("complete", True)
    assert first.locator("img").evaluate("(one) => one.naturalWidth") > 100
    assert listed(page).count() <= 120, "only what is scrolled to is drawn"
    assert min(load_ms(page) for _ in range(3)) < 1000

    # scrolling draws more, a search and filters draw less
    before = listed(page).count()
    listed(page).last.scroll_into_view_if_needed()
    expect(listed(page).nth(before)).to_be_attached()
    page.get_by_label("Search").fill("match 7 ")
    expect(total(page)).to_contain_text("of 2,001 runs")
    page.get_by_label("Search").fill("")
    page.get_by_label("State", exact=True).select_option("failed")
    expect(listed(page).first).to_contain_text("ends in the middle")
    page.get_by_label("State", exact=True).select_option("")
    page.get_by_label("Kind").select_option("comparison")
    expect(listed(page).first).to_contain_text("Comparison")
    page.get_by_label("Kind").select_option("")

    # sorted by a column, both ways
    head = page.locator(".lib th.l-length")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    longest = listed(page).first.locator(".l-length").inner_text()
    head.get_by_role("button").click()
    assert longest != listed(page).first.locator(".l-length").inner_text()
    page.locator(".lib th.l-date").get_by_role("button").click()

    # renamed to what would be HTML, tagged, and both taken back
    first = listed(page).first
    act(page, first, "Rename")
    page.get_by_role("textbox", name="Name of final.mp4").fill("<img src=x onerror=alert(1)> Final")
    page.keyboard.press("Enter")
    expect(first.locator(".l-title")).to_have_text("<img src=x onerror=alert(1)> Final")
    page.get_by_role("button", name="Undo").click()
    expect(first.locator(".l-title")).to_have_text("final.mp4")
    act(page, first, "Tags")
    page.get_by_role("combobox", name=re.compile("^Tags of final.mp4")).fill("cup, juniors")
    page.keyboard.press("Enter")
    expect(first.locator(".l-tag")).to_have_count(2)
    first.get_by_role("button", name="cup").click()
    expect(listed(page)).to_have_count(1)
    page.get_by_label("Tag", exact=True).select_option("")

    # deleted, with what goes said before, and brought back in two ways
    act(page, first, "Delete")
    asking = page.get_by_role("dialog")
    expect(asking).to_contain_text("Its video goes too")
    asking.get_by_role("button", name="Delete").click()
    expect(total(page)).to_contain_text("2,000 runs")
    page.get_by_role("button", name="Undo").click()
    expect(total(page)).to_contain_text("2,001 runs")
    act(page, listed(page).first, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Deleted").click()
    expect(listed(page)).to_have_count(1)
    act(page, listed(page).first, "Bring back")
    page.get_by_text("Nothing is deleted.").wait_for()
    page.get_by_role("button", name="Deleted").click()
    assert runs.load(real.run_id).removed_at is None  # type: ignore[union-attr]

    # opened without loading everything again, and back
    listed(page).first.get_by_role("link").click()
    wait_for_bench(page)
    assert f"run={real.run_id}" in page.url
    expect(page).to_have_title("final.mp4")
    page.get_by_role("link", name="Library").first.click()
    listed(page).first.wait_for()

    # an upload that nobody analysed is found, deleted, brought back and opened
    page.get_by_label("Kind").select_option("video")
    expect(total(page)).to_contain_text("1 of 2,001 runs and 1 upload")
    first = listed(page).first
    expect(first).to_contain_text("not analysed.mp4")
    expect(first.locator(".l-state")).to_have_text("Not analysed")
    first.locator("img").wait_for()
    act(page, first, "Delete")
    page.get_by_role("dialog").get_by_text("Its room is free").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(listed(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    listed(page).first.locator("img").click()  # fault: a press on the picture did nothing
    main(page).get_by_text("not analysed.mp4").first.wait_for()
    started(page).wait_for(state="attached")

    # on a phone, nothing is wider than the screen
    narrow = visit("/library", viewport=NARROW, color_scheme="dark")
    listed(narrow).first.wait_for()
    assert narrow.evaluate("document.documentElement.scrollWidth <= innerWidth")
    widest = narrow.evaluate(
        """() => Math.max(...[...document.querySelector("[data-testid=stBidiComponentIsolated]").shadowRoot
            .querySelectorAll("tr, .l-fields > *")].map((one) => one.getBoundingClientRect().right))"""
    )
    assert widest <= NARROW["width"]
    narrow.get_by_label("Order").select_option("name")
    expect(listed(narrow).first).to_contain_text("final.mp4")
    narrow.get_by_label("Order").select_option("date")
    act(narrow, listed(narrow).first, "Open")
    wait_for_bench(narrow)


def test_corrections_survive_a_database_that_breaks_meanwhile(visit: Any, stored: tuple[Path, Run]) -> None:
    data, real = stored
    database = data / "analyses.sqlite3"
    page = visit(f"/?run={real.run_id}", viewport=WIDE)
    wait_for_bench(page)
    healthy = database.read_bytes()
    with database.open("r+b") as file:
        file.write(b"this is no database " * 200)
    try:
        ask(page, "model.applyEdits([{ edit: 'name', person_id: 1, name: 'Ana' }])")
        notice = main(page).get_by_text("What you changed in this analysis is not saved yet").first
        notice.wait_for()
        _, table = downloaded(page, "Timeline as CSV")
        assert b"Ana" in table
        main(page).get_by_role("button", name="Save now").click()
        expect(notice).to_contain_text("is damaged")
        assert ask(page, "model.rows") > 0
        page.get_by_role("link", name="Library").first.click()
        main(page).get_by_role("heading", name="Library").wait_for()
    finally:
        with database.open("r+b") as file:
            file.write(healthy)
    store = CorrectionStore(AnalysisStore(data).database)
    wait_until(lambda: bool(store.load(real.run_id).corrections.edits))  # by itself
    assert [type(one).__name__ for one in store.load(real.run_id).corrections.edits] == ["Name"]
    page.goto(f"{page.url.split('/library')[0]}/?run={real.run_id}")
    wait_for_bench(page)
    assert "not saved yet" not in main(page).inner_text()


def test_a_bout_that_a_search_over_a_batch_finds_is_shown(visit: Any, stored: tuple[Path, Run]) -> None:
    data, _ = stored
    found = Findings(batch_at(data / "batches" / "season"))
    bout = found.bouts(BoutQuery(found.actions[0], order="video")).to_pylist()[-1]
    page = visit("/batches", viewport=WIDE)
    page.get_by_role("tab", name="Find moments").click(timeout=WORK_TIMEOUT_MS)
    page.get_by_role("combobox", name="Action").fill(found.actions[0])
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="At least (s)").fill(f"{bout['duration_s']:.1f}")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("bouts?, .* in all"))).to_be_visible()
    table = main(page).get_by_test_id("stDataFrame")
    cell: Position = {"x": ROW_PX, "y": 1.5 * ROW_PX}
    table.hover(position=cell)
    expect(table.get_by_test_id("data-grid-canvas")).to_have_css("cursor", "pointer")  # a link only after that
    with page.context.expect_page() as opening:
        table.click(position=cell)
    opened = opening.value
    wait_for_bench(opened)
    shown = found.bouts(BoutQuery(found.actions[0], round(bout["duration_s"], 1))).to_pylist()[0]
    assert ask(opened, "player.video.currentTime") == pytest.approx(shown["start_s"], abs=0.1)
    assert opened.get_by_role("heading", name="camera.mp4").is_visible()
