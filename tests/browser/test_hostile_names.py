"""A video, people and labels whose names are made to do something: the page shows them, and nothing happens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recognizer.errors import one_line
from recognizer.export import harmless_cell
from recognizer.service.corrections import CorrectionStore
from recognizer.service.store import AnalysisStore
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Add, Edit, Name
from tests.support.browser import OpenPage, downloaded, main
from tests.support.tables import rows_of
from tests.support.workbench import generated_timeline, store_analysis, write_video
from tests.support.workbench_actions import ask, bench, wait_for_bench

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

NAMES = (
    "<img src=x onerror=hit()><script>hit()</script>",
    "[click](javascript:hit()) ![](http://example.org/a.png)",
    "=1+1\u202egpj.exe",
    "\x1b[31m" + "é" * 280,
)
MOST_WIDTH_PX = 1280


def test_names_are_text_and_nothing_else(open_page: OpenPage, app_data: Path) -> None:
    timeline = generated_timeline(len(NAMES), 6.0)
    # as a file of labels is read, and as a file of corrections may have them
    labels = [one_line(name) for name in NAMES]
    said = tuple(
        replace(one, top=((labels[one.person_id - 1], 0.9), ("yoga", 0.05)), classifier="i3d")
        for one in timeline.predictions
    )
    timeline = replace(timeline, predictions=said, notes=NAMES)
    video = write_video(app_data / "<b>bold<b> &amp; =1.mp4", timeline)
    stored = store_analysis(app_data, timeline, video)
    edits: list[Edit] = [Name(number, name) for number, name in enumerate(NAMES, 1)]
    edits += [Add(number, 1.0, 2.0, name) for number, name in enumerate(NAMES, 1)]
    CorrectionStore(AnalysisStore(app_data).database).replace(stored.analysis_id, Corrections(tuple(edits)))
    page = open_page(f"/?run={stored.analysis_id}", viewport={"width": MOST_WIDTH_PX, "height": 900})
    page.evaluate("() => { window.hit = () => { window.wasHit = true; }; }")
    wait_for_bench(page)
    assert set(ask(page, "[...model.segments.actions]")) == set(labels)
    assert ask(page, "model.shownLanes.map((lane) => lane.title)") == labels
    for place in (".people", ".lanes"):
        bench(page).locator(place).first.hover()
    main(page).get_by_role("tab", name="All segments").click()
    assert_nothing_happened(page)
    _, table = downloaded(page, "Timeline as CSV")
    assert {row["action"] for row in rows_of(table)} == {harmless_cell(label) for label in labels}


def assert_nothing_happened(page: Page) -> None:
    assert not page.evaluate("Boolean(window.wasHit)")
    markup = bench(page).evaluate(
        "(bench) => bench.getRootNode().querySelectorAll('img[src=x], script, a[href^=\"javascript\"]').length"
    )
    assert not markup
    assert not main(page).locator("img[src=x], script, a[href^='javascript'], img[src*='example.org']").count()
    # a long name neither widens the page nor hides what is next to it
    assert page.evaluate("document.documentElement.scrollWidth") <= MOST_WIDTH_PX
