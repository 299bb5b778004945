"""Comparing as users do it: a real server, the real i3d next to a real checkpoint, a real clip, Chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import (
    ROW_PX,
    WORK_TIMEOUT_MS,
    OpenPage,
    chart,
    downloaded,
    main,
    upload_field,
    wait_for_text,
)
from tests.support.checkpoints import fight_weights
from tests.support.tables import rows_of
from tests.support.workbench_actions import ask, bench, wait_for_bench, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(580)]


@pytest.fixture(scope="module")
def fights() -> Path:
    return fight_weights()


def wait_for_comparison(page: Page) -> None:
    main(page).get_by_role("heading", name="Cost of each classifier").wait_for(timeout=WORK_TIMEOUT_MS)
    wait_for_bench(page)


def add_checkpoint(page: Page, checkpoint: Path, labels: Path) -> None:
    main(page).get_by_role("button", name="Add your own checkpoint").click()
    popover = page.get_by_test_id("stPopoverBody")
    popover.get_by_role("combobox").click()
    page.get_by_role("option", name="ResNet with mixed convolutions, 18 layers").click()
    for number, file in enumerate((checkpoint, labels)):
        popover.locator("input[type=file]").nth(number).set_input_files(file)
        popover.get_by_text(file.name, exact=True).wait_for()
    popover.get_by_role("button", name="Add this checkpoint").click()
    main(page).get_by_text("your own ResNet with mixed convolutions").wait_for()
    page.keyboard.press("Escape")


def test_i3d_beside_a_checkpoint_of_two_classes(
    open_page: OpenPage, browser: Browser, tai_chi: Path, fights: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "fights.txt"
    labels.write_text("fight\nnoFight\n")
    page = open_page()
    page.get_by_role("link", name="Compare classifiers").click()
    main(page).get_by_role("heading", name="Compare classifiers").wait_for()
    upload_field(page).set_input_files(tai_chi)
    main(page).get_by_role("button", name="Compare", exact=True).wait_for()
    add_checkpoint(page, fights, labels)
    main(page).get_by_role("button", name="Remove").nth(1).click()
    main(page).get_by_role("button", name="Remove").nth(2).wait_for(state="detached")

    main(page).get_by_role("button", name="Compare", exact=True).click()
    # a page that asks once a second need not see each step
    wait_for_text(main(page).get_by_test_id("stProgress"), "network|Finding people, once for all|[12] of 2")
    wait_for_comparison(page)
    assert "comparison=" in page.url
    # until then, it shows the one that ran first
    wait_until(page, "model.segments && model.shownLanes.length === 2", timeout_ms=WORK_TIMEOUT_MS)
    assert ask(page, "model.shownLanes.map((lane) => [lane.title, lane.classifier])") == [
        ["Person 1", "i3d"],
        ["Person 1", "mc3_18:model_16_m3_0.8888"],
    ]
    assert {"tai chi", "noFight"} <= set(ask(page, "model.segments.actions"))
    bench(page).get_by_role("option", name=re.compile(r"^Person 1 .*i3d: .*tai chi.*mc3_18")).wait_for()

    name, content = downloaded(page, "Segments as CSV")
    assert name == "tai_chi-compared.csv"
    said = {(row["classifier"], row["action"]) for row in rows_of(content)}
    assert {("i3d", "tai chi"), ("mc3_18:model_16_m3_0.8888", "noFight")} <= said

    differences = main(page).get_by_test_id("stDataFrame").nth(1)
    differences.scroll_into_view_if_needed()
    differences.click(position={"x": ROW_PX / 2, "y": 1.5 * ROW_PX})
    told = r"Input: \d+ pictures from .*, each with its surroundings, mirrored and with other people covered"
    wait_for_text(main(page).get_by_test_id("stCaptionContainer"), told)
    page.wait_for_function("() => document.querySelectorAll('[data-testid=stImage] img').length >= 24")
    moment = main(page).get_by_text(re.compile(r"^Person 1, [\d.]+ s to [\d.]+ s$")).inner_text()
    begin_s = float(moment.split()[2])
    wait_until(page, "Math.abs(model.timeS - given) < 0.01", begin_s)

    name, content = downloaded(page, "Report (HTML)")
    assert name == "tai_chi-compared.html"
    report = tmp_path / name
    report.write_bytes(content)
    assert_opens_without_a_network(browser, report)

    main(page).get_by_text("Your own labels", exact=True).click()
    truth = {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"action,start_s,end_s\nTai chi,0,3\n"}
    main(page).locator("input[type=file]").last.set_input_files(truth)  # type: ignore[arg-type]  # a FilePayload
    main(page).get_by_role("heading", name="Against your labels").wait_for()
    assert_own_labels_are_above_the_classifiers(page)

    page.reload()
    wait_for_comparison(page)
    main(page).get_by_role("heading", name="Against your labels").wait_for()
    wait_for_text(chart(page), "tai chi")
    assert_own_labels_are_above_the_classifiers(page)
    assert main(page).get_by_role("button", name="Compare", exact=True).count() == 0

    address = page.url
    page.goto(address.partition("?")[0])
    main(page).get_by_role("combobox", name="Open an earlier comparison").click()
    page.get_by_role("option", name=re.compile(r"^tai_chi\.mp4, ")).click()
    wait_for_comparison(page)
    assert page.url == address


def assert_own_labels_are_above_the_classifiers(page: Page) -> None:
    wait_until(page, "model.segments && model.shownLanes.length === 3", timeout_ms=WORK_TIMEOUT_MS)
    lanes = ask(page, "model.shownLanes.map((lane) => [lane.classifier, lane.isTruth])")
    assert lanes == [["Your labels", True], ["i3d", False], ["mc3_18:model_16_m3_0.8888", False]]
    assert ask(page, "[...model.segments.lane].map((lane, k) => [lane, model.segment(k).action])")[0] == [0, "tai chi"]
    assert ask(page, "overlay.people().map(({ lane }) => lane.classifier)") == ["i3d"]
    hovered = """() => {
        lanes.hover.show({ row: 0, laneIndex: 0, timeS: 1, endS: 9, clientX: 400, clientY: 300 });
        return lanes.hover.card.textContent;
    }"""
    assert "your label" in ask(page, f"({hovered})()")


def assert_opens_without_a_network(browser: Browser, report: Path) -> None:
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report.as_uri())
    page.locator(".js-plotly-plot .barlayer path").first.wait_for(state="attached")
    assert "tai chi" in page.locator(".js-plotly-plot").first.inner_text()
    assert asked == [report.as_uri()]
    assert not errors
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
