"""Run the app's server, and Chromium with a clip as its camera, for the live benchmarks."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
READY_TIMEOUT_MS = 300_000


@dataclass(frozen=True)
class AppServer:
    """A running server of the app."""

    url: str
    pid: int


@contextmanager
def app_server(data_dir: Path, poll_every_s: float = 0.2) -> Iterator[AppServer]:
    """Run the app on a free local port, with a separate database, during the ``with`` block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    environment = {**os.environ, "RECOGNIZER_DATA": str(data_dir)}
    with (data_dir / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(url, server, poll_every_s)
            yield AppServer(url, server.pid)
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes], poll_every_s: float) -> None:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}.")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(poll_every_s)
    sys.exit("the server did not start within a minute.")


@contextmanager
def camera_page(url: str, camera: Path) -> Iterator[Page]:
    """Open the live page, ready to start, in a Chromium with that file as its camera."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = [*CHROMIUM_ARGUMENTS, f"--use-file-for-fake-video-capture={camera}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}/live")
        picture(page).get_by_role("button", name="Start").wait_for(timeout=READY_TIMEOUT_MS)
        yield page
        browser.close()


def picture(page: Page) -> FrameLocator:
    """Return the page's iframe with the picture and its buttons."""
    return page.frame_locator("iframe[title*='webrtc']")


def frames_shown(page: Page) -> int:
    """Return how many pictures the browser has shown so far."""
    quality = "one => one.getVideoPlaybackQuality().totalVideoFrames"
    return int(picture(page).locator("video").evaluate(quality))


def told(page: Page, pattern: str) -> float | None:
    """Return the number in the page's caption that matches ``pattern``; None if there is none."""
    for text in page.get_by_test_id("stCaptionContainer").all_inner_texts():
        found = re.search(pattern, text)
        if found is not None:
            return float(found[1])
    return None
