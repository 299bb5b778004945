"""Generated runs, stored where a server finds them.

``python -m tests.support.library FOLDER COUNT`` stores some, the first with videos; start the server with
RECOGNIZER_DATA set to the same folder, and ``RECOGNIZER_LIMIT_ALONE=true`` to see everybody's.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from recognizer.service import tables
from recognizer.service.database import Database
from recognizer.service.room import UploadLedger
from recognizer.service.run_facts import facts_of
from recognizer.service.runs import Kind, Run, RunStore, State, _values
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext
from recognizer.service.uploads import Uploads
from tests.support.workbench import generated_timeline, store_analysis, write_video

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("analysis", "analysis", "analysis", "comparison", "live", "drawing")
STATES: tuple[State, ...] = ("done", "done", "done", "done", "cancelled", "failed")
CLASSIFIERS = ("i3d", "s3d", "swin3d_t", "mvit_v2_s")


def generated_run(number: int, visitor_id: str = "", video_file: str = "") -> Run:
    """Return a finished run; its number decides everything about it."""
    kind, state = KINDS[number % len(KINDS)], STATES[number * 5 % len(STATES)]
    return Run(
        run_id=f"run-{number:05}",
        kind=kind,
        video_name=f"training {number % 40:02} camera {number % 3}.mp4",
        video_file=video_file,
        state=state,
        visitor_id=visitor_id,
        created_at=NOW - timedelta(hours=7 * number),
        ended_at=NOW - timedelta(hours=7 * number - 1),
        progress=1.0 if state == "done" else 0.4,
        problem="'training.mp4' cannot be read, it ends in the middle; copy it again." if state == "failed" else "",
        title=f"Match {number}" if number % 7 == 0 else "",
        tags=("juniors",) if number % 5 == 0 else (),
        facts={
            "classifier": CLASSIFIERS[number % len(CLASSIFIERS)],
            "settings": "32 samples, every 2nd frame",
            "people": number % 12,
            "duration_s": 30.0 + 61 * (number % 90),
        },
    )


def store_runs(database: Database, count: int, visitor_id: str = "") -> None:
    """Store finished runs without results, in one transaction: one for each would take minutes on a slow disk."""
    with database.transaction("runs") as connection:
        connection.execute(insert(tables.run), [_values(generated_run(number, visitor_id)) for number in range(count)])


def store_real_run(folder: Path, videos: Path, name: str, visitor_id: str = "", *, people: int = 3) -> Run:
    """Store an analysis with its video and its run, and return the run."""
    timeline = generated_timeline(people, 6.0, seed=people)
    video = write_video(videos / name, timeline)
    stored = store_analysis(folder, timeline, video)
    runs = RunStore(AnalysisStore(folder).database)
    run = Run(
        run_id=stored.analysis_id,
        kind="analysis",
        video_name=name,
        video_file=stored.video_path.name,
        video_sha256=stored.timeline.video.sha256 or "",
        state="done",
        visitor_id=visitor_id,
        facts=facts_of(stored.timeline),
    )
    runs.create(run)
    return run


def store_upload(folder: Path, videos: Path, name: str, visitor_id: str = "ana") -> None:
    """Store a video that a visitor uploaded and did not analyze."""
    timeline = generated_timeline(1, 4.0, seed=9)
    store = AnalysisStore(folder)
    with write_video(videos / name, timeline).open("rb") as stream:
        file = store.add_file(stream, name, visitor_id=visitor_id)
    uploads = Uploads(RunStore(store.database), UploadLedger(store.database), store.file_path(""))
    uploads.add(file, visitor_id, "video", timeline.analysed_s)


def own_bytes(context: ServerContext, visitor_id: str) -> int:
    """Return what a visitor's uploads take."""
    return UploadLedger(context.store.database).bytes_of(visitor_id, context.store.file_path(""))


def main(arguments: Sequence[str] | None = None) -> None:
    """Store runs in a folder of data."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    store_runs(AnalysisStore(given.folder).database, given.count)
    for people in range(1, 5):
        store_real_run(given.folder, given.folder, f"real {people}.mp4", people=people)
    store_upload(given.folder, given.folder, "not analysed.mp4")


if __name__ == "__main__":
    main()
