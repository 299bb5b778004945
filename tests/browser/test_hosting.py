"""Two instances of the app with one data folder behind nginx, below a path, with the project's own configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.app_server import AppServer
from tests.support.browser import (
    PLAYER_JS,
    STEP_TIMEOUT_MS,
    WORK_TIMEOUT_MS,
    main,
    started,
    upload_field,
    upload_video,
)
from tests.support.environment import skip_or_fail
from tests.support.nginx import PROGRAM, Nginx
from tests.support.waiting import WORK_S, wait_until
from tests.support.workbench import generated_timeline, store_analysis, write_video

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

PAGES = ("", "compare", "my_actions", "live", "library")
LARGE_BYTES = 3_000_000


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[AppServer]]:
    folder = tmp_path_factory.mktemp("instances")
    servers = [AppServer(folder / "data", folder / f"log{number}.txt", base="who") for number in range(2)]
    with servers[0], servers[1]:
        yield servers


@pytest.fixture(scope="module")
def nginx(instances: list[AppServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    if not PROGRAM.is_file():
        skip_or_fail(f"{PROGRAM} is missing; install the package nginx")
    server = Nginx(tmp_path_factory.mktemp("nginx"), [one.port for one in instances])
    server.start()
    yield server
    server.end()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(STEP_TIMEOUT_MS)
    yield made
    made.close()


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """Return a page and the list of what its content policy refuses."""
    page, refused = context.new_page(), []
    page.add_init_script(
        """addEventListener("securitypolicyviolation", (event) =>
            console.error("policy", event.effectiveDirective, event.blockedURI, event.sourceFile))"""
    )
    page.on("console", lambda message: refused.append(message.text) if is_refusal(message.text) else None)
    return page, refused


def is_refusal(text: str) -> bool:
    return text.startswith("policy ") or "Content Security Policy" in text


def seeks(page: Page) -> float:
    """Go to the middle of the video as soon as it can be played; return where it is, as a share of the video."""
    page.wait_for_function(f"() => ({PLAYER_JS})?.readyState >= 2", timeout=WORK_TIMEOUT_MS)
    share: float = page.evaluate(
        f"""async () => {{
            const video = {PLAYER_JS};
            video.pause();
            video.currentTime = video.duration / 2;
            await new Promise((resolve) => video.addEventListener("seeked", resolve, {{ once: true }}));
            return video.currentTime / video.duration;
        }}"""
    )
    return share


def test_two_instances_behind_nginx(
    context: BrowserContext, nginx: Nginx, instances: list[AppServer], tmp_path: Path
) -> None:
    stored = store_analysis(instances[0].data, generated_timeline(2, 6.0))
    page, refused = watched(context)

    page.goto(f"{nginx.url}?run={stored.analysis_id}")  # without the slash, which nginx adds
    main(page).locator("section.bench").wait_for(timeout=WORK_TIMEOUT_MS)
    assert seeks(page) == pytest.approx(0.5, abs=0.01)
    assert {"206"} == {status for _, _, status, path in nginx.requests() if path.endswith("/video")}

    page.goto(f"{nginx.url}/")
    started(page).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
    video = write_video(tmp_path / "own.mp4", generated_timeline(2, 6.0))
    with video.open("ab") as file:
        file.write(bytes(LARGE_BYTES - file.tell()))  # players stop before it
    upload_video(page, video)
    assert ["PUT", "204"] in [[method, status] for _, method, status, path in nginx.requests() if "upload" in path]

    assert seeks(page) == pytest.approx(0.5, abs=0.01)
    wait_until(
        lambda: any("/who/recognizer/play/" in path and one == "206" for *_, one, path in nginx.requests()), WORK_S
    )

    # the page goes on where it was when its connection ends, in the same instance
    opened = sum("_stcore/stream" in path for *_, path in nginx.requests())
    nginx.end_connections(upload_mb=1)
    wait_until(lambda: sum("_stcore/stream" in path for *_, path in nginx.requests()) > opened, WORK_S)
    page.get_by_text("own.mp4", exact=True).locator("visible=true").first.wait_for()
    main(page).get_by_role("button", name="Analyse").wait_for()

    # what the proxy refuses is said in words
    page.goto(f"{nginx.url}/")
    upload_field(page).wait_for(state="attached", timeout=WORK_TIMEOUT_MS)
    upload_field(page).set_input_files(video)
    main(page).get_by_role("alert").filter(has_text=re.compile("too large")).last.wait_for()

    cookie = {one["name"] for one in context.cookies()}
    assert "recognizer_visitor" in cookie
    used = {instance for instance, _, _, path in nginx.requests() if "_stcore/stream" in path}
    assert len(used) == 1, "the WebSockets of one visitor went to several instances"
    assert not refused


def test_visitors_are_spread_and_policy_allows_every_page(browser: Browser, nginx: Nginx) -> None:
    instances = set()
    for visit in range(12):
        context = browser.new_context()
        try:
            answers = [context.request.get(f"{nginx.url}/", headers={"Accept": "text/html"}) for _ in range(3)]
            assert {one.status for one in answers} == {200}
            instances.add(nginx.requests()[-1][0])
            if visit:
                continue
            page, refused = watched(context)
            for name in PAGES:
                page.goto(f"{nginx.url}/{name}")
                main(page).get_by_role("heading").first.wait_for(timeout=WORK_TIMEOUT_MS)
                page.wait_for_load_state("networkidle")
            assert not refused
        finally:
            context.close()
    assert len(instances) == 2
