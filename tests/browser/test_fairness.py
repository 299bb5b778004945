"""Two visitors with runs at the same time: who waits, who may cancel, and what each of them sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import (
    STEP_TIMEOUT_MS,
    WORK_TIMEOUT_MS,
    OpenPage,
    main,
    start,
    started,
    upload_video,
    wait_for_results,
    wait_for_text,
)
from tests.support.ffmpeg import ffmpeg

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(580)]

_LONG_LOOPS = 200
"""The long run must outlast all that the two visitors do meanwhile."""

_OTHER_LOOPS = 60
"""So must the other visitor's, which is of another video: what was found in the first is not found again."""


def looped(video: Path, loops: int, path: Path) -> Path:
    ffmpeg("-stream_loop", str(loops), "-i", str(video), "-c", "copy", "-an", str(path))
    return path


@pytest.fixture(scope="module")
def long_video(tai_chi: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return looped(tai_chi, _LONG_LOOPS, tmp_path_factory.mktemp("long") / "long.mp4")


def cancel(page: Page) -> None:
    main(page).get_by_role("button", name="Cancel").click()


def test_second_run_of_a_visitor_waits_in_line_and_no_other_visitor_does(
    open_page: OpenPage, app_url: str, long_video: Path, tai_chi: Path, tmp_path: Path
) -> None:
    """Regression: long runs of one visitor blocked everybody's, and who had a run's link could cancel it."""
    first = open_page()
    cookie = next(one for one in first.context.cookies() if one["name"] == "recognizer_visitor")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    upload_video(first, long_video)
    start(first)
    progress = main(first).get_by_test_id("stProgress")
    wait_for_text(progress, r"s of video", WORK_TIMEOUT_MS)

    second = first.context.new_page()
    second.set_default_timeout(STEP_TIMEOUT_MS)
    second.goto(app_url)
    started(second).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
    upload_video(second, long_video)
    start(second)
    wait_for_text(main(second).get_by_test_id("stProgress"), r"^Waiting in line, at place 1")
    bar = main(second).get_by_test_id("stProgressBarTrack").locator("> *")
    moves = bar.evaluate("(one) => getComputedStyle(one).animationName")
    assert moves == "job-bar", "nobody knows how far it is"

    other = open_page()
    upload_video(other, looped(tai_chi, _OTHER_LOOPS, tmp_path / "other.mp4"))
    start(other)
    wait_for_text(main(other).get_by_test_id("stProgress"), r"s of video", WORK_TIMEOUT_MS)
    assert main(second).get_by_test_id("stProgress").inner_text().startswith("Waiting in line")

    cancel(other)
    main(other).get_by_role("button", name="Cancel").wait_for(state="detached")
    other.goto(first.url)  # by its link
    wait_for_text(main(other).get_by_test_id("stProgress"), r"of \d{3}\.\d s of video", WORK_TIMEOUT_MS)
    assert main(other).get_by_role("button", name="Cancel").count() == 0

    for page in (second, first):
        cancel(page)
    main(second).get_by_role("button", name="Analyse").wait_for()
    wait_for_results(first)
