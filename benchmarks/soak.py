"""Does the live page keep its memory and threads? Streams through Chromium for minutes and looks at the server.

    .venv/bin/python -m benchmarks.soak [--minutes 10]

Prints the server's resident memory and threads every half minute, memory at minute 2 and at the end (medians over half
a minute, because PyTorch's allocations come and go), and threads before Start and after the tab was closed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.live_browser import app_server, camera_page, picture
from benchmarks.live_clips import CAMERA_HZ, CLIPS_DIR, camera_frames, write_camera_file

MEGABYTE = 2**20
EARLY_S = 120.0
LOOK_EVERY_S = 1.0
TOLD_EVERY_S = 30.0
ENDED_WITHIN_S = 20.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, app_server(Path(folder)) as server:
        camera = Path(folder) / "camera.y4m"
        write_camera_file(camera_frames(arguments.clips, arguments.people, 10 * CAMERA_HZ), camera)
        process = psutil.Process(server.pid)
        with camera_page(server.url, camera) as page:
            threads_before, names_before = process.num_threads(), _names(server.pid)
            picture(page).get_by_role("button", name="Start").click()
            resident_mb = _watch(process, arguments.minutes * 60)
        closed_s = time.monotonic()
        while process.num_threads() > threads_before and time.monotonic() - closed_s < ENDED_WITHIN_S:
            time.sleep(0.2)
        took_s = time.monotonic() - closed_s
        early_mb = _median_before(resident_mb, min(EARLY_S, arguments.minutes * 30))
        late_mb = _median_before(resident_mb, arguments.minutes * 60)
        print(f"resident: {early_mb:.0f} MB early, {late_mb:.0f} MB at the end, {late_mb - early_mb:+.0f} MB")
        print(f"threads: {threads_before} before, {process.num_threads()} {took_s:.1f} s after the tab was closed")
        print(f"more than before: {_names(server.pid) - names_before or 'none'}")
        print(f"resident after closing: {process.memory_info().rss / MEGABYTE:.0f} MB")


def _watch(process: psutil.Process, seconds: float) -> list[tuple[float, float]]:
    """(seconds since Start, resident MB), once a second."""
    began_s = time.monotonic()
    looks: list[tuple[float, float]] = []
    told_s = 0.0
    while (now_s := time.monotonic() - began_s) < seconds:
        looks.append((now_s, process.memory_info().rss / MEGABYTE))
        if now_s - told_s >= TOLD_EVERY_S:
            told_s = now_s
            print(f"{now_s:>5.0f} s  {looks[-1][1]:>6.0f} MB  {process.num_threads():>3} threads", flush=True)
        time.sleep(LOOK_EVERY_S)
    return looks


def _names(pid: int) -> Counter[str]:
    """What the system calls the threads of a process; nothing where it does not tell (it does on Linux)."""
    return Counter(path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/comm"))


def _median_before(looks: list[tuple[float, float]], end_s: float) -> float:
    return statistics.median(mb for time_s, mb in looks if end_s - TOLD_EVERY_S <= time_s <= end_s)


if __name__ == "__main__":
    main()
