"""The results page around the workbench in Chromium: filter, label groups, downloads, summaries."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from tests.support.browser import (
    OpenPage,
    chart,
    downloaded,
    main,
    select_segment,
    settled_box,
    shown_actions,
    wait_for_results,
    wait_for_text,
)
from tests.support.tables import rows_of
from tests.support.workbench import generated_timeline, store_analysis
from tests.support.workbench_actions import ask, bench, wait_for_bench, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def stored(app_data: Path) -> str:
    """The query of an analysis of three people."""
    return f"/?run={store_analysis(app_data, generated_timeline(3, 12.0)).analysis_id}"


def assert_the_menu_opens_where_it_has_room(page: Page) -> None:
    """Fault: it chose its side before it had its entries, and scrolled 18 of them in the 140 pixels below."""
    opener = main(page).get_by_role("button", name="More formats")
    opener.evaluate("(one) => one.scrollIntoView({ block: 'end' })")
    page.get_by_test_id("stMain").evaluate("(one) => one.scrollBy(0, 150)")
    assert settled_box(opener)["y"] > 600
    opener.click()
    menu = page.get_by_test_id("stPopoverBody")
    menu.get_by_role("button", name="AVA label map").wait_for()
    assert settled_box(menu)["height"] > 500
    page.keyboard.press("Escape")
    menu.wait_for(state="detached")


def test_filter_groups_downloads_and_tables_follow_one_another(open_page: OpenPage, stored: str) -> None:
    page = open_page(stored, viewport={"width": 1440, "height": 900})
    wait_for_bench(page)
    everything = ask(page, "model.rows")
    popover = page.get_by_test_id("stPopoverBody")
    assert_the_menu_opens_where_it_has_room(page)

    # a filter reaches the lanes, the table and the file, and one click takes it away
    main(page).get_by_role("button", name="Filter").click()
    assert popover.get_by_label("To (s)").input_value() == "12.0", "the fields begin with everything"
    popover.get_by_label("To (s)").fill("6")
    page.keyboard.press("Enter")
    wait_until(page, "Math.max(...model.segments.endS) <= 6")
    popover.get_by_text("People").first.click()
    popover.get_by_role("combobox", name="People").fill("Person 2")
    page.keyboard.press("Enter")
    wait_until(page, "model.segments && model.shownLanes.length === 1")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    kept = ask(page, "model.rows")
    wait_for_text(main(page).get_by_test_id("stCaptionContainer"), rf"Only Person 2 · 0\.0 s to 6\.0 s: {kept} of ")
    rows = rows_of(downloaded(page, "Timeline as CSV")[1])
    assert len(rows) == kept
    assert {row["person_id"] for row in rows} == {"2"}
    assert max(float(row["end_s"]) for row in rows) == 6.0
    main(page).get_by_role("button", name="Show all").click()
    wait_until(page, f"model.rows === {everything}")

    # groups take the place of labels, here and in the file, also after a refresh
    main(page).get_by_role("button", name="Label groups").click()
    popover.get_by_role("textbox", name="Group", exact=True).fill("calm")
    page.keyboard.press("Tab")
    labels = popover.get_by_role("combobox", name="Its labels")
    for label in ("yoga", "tai chi"):
        labels.fill(label)
        page.keyboard.press("Enter")
        popover.locator("[data-tag]").filter(has_text=label).wait_for()
    page.keyboard.press("Escape")
    popover.get_by_role("textbox", name="Everything else").fill("lively")
    page.keyboard.press("Tab")
    popover.get_by_role("button", name="Save").click()
    wait_until(page, "model.segments.actions.includes('lively')")
    assert shown_actions(page) <= {"calm", "lively", "unknown"}
    assert ask(page, "[model.timeline.revision, model.told]") == [1, 0], "the page's own change is not another tab's"
    page.reload()
    wait_for_results(page)
    assert "lively" in shown_actions(page)
    assert {row["action"] for row in rows_of(downloaded(page, "Timeline as CSV")[1])} <= {"calm", "lively", "unknown"}

    # a summary, its file, and a row that takes the workbench to its segment
    chart(page).scroll_into_view_if_needed()
    wait_for_text(chart(page), "lively")
    name, content = downloaded(page, "This table (CSV)")
    assert name == "generated.budget.csv"
    assert {row["person_name"] for row in rows_of(content)} == {"Person 1", "Person 2", "Person 3", "everyone"}
    tab = main(page).get_by_role("tab", name="Who appeared when")
    tab.evaluate("(one) => one.scrollIntoView({ block: 'center' })")
    top = settled_box(tab)["y"]
    for name in ("Who appeared when", "Time per action", "At the same time"):  # short, long, short
        main(page).get_by_role("tab", name=name).click()
        assert settled_box(tab)["y"] == pytest.approx(top, abs=1), "nothing jumps"
    select_segment(page, row=1)
    name, content = downloaded(page, "This segment (MP4)")
    row = rows_of(downloaded(page, "Timeline as CSV")[1])[1]
    assert ask(page, "model.timeS") == pytest.approx(float(row["start_s"]), abs=0.05)
    assert name == f"generated-person-{row['person_id']}-{float(row['start_s']):.1f}s.mp4"
    with av.open(io.BytesIO(content), "r") as container:
        assert len(list(container.decode(video=0))) == pytest.approx(30 * float(row["duration_s"]), abs=1)
    assert bench(page).is_visible()


def test_file_has_what_a_field_says_that_was_left_by_pressing_its_button(open_page: OpenPage, stored: str) -> None:
    """Regression: the file was that of the page as it was before the field counted."""
    page = open_page(stored, viewport={"width": 1440, "height": 900})
    wait_for_bench(page)
    main(page).get_by_role("button", name="Filter").click()
    page.get_by_test_id("stPopoverBody").get_by_label("To (s)").fill("6")
    rows = rows_of(downloaded(page, "Timeline as CSV")[1])
    assert max(float(row["end_s"]) for row in rows) == 6.0


def test_back_from_a_result_leads_to_what_was_there_before_it_and_forward_to_it(
    open_page: OpenPage, stored: str
) -> None:
    """Regression: Back showed the same result again."""
    page = open_page(stored)
    wait_for_bench(page)
    page.goto(page.url.partition("?")[0])
    main(page).get_by_role("combobox", name="Open an earlier analysis").click()
    page.get_by_role("option").first.click()
    wait_for_bench(page)
    for _ in range(2):
        page.wait_for_url(f"**{stored}")
        page.go_back()
        main(page).get_by_role("heading", name="Who does what, when").wait_for()
        bench(page).wait_for(state="detached")
        assert "run=" not in page.url
        page.go_forward()
        wait_for_bench(page)
