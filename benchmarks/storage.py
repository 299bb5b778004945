"""What does it cost to store a long analysis? A generated hour of 30 people, as JSON (as before) and as arrays.

    .venv/bin/python -m benchmarks.storage [--people 30] [--minutes 60] [--sample-every 0.0667] [--database URL]

Boxes jitter by a pixel and probabilities are float32, as a network's are. Each way saves into and loads from a database
of its own, a new file unless a URL of an empty PostgreSQL database is given; processor time repeats better than the
clock's on a busy machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import select

from recognizer.export import timeline_json
from recognizer.memory import without_collections
from recognizer.service import tables
from recognizer.service.database import Database, put
from recognizer.service.timeline_bytes import timeline_from_stored, timelines_to_bytes
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction
from tests.support.workbench import generated_timeline


def as_json(timeline: Timeline) -> bytes:
    """Return a timeline as it was stored before."""
    return zlib.compress(timeline_json(timeline, include_boxes=True, include_frame_times=True).encode())


def as_arrays(timeline: Timeline) -> bytes:
    """Return a timeline as it is stored."""
    return timelines_to_bytes([timeline])


def jittering(timeline: Timeline) -> Timeline:
    """Return a timeline whose numbers are as hard to compress as a network's."""
    random = np.random.default_rng(1)

    def moved(track: PersonTrack) -> PersonTrack:
        boxes = track.box_xyxy + random.normal(0.0, 1.0, track.box_xyxy.shape)
        sure = random.uniform(0.5, 1.0, len(track.time_s))
        return replace(track, box_xyxy=boxes.astype(np.float32), confidence=sure.astype(np.float32))

    def rounded(one: Prediction) -> Prediction:
        return replace(one, top=tuple((label, float(np.float32(value))) for label, value in one.top))

    return replace(
        timeline,
        people=tuple(map(moved, timeline.people)),
        predictions=tuple(map(rounded, timeline.predictions)),
    )


def measured(work: Callable[[], object]) -> str:
    """Return how long something takes."""
    wall_s, processor_s = time.perf_counter(), time.process_time()
    work()
    return f"{time.process_time() - processor_s:6.2f} s ({time.perf_counter() - wall_s:6.2f} s by the clock)"


def report(name: str, encode: Callable[[Timeline], bytes], timeline: Timeline, database: Database) -> None:
    """Save and load a timeline, and print what it costs."""
    stored, made_at = tables.analysis.c, datetime.now(UTC)

    def save() -> None:
        row = {"analysis_id": name, "created_at": made_at, "video_name": "hour.mp4", "video_file": "hour.mp4"}
        with database.transaction("analyses") as connection:
            put(connection, tables.analysis, [row | {"timeline": encode(timeline)}])

    def load() -> None:
        with database.reading() as connection:
            content = connection.scalar(select(stored.timeline).where(stored.analysis_id == name))
        with without_collections():
            timeline_from_stored(content or b"")

    saved, loaded = measured(save), measured(load)
    with database.reading() as connection:
        content = connection.scalar(select(stored.timeline).where(stored.analysis_id == name)) or b""
    print(f"{name:<8} {len(content) / 1e6:6.2f} MB   save {saved}   load {loaded}")


def main() -> None:
    """Print both ways side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--sample-every", type=float, default=2 / 30, help="seconds from one box to the next")
    parser.add_argument("--database", help="URL of an empty PostgreSQL database, instead of a new file")
    given = parser.parse_args()
    timeline = jittering(generated_timeline(given.people, 60 * given.minutes, sample_every_s=given.sample_every))
    samples = sum(len(track.time_s) for track in timeline.people)
    print(f"{given.minutes:g} min, {given.people} people, {samples} boxes, {len(timeline.predictions)} predictions")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(given.database or Path(folder) / "analyses.sqlite3")
        report("JSON", as_json, timeline, database)
        report("arrays", as_arrays, timeline, database)
        database.close()


if __name__ == "__main__":
    main()
