"""How long do users wait? Measures the command line's help, the first page, and a slider on a long timeline.

    .venv/bin/python -m benchmarks.startup [--runs 5] [--segments 5000] [--moves 40]

- ``python -m recognizer --help``, from the start of the process to its end.
- The first page, from the start of the server's process until a running Chromium shows the field for the video and
  Streamlit is idle. The disk is warm: the first start is not counted.
- A slider on a finished timeline: a real Chromium presses an arrow key on "Minimum confidence", and the page measures
  the time until the chart stops changing, including the browser's drawing. Each press changes some segments and waits
  for the previous drawing. Also printed: when the page sent the slider's value, when the chart's message (the largest)
  arrived, and when the chart first appeared.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.live_browser import CHROMIUM, CHROMIUM_ARGUMENTS, ROOT, app_server
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.service.store import AnalysisStore
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, VideoInfo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PEOPLE = 5
ACTIONS = 12
SEGMENT_S = 1.0
STEPS = 4
"""Presses to the right before the slider goes back: more would merge many segments into one unknown segment."""

RUN_ID = "startup-benchmark"
WAIT_MS = 60_000

_LISTEN = """
    window.messages = [];
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        window.messages.push({at: performance.now(), size: 0});
        return send.call(this, data);
    };
    window.WebSocket = class extends WebSocket {
        constructor(...those) {
            super(...those);
            this.addEventListener('message', event =>
                window.messages.push({at: performance.now(), size: event.data.byteLength ?? event.data.size ?? 0}));
        }
    };
"""
"""Records when the page sent (size 0) and received messages; milliseconds."""

_WATCH = """
() => {
    window.changed = 0;
    window.first = 0;
    window.pressed = 0;
    document.addEventListener('keydown', () => {
        window.pressed = performance.now();
        window.first = 0;
        window.messages = [];
    }, true);
    new MutationObserver(records => {
        const chart = document.querySelector('.js-plotly-plot');
        const ofChart = node => chart.contains(node) || node.contains(chart) && node !== document;
        if (records.some(one => chart.contains(one.target) || [...one.addedNodes].some(ofChart)))
            requestAnimationFrame(() => {
                window.changed = performance.now();
                window.first ||= window.changed;
            });
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
}
"""
"""Records when a key was pressed, and when the first chart changed first and last; milliseconds."""

_PARTS = """
() => {
    const sent = window.messages.find(one => one.size === 0);
    const largest = window.messages.reduce((one, other) => other.size > one.size ? other : one);
    return [sent.at, largest.at, window.first, window.changed].map(at => at - window.pressed);
}
"""

QUIET_MS = 1500
"""A chart is finished when it has not changed for this long."""


def long_timeline(segments: int, sha256: str) -> Timeline:
    """Return a finished timeline of ``PEOPLE`` people in which no two neighbouring segments are equal; seeded."""
    rng = np.random.default_rng(0)
    each = math.ceil(segments / PEOPLE)
    duration_s = each * SEGMENT_S
    people: list[PersonTrack] = []
    predictions: list[Prediction] = []
    for person_id in range(1, PEOPLE + 1):
        times_s = np.arange(0, duration_s, SEGMENT_S / 2)
        boxes = np.tile(np.array([10 * person_id, 10, 10 * person_id + 40, 90], np.float32), (len(times_s), 1))
        confidence = np.full(len(times_s), 0.9, np.float32)
        people.append(PersonTrack(person_id, times_s, boxes, confidence, ((0.0, duration_s),)))
        for k in range(min(each, segments - len(predictions))):
            first = (k * 5 + person_id) % ACTIONS
            labels = [KINETICS400_LABELS[(first + n) % ACTIONS] for n in range(5)]
            best = float(rng.uniform(0.01, 0.95))
            top = tuple(zip(labels, (best, *(best * 0.3**n for n in range(1, 5))), strict=True))
            predictions.append(Prediction(person_id, k * SEGMENT_S, (k + 1) * SEGMENT_S, top, "s3d"))
    video = VideoInfo(sha256, 320, 240, Fraction(30), duration_s, round(duration_s * 30), "h264")
    return Timeline(
        video=video,
        settings=Settings(),
        people=tuple(people),
        predictions=tuple(predictions),
        frame_times_s=np.arange(round(duration_s * 30)) / 30,
        analysed_s=duration_s,
        complete=True,
    )


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


def redraws_ms(browser: Browser, folder: Path, segments: int, moves: int) -> NDArray[np.float64]:
    """Return float64 (moves, 4): milliseconds from each key press on the slider until its value was sent, the chart's
    message arrived, the timeline appeared, and it stopped changing."""
    video = folder / "video.mp4"
    video.write_bytes(b"not needed for the timeline")
    store = AnalysisStore(folder)
    with video.open("rb") as stream:
        stored = store.add_file(stream, video.name)
    timeline = long_timeline(segments, hashlib.sha256(video.read_bytes()).hexdigest())
    assert len(timeline.segments()) == segments
    store.save_analysis(RUN_ID, stored, timeline)
    with app_server(folder) as server:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_LISTEN)
        page.goto(f"{server.url}/?run={RUN_ID}")
        slider = page.get_by_test_id("stMain").get_by_role("slider", name="Minimum confidence")
        page.locator(".js-plotly-plot").first.wait_for(timeout=WAIT_MS)
        wait_until_idle(page)
        page.wait_for_timeout(2000)
        page.evaluate(_WATCH)
        slider.focus()
        drawn: list[list[float]] = []
        for k in range(moves):
            page.keyboard.press("ArrowLeft" if k // STEPS % 2 else "ArrowRight")
            page.wait_for_function("window.changed > window.pressed", timeout=WAIT_MS)
            page.wait_for_function(f"performance.now() - window.changed > {QUIET_MS}", timeout=WAIT_MS)
            drawn.append(page.evaluate(_PARTS))
        page.close()
    return np.array(drawn)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser before the server."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


def percentile_95(values: Sequence[float]) -> float:
    """Return the value that 95 % do not exceed."""
    return float(np.percentile(values, 95))


def main() -> None:
    """Measure all three and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--segments", type=int, default=5000)
    parser.add_argument("--moves", type=int, default=40, help="of the slider; 0 to skip it")
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
        if arguments.moves:
            parts_ms = redraws_ms(browser, folder, arguments.segments, arguments.moves)
            drawn_ms = parts_ms[:, -1].tolist()
            print(
                f"slider, {arguments.segments} segments: drawn anew after {median(drawn_ms):.0f} ms (median), "
                f"{percentile_95(drawn_ms):.0f} ms (95 %), of {len(drawn_ms)} moves, in Chromium"
            )
            sent_ms, came_ms, there_ms, _ = np.median(parts_ms, axis=0)
            print(
                f"  of that, medians: value sent after {sent_ms:.0f} ms, chart's message there after {came_ms:.0f} ms, "
                f"chart there after {there_ms:.0f} ms"
            )


if __name__ == "__main__":
    main()
