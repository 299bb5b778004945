"""How quick is the workbench with much to show? One hour, 60 people and 5,000 segments, generated, in Chromium.

    .venv/bin/python -m benchmarks.workbench [--people 60] [--segments 5000] [--minutes 60] [--seconds 4]
        [--smoothing 0]

The app's own server and page are measured, for about a minute after the analysis is made:

- first paint: from the answer with the segments to the frame in which the lanes are drawn;
- frames a second while a wheel pans, zooms and scrolls in every frame, each for ``--seconds``, and what a frame costs:
  that counts when other work runs on the machine;
- a slider: from its event to the frame that shows the server's answer, in all and without the server;
- memory: what JavaScript holds after a collection, and the canvases.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.live_browser import CHROMIUM, app_server
from recognizer.service.store import AnalysisStore
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import CameraPath, Prediction, VideoInfo
from recognizer.video import VideoWriter

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANALYSIS_ID = "60" * 16
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
READY_TIMEOUT_MS = 120_000
LABELS = tuple(
    f"{verb} {thing}" for verb in ("throwing", "catching", "kicking") for thing in ("balls", "discs", "axes")
)
SIZE_WH = (320, 180)
RATE_HZ = 25
SAMPLE_EVERY_S = 0.4
CLIP_S = 2.0
SLIDER_STEPS = 60

_START = """
window.moments = {};
const ask = window.fetch;
window.fetch = async (...given) => {
    const answer = await ask(...given);
    if (String(given[0]).endsWith("/segments")) {
        await answer.clone().arrayBuffer();
        window.moments.latest = performance.now();
        window.moments.answered ??= window.moments.latest;
    }
    return answer;
};
const hosts = () => [...document.querySelectorAll("*")].filter((one) => one.recognizer);
requestAnimationFrame(function look() {
    window.opened ??= hosts()[0]?.recognizer;
    const lanes = window.opened?.lanes;
    if (lanes?.scene.style?.fills && !lanes.isOld) window.moments.painted = performance.now();
    else requestAnimationFrame(look);
});
"""

_FRAMES = """
async ([kind, seconds]) => {
    const { lanes } = window.opened;
    const box = lanes.stage.getBoundingClientRect();
    const place = { clientX: box.left + 600, clientY: box.top + 100, bubbles: true, cancelable: true };
    const acts = {
        pan: (k) => ({ deltaX: k % 120 < 60 ? 40 : -40 }),
        zoom: (k) => ({ deltaY: k % 80 < 40 ? -60 : 60, ctrlKey: true }),
    };
    lanes.navigation.zoomAll();
    if (kind === "pan") lanes.zoom(4);
    const gaps = [];
    const endMs = performance.now() + 1000 * seconds;
    await new Promise((done) => {
        let lastMs = null;
        requestAnimationFrame(function tick(nowMs) {
            if (lastMs !== null) gaps.push(nowMs - lastMs);
            lastMs = nowMs;
            if (kind === "scroll") lanes.scroll.scrollTop += gaps.length % 60 < 30 ? 20 : -20;
            else lanes.stage.dispatchEvent(new WheelEvent("wheel", { ...place, ...acts[kind](gaps.length) }));
            if (performance.now() < endMs) requestAnimationFrame(tick);
            else done();
        });
    });
    lanes.navigation.zoomAll();
    return gaps;
}
"""

_SLIDER = """
async (steps) => {
    const { lanes, model } = window.opened;
    const slider = lanes.host.getRootNode().querySelector("input[type=range]");
    const took = [];
    for (let k = 0; k < steps; k += 1) {
        const startMs = performance.now();
        const answered = new Promise((done) => model.addEventListener("segments", done, { once: true }));
        slider.value = String(Number(slider.min) + ((k * 7) % 19) * 0.05);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        await answered;
        await new Promise((done) => requestAnimationFrame(function look() {
            if (lanes.isOld) requestAnimationFrame(look);
            else done();
        }));
        took.push([performance.now() - startMs, performance.now() - window.moments.latest]);
    }
    return took;
}
"""

_CANVASES = """
() => [...window.opened.lanes.host.getRootNode().querySelectorAll("canvas")]
    .reduce((sum, one) => sum + 4 * one.width * one.height, 0)
