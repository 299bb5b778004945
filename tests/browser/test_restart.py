"""The page while its server is killed and started again: the analysis goes on, with the bytes of one left alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recognizer.analysis.file import analyze
from recognizer.networks.cache import ModelCache
from recognizer.service.runs import RunQuery, RunStore
from recognizer.service.store import AnalysisStore
from recognizer.settings import Settings
from tests.support.app_server import AppServer
from tests.support.browser import (
    STEP_TIMEOUT_MS,
    WORK_TIMEOUT_MS,
    cut,
    main,
    start,
    started,
    upload_video,
    wait_for_results,
    wait_for_text,
)
from tests.support.resuming import document
from tests.support.waiting import WORK_S, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.timeout(580)]

LENGTH_S = 6.0


def test_a_killed_servers_analysis_goes_on_in_the_open_page(
    browser: Browser, clips_dir: Path, tmp_path: Path, networks: ModelCache
) -> None:
    video = cut(clips_dir / "stgcn_ta_chi.mp4", tmp_path / "tai_chi.mp4", LENGTH_S)
    with AppServer(tmp_path / "data", tmp_path / "log.txt") as server, browser.new_page() as page:
        page.set_default_timeout(STEP_TIMEOUT_MS)
        page.goto(server.url)
        started(page).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
        upload_video(page, video)
        start(page)
        store = AnalysisStore(tmp_path / "data")
        runs = RunStore(store.database)
        (run,) = runs.list(RunQuery())
        assert run.visitor_id, "the run belongs to whoever started it"
        wait_until(lambda: bool(runs.chunks(run.run_id)), WORK_S)
        address = page.url
        assert run.run_id in address
        server.kill()
        server.start()
        wait_for_text(main(page), "The server restarted; this analysis went on at 0:0", WORK_TIMEOUT_MS)
        wait_for_results(page)
        wait_for_text(main(page), "The server restarted; this analysis went on at 0:0")
        assert page.url == address
        (ended,) = runs.list(RunQuery())
        assert (ended.run_id, ended.state, ended.visitor_id) == (run.run_id, "done", run.visitor_id)
        assert re.search(r"\d", str(ended.facts["people"]))
        analysis = store.load_analysis(run.run_id)
        assert analysis is not None
        settings = Settings(**run.request["settings"])
        undisturbed = analyze(analysis.video_path, settings, models=networks.get(settings))
        assert document(analysis.timeline) == document(undisturbed)
