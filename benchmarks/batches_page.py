"""What the page of batches costs: ``python -m benchmarks.batches_page --videos 100000 --segments 50``.

A manifest and a data set of made-up rows; nothing is analyzed. Processor time, because other work may go on.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from recognizer.batch.dataset import PARTS, digest_of, part_name
from recognizer.batch.findings import BoutQuery, Findings
from recognizer.batch.manifest import Manifest
from recognizer.batch.places import batches_in
from recognizer.batch.results import BatchFolder
from recognizer.batch.watching import RowQuery, Watcher

Made = TypeVar("Made")

_VIDEOS = """
INSERT INTO video (place, recipe, id, "group", size_bytes, changed, is_listed, state, result, video_s, took_s)
VALUES (?, 'r', ?, ?, 1000, '1', 1, 'done', ?, 600, 300)
"""


def make(root: Path, videos: int, segments: int) -> None:
    """Write a batch of so many videos with so many segments each."""
    folder = BatchFolder(root)
    folder.make()
    results = sorted(hashlib.sha256(str(k).encode()).hexdigest()[:32] for k in range(videos))
    Manifest(folder.manifest).__exit__()
    with sqlite3.connect(folder.manifest) as connection:
        connection.execute("INSERT INTO recipe VALUES ('r', '{}')")
        rows = ((f"/{k}", f"camera {k:06}.mp4", f"group {k % 20}", result) for k, result in enumerate(results))
        connection.executemany(_VIDEOS, rows)
    connection.close()
    with Manifest(folder.manifest) as manifest:
        for part in PARTS:
            own = [result for result in results if result[0] == part]
            for table, content in _tables(own, segments):
                path = folder.data / part_name(table, part)
                path.parent.mkdir(parents=True)
                pq.write_table(content, path)
                manifest.set_fact(part_name(table, part), digest_of(own))


def _tables(results: list[str], segments: int) -> Iterator[tuple[str, pa.Table]]:
    random = np.random.default_rng(len(results))
    count = len(results) * segments
    labels = np.array([f"action {k}" for k in range(400)])
    times = {name: random.exponential(3.0, count) for name in ("start_s", "end_s", "duration_s")}
    columns = {
        "video": np.repeat(results, segments),
        "person_id": random.integers(1, 4, count),
        "action": labels[np.minimum(random.geometric(0.02, count), 399)],
        "confidence": random.random(count),
        **times,
    }
    yield "segments", pa.table(columns)
    yield "people", pa.table({"video": results, "present_s": random.random(len(results)) * 600})


def timed(what: str, act: Callable[[], Made]) -> Made:
    """Print the processor time and the memory of one step."""
    began_s = time.process_time()
    made = act()
    took_s = time.process_time() - began_s
    print(f"{what}: {took_s:.2f} s, {psutil.Process().memory_info().rss / 1e6:.0f} MB")
    return made


def main() -> None:
    """Make a batch and look at it as the page does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=50, help="of each video")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        timed("making it", lambda: make(Path(folder) / "batch", given.videos, given.segments))
        (batch,) = batches_in([folder])
        watcher = Watcher(batch)
        timed("progress", watcher.progress)
        timed("200 rows from the middle", lambda: watcher.rows(RowQuery(order="longest"), 200, given.videos // 2))
        findings = timed("which results the data set has", lambda: Findings(batch))
        timed("time per action by group", lambda: findings.by_group)
        timed("time in view", lambda: findings.seen_by_group)
        timed("eight actions by video", lambda: findings.by_video(findings.videos(), findings.actions[:8]))
        bouts = timed("a search", lambda: findings.bouts(BoutQuery("action 5", 2.0, 0.3)))
        print(f"{bouts.num_rows} bouts")


if __name__ == "__main__":
    main()
