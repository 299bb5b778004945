"""A server with the real networks, Chromium, and short real clips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support.app_server import AppServer
from tests.support.browser import (
    CHROMIUM,
    CHROMIUM_ARGUMENTS,
    CLIP_S,
    STEP_TIMEOUT_MS,
    WORK_TIMEOUT_MS,
    OpenPage,
    Visitors,
    cut,
    started,
)
from tests.support.connections import ConnectionTable, connections_elsewhere, watching
from tests.support.environment import skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, ConsoleMessage, Page


@pytest.fixture(scope="package")
def app_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's database and videos, where tests may store analyses that were not made there."""
    folder = tmp_path_factory.mktemp("server") / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="package")
def app_url(app_data: Path) -> Iterator[str]:
    """A server with its own database and the networks from the machine's cache.

    Whatever the tests do with it, it connects to nothing but this machine.
    """
    log, connections = app_data.parent / "log.txt", app_data.parent / "connections.jsonl"
    with AppServer(app_data, log, environment=watching(connections)) as server:
        table = ConnectionTable(server.pid)
        try:
            yield server.url
        finally:
            table.end()
    assert connections.stat().st_size, "nothing was watched"
    assert not connections_elsewhere(connections)
    assert not table.elsewhere
    told = log.read_text(errors="replace")
    # the app's own errors are logged with a place in this project; a closed browser may cause others in the server
    assert "/recognizer/" not in told, told[-4000:]
    assert "Uncaught app exec" not in told, told[-4000:]


@pytest.fixture(scope="package")
def chromium() -> Iterator[BrowserType]:
    """Launches Chromium; Playwright has only one loop in a thread, which all browser tests share."""
    if not CHROMIUM.is_file():
        skip_or_fail(f"there is no Chromium at {CHROMIUM}; name another with CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="package")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    browser = chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def visitors(browser: Browser, app_url: str) -> Iterator[Visitors]:
    """Profiles of Chromium, one for each visitor of a test; the next test's visitors find none of their traces."""
    visitors = Visitors(browser, app_url)
    yield visitors
    visitors.close()


@pytest.fixture
def open_page(visitors: Visitors, app_url: str) -> Iterator[OpenPage]:
    """Open the app as another visitor; finally, check that no console has an error and no request left the machine."""
    errors: list[str] = []
    elsewhere: list[str] = []

    def open_it(query: str = "", **options: Any) -> Page:
        page = visitors.new_page(**options)
        page.set_default_timeout(STEP_TIMEOUT_MS)
        page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: elsewhere.append(request.url) if not _is_local(request.url) else None)
        page.on("websocket", lambda ws: elsewhere.append(ws.url) if not _is_local(ws.url) else None)
        page.goto(app_url + query)
        started(page).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
        return page

    yield open_it
    visitors.leave()
    assert not elsewhere
    assert not errors


def _is_error(message: ConsoleMessage) -> bool:
    """Return whether a message is an error. A failed request for Streamlit's server below the page's address, which
    Streamlit tries first after a reload, is not one."""
    return message.type == "error" and "/_stcore/" not in message.location["url"]


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname == "localhost"


@pytest.fixture(scope="session")
def tai_chi(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # the first seconds hardly show more than a man who stands there, and their label is near the limit
    source = clips_dir / "stgcn_ta_chi.mp4"
    return cut(source, tmp_path_factory.mktemp("clips") / "tai_chi.mp4", CLIP_S, from_s=5.0)


@pytest.fixture(scope="session")
def segway(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = clips_dir / "tv_R6llTwEh07w.mp4"
    return cut(source, tmp_path_factory.mktemp("clips") / "segway.mp4", CLIP_S)
