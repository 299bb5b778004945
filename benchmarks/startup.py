"""How long do users wait? Measures the command line's help and the first page; for the sliders, see ``workbench``.

    .venv/bin/python -m benchmarks.startup [--runs 5]

- ``python -m recognizer --help``, from the start of the process to its end.
- The first page, from the start of the server's process until a running Chromium shows the field for the video and
  Streamlit is idle. The disk is warm: the first start is not counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.live_browser import CHROMIUM, CHROMIUM_ARGUMENTS, ROOT, app_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAIT_MS = 60_000


def help_s() -> float:
    """Return the seconds that ``--help`` takes."""
    started_s = perf_counter()
    subprocess.run([sys.executable, "-m", "recognizer", "--help"], cwd=ROOT, check=True, capture_output=True)
    return perf_counter() - started_s


def first_page_s(browser: Browser, folder: Path) -> tuple[float, float]:
    """Return the seconds from the server's start until it answers, and until its first page is usable."""
    page = browser.new_page()
    started_s = perf_counter()
    with app_server(folder, poll_every_s=0.02) as server:
        answers_s = perf_counter() - started_s
        page.goto(server.url)
        wait_until_idle(page)
        took_s = perf_counter() - started_s
        page.close()
    return answers_s, took_s


def wait_until_idle(page: Page) -> None:
    """Wait until the field for the video is present and the page's run has ended."""
    page.get_by_test_id("stMain").locator("input[type=file]").first.wait_for(state="attached", timeout=WAIT_MS)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=WAIT_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser before the server."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    help_s()
    helps_s = [help_s() for _ in range(arguments.runs)]
    print(f"--help             {median(helps_s):.2f} s, the longest {max(helps_s):.2f} s", flush=True)
    with chromium() as browser, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        first_page_s(browser, folder)
        pages = [first_page_s(browser, folder) for _ in range(arguments.runs)]
        answers_s, usable_s = (median(times) for times in zip(*pages, strict=True))
        longest_s = max(usable for _, usable in pages)
        print(
            f"first page         {usable_s:.2f} s, the longest {longest_s:.2f} s; the server answers after "
            f"{answers_s:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
