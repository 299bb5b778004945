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
    analyse,
    cut,
    started,
    upload_field,
    upload_video,
)
from tests.support.environment import skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page


@pytest.fixture(scope="session")
def app_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's database and videos, where tests may store analyses that were not made there."""
    folder = tmp_path_factory.mktemp("server") / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def app_url(app_data: Path) -> Iterator[str]:
    """A server with its own database and the networks from the machine's cache."""
    log = app_data.parent / "log.txt"
    server = AppServer(app_data, log)
    try:
        server.start()
        yield server.url
    finally:
        server.end()
    told = log.read_text(errors="replace")
    # the app's own errors are logged with a place in this project; a closed browser may cause others in the server
    assert "/recognizer/" not in told, told[-4000:]
    assert "Uncaught app exec" not in told, told[-4000:]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        skip_or_fail(f"there is no Chromium at {CHROMIUM}; name another with CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[OpenPage]:
    """Open the app in its own browser; finally, check that no console has an error and no request left the machine."""
    contexts, errors, elsewhere = [], [], []

    def open_it(query: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(STEP_TIMEOUT_MS)
        page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: elsewhere.append(request.url) if not _is_local(request.url) else None)
        page.on("websocket", lambda ws: elsewhere.append(ws.url) if not _is_local(ws.url) else None)
        page.goto(app_url + query)
        started(page).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
        return page

    yield open_it
    for context in contexts:
        context.close()
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


@pytest.fixture(scope="module")
def finished_run(browser: Browser, app_url: str, tai_chi: Path) -> str:
    """The query of a finished analysis, as in the address bar."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(app_url)
    upload_field(page).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
    upload_video(page, tai_chi)
    analyse(page)
    query = urlsplit(page.url).query
    context.close()
    return f"/?{query}"