"""


def generated(people: int, segments: int, duration_s: float, smoothing_s: float = 0.0) -> Timeline:
    """Return a timeline with about so many segments, in which everyone leaves once; smoothing makes some more."""
    random = np.random.default_rng(60)
    frame_times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    tracks: list[PersonTrack] = []
    predictions: list[Prediction] = []
    change = min(1.0, segments * CLIP_S / (people * duration_s * 0.9))
    for person_id in range(1, people + 1):
        leaves_s = duration_s * random.uniform(0.3, 0.6)
        visits = ((0.0, leaves_s), (leaves_s + 0.1 * duration_s, duration_s))
        tracks.append(_track(person_id, people, visits))
        for visit in visits:
            predictions += _predictions(person_id, visit, change, random)
    sample_times_s = np.arange(0.0, duration_s, SAMPLE_EVERY_S)
    return Timeline(
        video=VideoInfo(None, *SIZE_WH, Fraction(RATE_HZ), duration_s, len(frame_times_s), "h264"),
        settings=Settings(video_classifier_model="i3d", smoothing_s=smoothing_s),
        people=tuple(tracks),
        predictions=tuple(predictions),
        frame_times_s=frame_times_s,
        analysed_s=duration_s,
        complete=True,
        camera=CameraPath(sample_times_s, np.tile([1.0, 0.0, 0.0, 0.0], (len(sample_times_s), 1))),
    )


def _track(person_id: int, people: int, visits: tuple[tuple[float, float], ...]) -> PersonTrack:
    times_s = np.concatenate([np.arange(start_s, end_s, SAMPLE_EVERY_S) for start_s, end_s in visits])
    column = SIZE_WH[0] / people
    middle = column * (person_id - 0.5) + 0.3 * column * np.sin(times_s)
    boxes = np.stack([middle - column / 2, np.full_like(middle, 40), middle + column / 2, np.full_like(middle, 160)], 1)
    return PersonTrack(person_id, times_s, boxes.astype(np.float32), np.full(len(times_s), 0.9, np.float32), visits)


def _predictions(
    person_id: int, visit: tuple[float, float], change: float, random: np.random.Generator
) -> Iterator[Prediction]:
    label, sure = int(random.integers(len(LABELS))), float(random.uniform(0.2, 0.9))
    for start_s in np.arange(visit[0], visit[1] - CLIP_S, CLIP_S).tolist():
        if random.random() < change:
            label, sure = label + int(random.integers(1, len(LABELS))), float(random.uniform(0.2, 0.9))
        names = [LABELS[(label + k) % len(LABELS)] for k in range(5)]
        shares = [sure, *(min(sure, 1 - sure) / 2**k for k in range(1, 5))]
        yield Prediction(person_id, start_s, start_s + CLIP_S, tuple(zip(names, shares, strict=True)), "i3d")


def store(folder: Path, timeline: Timeline, duration_s: float) -> None:
    """Store the timeline with a video of its length, of one picture a second."""
    path = folder / "long.mp4"
    rgb = np.full((SIZE_WH[1], SIZE_WH[0], 3), 90, np.uint8)
    with VideoWriter(path, Fraction(1), *SIZE_WH, preset="ultrafast") as writer:
        for second in range(round(duration_s)):
            writer.write(rgb, float(second))
    analyses = AnalysisStore(folder)
    with path.open("rb") as stream:
        file = analyses.add_file(stream, path.name)
    analyses.save_analysis(ANALYSIS_ID, file, timeline)


def measure(page: Page, server_pid: int, seconds: float) -> None:
    """Print what the open page needs."""
    server = psutil.Process(server_pid)
    page.wait_for_function("() => window.moments?.painted", timeout=READY_TIMEOUT_MS)
    moments = page.evaluate("window.moments")
    rows, lanes = page.evaluate("[opened.model.rows, opened.model.shownLanes.length]")
    print(f"{rows} segments of {lanes} people")
    print(f"first paint after the answer   {moments['painted'] - moments['answered']:7.0f} ms")
    page.wait_for_timeout(2000)  # the page's other parts come
    for kind in ("pan", "zoom", "scroll"):
        before_s = _browser_s()
        gaps_ms = page.evaluate(_FRAMES, [kind, seconds])
        each_ms = 1000 * (_browser_s() - before_s) / len(gaps_ms)
        rate = 1000 / statistics.mean(gaps_ms)
        print(
            f"{kind:<8} {rate:5.1f} frames/s, 95th percentile {_p95(gaps_ms):5.1f} ms, {each_ms:4.1f} ms of a core each"
        )
    browser_s, server_s = _browser_s(), _used_s(server)
    took_ms: list[tuple[float, float]] = page.evaluate(_SLIDER, SLIDER_STEPS)
    browser_ms = 1000 * (_browser_s() - browser_s) / SLIDER_STEPS
    server_ms = 1000 * (_used_s(server) - server_s) / SLIDER_STEPS
    for k, what in enumerate(("in all", "after the answer")):
        some_ms = [one[k] for one in took_ms]
        median_ms = statistics.median(some_ms)
        print(f"slider, {what:<17} median {median_ms:5.1f} ms, 95th percentile {_p95(some_ms):5.1f} ms")
    print(f"slider, of a core each    {browser_ms:5.1f} ms in the browser, {server_ms:5.1f} ms on the server")
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    heap: dict[str, Any] = devtools.send("Runtime.getHeapUsage")
    held = heap["usedSize"] + heap.get("embedderHeapUsedSize", 0) + heap.get("backingStorageSize", 0)
    print(f"memory   JavaScript {held / 1e6:.0f} MB, canvases {page.evaluate(_CANVASES) / 1e6:.0f} MB")


def _browser_s() -> float:
    """Return the seconds of a core that the browser's processes have used."""
    used_s = 0.0
    for one in psutil.Process().children(recursive=True):
        try:
            if "chrom" in one.name():
                used_s += _used_s(one)
        except psutil.NoSuchProcess:
            continue  # one that has just ended
    return used_s


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def main() -> None:
    """Make the analysis, start the app, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--segments", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--smoothing", type=float, default=0.0)
    given = parser.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("playwright is missing; install requirements-dev.txt.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        duration_s = 60 * given.minutes
        store(folder, generated(given.people, given.segments, duration_s, given.smoothing), duration_s)
        with app_server(folder) as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(_START)
            page.goto(f"{app.url}/?run={ANALYSIS_ID}")
            measure(page, app.pid, given.seconds)
            browser.close()


if __name__ == "__main__":
    main()
