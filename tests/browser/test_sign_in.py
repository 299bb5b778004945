"""Signing in with a real OpenID Connect provider on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from recognizer.dashboard.parts.sign_in import User
from recognizer.service.runs import Run, RunStore
from recognizer.service.store import AnalysisStore
from tests.support.app_server import AppServer
from tests.support.browser import STEP_TIMEOUT_MS, WORK_TIMEOUT_MS, main
from tests.support.environment import ENVIRONMENT
from tests.support.ports import free_port
from tests.support.sign_in import secrets_text
from tests.support.waiting import WORK_S, wait_until
from tests.support.workbench import generated_timeline, store_analysis

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

OPERATOR = "olga@example.org"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider that lets everybody in under the name that they type."""
    port = free_port()
    address = f"http://localhost:{port}"
    # its own use of Authlib warns of an older interface
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with (tmp_path_factory.mktemp("provider") / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: process.poll() is None and _answers(f"{address}/jwks"), WORK_S)
            yield address
        finally:
            process.terminate()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def app(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server on which everybody has to sign in."""
    folder = tmp_path_factory.mktemp("server")
    port = free_port()
    secrets = folder / "secrets.toml"
    secrets.write_text(secrets_text(f"http://localhost:{port}/oauth2callback", provider))
    data = folder / "data"
    data.mkdir()
    (data / "recognizer.toml").write_text(f'operators = ["{OPERATOR}"]\n')
    with AppServer(data, folder / "log.txt", port=port, options=[f"--secrets.files={secrets}"]) as server:
        yield server


@pytest.fixture
def stored(app: AppServer, provider: str) -> str:
    """The id of an analysis on the server, which Ada made."""
    analysis = store_analysis(app.data, generated_timeline(2, 4.0))
    ada = User(provider, "ada@example.org", None, "Ada").visitor_id
    run = Run(analysis.analysis_id, "analysis", state="done", visitor_id=ada, video_name=analysis.video_name)
    runs = RunStore(AnalysisStore(app.data).database)
    runs.create(run)
    return run.run_id


class Visit:
    """A browser of its own.

    Args:
        context: of that browser alone.
    """

    def __init__(self, context: BrowserContext, app: AppServer) -> None:
        self._context = context
        self._app = app
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(STEP_TIMEOUT_MS)

    def open(self, query: str = "/") -> Page:
        """Open the app."""
        self.page.goto(self._app.url + query)
        return self.page

    def sign_in(self, email: str) -> None:
        """Sign in on the page that asks for it."""
        self.page.get_by_role("button", name="Sign in").click(timeout=WORK_TIMEOUT_MS)
        self.page.get_by_placeholder("sub").fill(email)
        self.page.get_by_role("button", name="Authorize").first.click()
        self.page.get_by_role("button", name=re.compile(f"Sign out {email[:3]}")).wait_for(timeout=WORK_TIMEOUT_MS)

    def sign_out(self) -> None:
        """Sign out, of the provider as well."""
        self.page.get_by_role("button", name="Sign out").click()
        self.page.get_by_role("button", name="End session").click()
        self.page.get_by_role("button", name="Sign in").wait_for()

    def listed(self) -> list[str]:
        """Return the runs that the server lists for this browser."""
        answer = self._context.request.post(f"{self._app.url}/recognizer/library/runs", data={"ids": []})
        assert answer.status == 200, answer.text()
        return [one["id"] for one in answer.json()["runs"]]

    def person(self) -> str:
        """Return whose analyses the browser remembers."""
        person: str = self.page.evaluate("() => sessionStorage.getItem('who-does-what-when.person') ?? ''")
        return person

    def status(self, path: str) -> int:
        """Return how the server answers a request of this browser."""
        return self._context.request.get(self._app.url + path).status


@pytest.fixture
def visit(browser: Browser, app: AppServer) -> Iterator[Callable[[], Visit]]:
    """Call it for a browser of its own, which is closed after the test."""
    with ExitStack() as contexts:

        def begin() -> Visit:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            return Visit(contexts.enter_context(context), app)

        yield begin


def _verify(provider: str, email: str) -> None:
    """Have the provider vouch for an address."""
    claims = json.dumps({"email": email, "email_verified": True}).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{provider}/users/{email}", claims, headers, method="PUT")):
        pass


def test_people_sign_in_share_by_link_and_sign_out(visit: Callable[[], Visit], provider: str, stored: str) -> None:
    timeline = f"/recognizer/analysis/{stored}/timeline"
    ada, bob = visit(), visit()

    page = ada.open(f"/?run={stored}")
    page.get_by_role("button", name="Sign in").wait_for(timeout=WORK_TIMEOUT_MS)
    assert main(page).locator("section.bench").count() == 0
    assert ada.status(timeline) == 401

    ada.sign_in("ada@example.org")
    main(page).locator("section.bench").wait_for()  # the link outlasts the provider's pages
    assert page.url.endswith(f"/?run={stored}")
    assert ada.status(timeline) == 200

    page = bob.open()
    assert bob.status(timeline) == 401
    bob.sign_in("bob@example.org")
    assert main(page).get_by_text("Open an earlier analysis").count() == 0
    assert bob.listed() == []
    bob.open(f"/?run={stored}")
    main(page).locator("section.bench").wait_for()
    assert ada.listed() == [stored]

    _verify(provider, OPERATOR)
    olga = visit()
    olga.open("/library")
    olga.sign_in(OPERATOR)
    assert olga.listed() == [stored]
    olga.page.wait_for_url(lambda url: urlsplit(url).path == "/library")  # from the provider to the first page, then on

    page = ada.open()
    main(page).get_by_text("Open an earlier analysis").wait_for()
    ada_herself = ada.person()
    ada.sign_out()
    assert ada.status(timeline) == 401
    ada.sign_in("carla@example.org")  # on the same browser, somebody else
    wait_until(lambda: ada.person() not in ("", ada_herself), WORK_S)
    assert main(page).get_by_text("Open an earlier analysis").count() == 0
