"""Do the live page's memory and threads stay constant? Streams through Chromium for minutes and monitors the server.

    .venv/bin/python -m benchmarks.soak [--minutes 10]

Prints the server's resident memory and threads every half minute; the memory at minute 2 and at the end (medians over
half a minute, because PyTorch's allocations fluctuate); and the threads before Start, after the tab is closed, and
after one more short session. Up to cores + 4 threads remain after the first session: the shared pool of Python's event
loop, in which aiortc encodes. It grows with use and never shrinks. Another session must add none.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.live_browser import app_server, camera_page, picture
from benchmarks.live_clips import CAMERA_HZ, CLIPS_DIR, camera_frames, write_camera_file

MEGABYTE = 2**20
EARLY_S = 120.0
SAMPLE_EVERY_S = 1.0
PRINT_EVERY_S = 30.0
ENDED_WITHIN_S = 20.0
SHORT_S = 15.0


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
            threads_before = process.num_threads()
            picture(page).get_by_role("button", name="Start").click()
            resident_mb = _watch(process, arguments.minutes * 60)
        threads_after = _threads_when_over(process, threads_before)
        closed_mb = process.memory_info().rss / MEGABYTE
        with camera_page(server.url, camera) as page:
            picture(page).get_by_role("button", name="Start").click()
            time.sleep(SHORT_S)
        threads_again = _threads_when_over(process, threads_after)
        early_mb = _median_before(resident_mb, min(EARLY_S, arguments.minutes * 30))
        late_mb = _median_before(resident_mb, arguments.minutes * 60)
        print(f"resident: {early_mb:.0f} MB early, {late_mb:.0f} MB at the end, {late_mb - early_mb:+.0f} MB")
        print(f"resident after closing: {closed_mb:.0f} MB")
        print(
            f"threads: {threads_before} before, {threads_after} after the tab was closed, {threads_again} after another"
        )


def _watch(process: psutil.Process, seconds: float) -> list[tuple[float, float]]:
    """Return (seconds since Start, resident MB), once a second."""
    began_s = time.monotonic()
    samples: list[tuple[float, float]] = []
    printed_s = 0.0
    while (now_s := time.monotonic() - began_s) < seconds:
        samples.append((now_s, process.memory_info().rss / MEGABYTE))
        if now_s - printed_s >= PRINT_EVERY_S:
            printed_s = now_s
            print(f"{now_s:>5.0f} s  {samples[-1][1]:>6.0f} MB  {process.num_threads():>3} threads", flush=True)
        time.sleep(SAMPLE_EVERY_S)
    return samples


def _threads_when_over(process: psutil.Process, expected: int) -> int:
    """Return the number of threads when it is as low as expected, or after a closed tab's threads had time to end."""
    closed_s = time.monotonic()
    while process.num_threads() > expected and time.monotonic() - closed_s < ENDED_WITHIN_S:
        time.sleep(0.2)
    return process.num_threads()


def _median_before(samples: list[tuple[float, float]], end_s: float) -> float:
    return statistics.median(mb for time_s, mb in samples if end_s - PRINT_EVERY_S <= time_s <= end_s)


if __name__ == "__main__":
    main()
