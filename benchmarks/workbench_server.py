"""How quickly does the server answer the workbench? One hour, 60 people and 5,000 segments, generated, on loopback.

    .venv/bin/python -m benchmarks.workbench_server [--people 60] [--segments 5000] [--minutes 60] [--smoothing 1.0]

The app's own server answers one request at a time. The first answers include reading the analysis from the database and
counting its votes, once; a page that has just analysed the video needs neither. Each later request for segments has a
threshold that was not asked for before. ``benchmarks.workbench`` measures the same in a browser.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.live_browser import app_server
from benchmarks.workbench import ANALYSIS_ID, generated, store

REPEATS = 60
WAIT_S = 600.0


class Client:
    """A browser's connection to one analysis."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "localhost", parts.port, timeout=WAIT_S)
        self._base = f"/recognizer/analysis/{ANALYSIS_ID}/"

    def get(self, place: str, headers: dict[str, str] | None = None) -> bytes:
        """Return the answer to a GET."""
        self._connection.request("GET", self._base + place, headers=headers or {})
        return self._answer()

    def post(self, place: str, document: object) -> bytes:
        """Return the answer to a POST."""
        body = json.dumps(document)
        self._connection.request("POST", self._base + place, body, {"Content-Type": "application/json"})
        return self._answer()

    def _answer(self) -> bytes:
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {content[:200]!r}")
        return content


def report(name: str, ask: Callable[[int], object], repeats: int = REPEATS) -> None:
    """Print the median and the 95th percentile of so many requests."""
    took_ms = []
    for k in range(repeats):
        start_s = perf_counter()
        ask(k)
        took_ms.append(1000 * (perf_counter() - start_s))
    median, high = statistics.median(took_ms), np.percentile(took_ms, 95)
    print(f"{name:<34} median {median:6.1f} ms, 95th percentile {high:6.1f} ms")


def measure(client: Client, duration_s: float) -> None:
    """Print how long each answer takes."""
    view = {"minConfidence": 0.3, "minDurationS": 0.0, "showsBrief": False, "filter": None}
    report("first timeline, with the database", lambda _: client.get("timeline"), 1)
    report("first segments, with the votes", lambda _: client.post("segments", view), 1)
    while not json.loads(client.get("timeline"))["movementReady"]:
        sleep(1.0)
    client.post("segments", view)
    sleep(2.0)  # the likely labels are counted in the background
    answer = client.post("segments", view)
    count, size = len(json.loads(answer)["lane"]), len(answer)
    print(f"{count} segments of {size / 1e3:.0f} kB, timeline of {len(client.get('timeline')) / 1e3:.0f} kB")

    def confidence(k: int) -> dict[str, Any]:
        return {**view, "minConfidence": 0.2 + 0.6 * (k * 37 % REPEATS) / REPEATS + 0.001}

    def boxes(k: int) -> str:
        from_s = k * duration_s / REPEATS
        return f"boxes?fromS={from_s}&toS={from_s + 20}"

    def relabel(k: int) -> dict[str, Any]:
        one = {"edit": "relabel", "person_id": 1 + k % 9, "start_s": k, "end_s": k + 1, "action": "resting"}
        return {"edits": [one]}

    report("timeline", lambda _: client.get("timeline"))
    report("segments, as before", lambda _: client.post("segments", view))
    report("segments, another confidence", lambda k: client.post("segments", confidence(k)))
    report("segments, another duration", lambda k: client.post("segments", {**view, "minDurationS": 0.1 + k / 20}))
    report("likely", lambda k: client.post("likely", {**view, "row": k * count // REPEATS}))
    report("boxes, 20 s", lambda k: client.get(boxes(k)))
    report("video, a piece", lambda k: client.get("video", {"Range": f"bytes={100 * k}-"}))
    report("frames", lambda _: client.get("frames"))
    report("edits, one relabel", lambda k: client.post("edits", relabel(k)))
    report("undo, and segments", lambda _: (client.post("undo", {}), client.post("segments", view)))
    merges = [{"edits": [{"edit": "merge", "person_id": 59 - k, "into": 1 + k}]} for k in range(20)]
    report("edits, one merge", lambda k: client.post("edits", merges[k]), len(merges))
    report("segments after all of them", lambda _: client.post("segments", view), 1)


def main() -> None:
    """Make the analysis, start the app, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--segments", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--smoothing", type=float, default=1.0, help="seconds; 1 is recommended, 0 the documented value"
    )
    given = parser.parse_args()
    duration_s = 60 * given.minutes
    timeline = generated(given.people, given.segments, duration_s)
    timeline = replace(timeline, settings=replace(timeline.settings, smoothing_s=given.smoothing))
    with tempfile.TemporaryDirectory() as scratch:
        store(Path(scratch), timeline, duration_s)
        with app_server(Path(scratch)) as app:
            measure(Client(app.url), duration_s)


if __name__ == "__main__":
    main()
