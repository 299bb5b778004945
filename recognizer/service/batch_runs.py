"""Results of batches as runs: one run for each result, whoever opens it, with everything that a run has.

The run is nobody's, as one of the command line: whoever may open the result may correct it, and all see the same
corrections. Its video stays where the batch found it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, update

from recognizer.errors import StoreError, system_reason
from recognizer.service import tables
from recognizer.service.database import put
from recognizer.service.features import timeline_and_features
from recognizer.service.run_facts import facts_of
from recognizer.service.runs import Run
from recognizer.service.sources import StoredPart, write_source
from recognizer.service.store import StoredFile
from recognizer.service.tasks import ServerContext
from recognizer.timeline.features import FeatureTable
from recognizer.timeline.model import Timeline

_THRESHOLDS: Final = "thresholds"
"""In the request of such a run: minimum confidence and duration (s) of the batch's segments."""

_WHAT: Final = "result of a batch"


@dataclass(frozen=True)
class BatchResult:
    """A result of a batch.

    Attributes:
        name: identifies it among all results.
        timeline: the file with its timeline.
        features: the file with its features, which may be missing.
        title: what the batch calls the video.
        group: the video's group; empty if there is none.
        video_name: the name of the file.
        video: the file, if its path is known.
        state: size (bytes) and time of change (ns) of the file when it was analyzed.
        sha256: of its bytes.
        stream, frame_rate_hz: see ``VideoSource``.
        thresholds: minimum confidence and duration (s) of the batch's segments.
    """

    name: str
    timeline: Path
    features: Path
    title: str
    group: str
    video_name: str
    video: Path | None
    state: tuple[int, int] | None
    sha256: str
    stream: int | None
    frame_rate_hz: float | None
    thresholds: tuple[float, float]


def run_of(context: ServerContext, result: BatchResult) -> Run:
    """Return the run of a result: the one that it had before, also if that was deleted, or a new one.

    Raises:
        StoreError: the result cannot be read, or the run cannot be stored.
    """
    run_id = _run_id(context, result.name)
    run = context.runs.load(run_id)
    video_file = _video_file(context, result)
    if run is None:
        return _stored(context, run_id, result, video_file)
    if run.removed_at is not None:
        context.runs.restore(run_id)
    if run.video_file != video_file and not context.store.is_here(context.store.file_path(run.video_file)):
        _move(context, run_id, video_file)
    return run


def thresholds_of(run: Run | None) -> tuple[float, float] | None:
    """Return the minimum confidence and duration (s) of the batch that a run's result is of; None if it is of none."""
    found: Mapping[str, Any] = {} if run is None else run.request
    return tuple(found[_THRESHOLDS]) if _THRESHOLDS in found else None


def _run_id(context: ServerContext, result_name: str) -> str:
    """Return the id of a result's run: two who ask at once get the same.

    It is hexadecimal, like those of other analyses: the workbench's key holds it, in which Streamlit forbids ``__``.
    """
    known = tables.batch_run.c
    with context.store.database.transaction(_WHAT) as connection:
        put(connection, tables.batch_run, [{"result": result_name, "run_id": uuid.uuid4().hex}], update=())
        return str(connection.scalar(select(known.run_id).where(known.result == result_name)))


def _video_file(context: ServerContext, result: BatchResult) -> str:
    """Return the name under which the video is known in the folder of videos; empty if it has no path."""
    if result.video is None or result.state is None:
        return ""
    part = StoredPart(result.video, result.video_name, result.sha256, result.state)
    try:
        return write_source(context.store.file_path(""), [part], result.stream, result.frame_rate_hz).name
    except OSError as error:
        raise StoreError(
            f"the data folder cannot be written to ({system_reason(error)}); make room on this server's disk."
        ) from error


def _stored(context: ServerContext, run_id: str, result: BatchResult, video_file: str) -> Run:
    timeline, features = _read(result)
    size_bytes = 0 if result.state is None else result.state[0]
    video = StoredFile(context.store.file_path(video_file), result.video_name, result.sha256, size_bytes)
    context.store.save_analysis(run_id, video, timeline)
    context.store.features.save(run_id, features)
    run = Run(
        run_id,
        "analysis",
        result.video_name,
        video_file=video_file,
        video_sha256=result.sha256,
        state="done",
        request={_THRESHOLDS: result.thresholds, "size_bytes": size_bytes},
        progress=1.0,
        title="" if result.title == result.video_name else result.title,
        tags=(result.group,) if result.group else (),
        facts=facts_of(timeline),
    )
    context.runs.create(run)
    return run


def _read(result: BatchResult) -> tuple[Timeline, FeatureTable | None]:
    try:
        return timeline_and_features(result.timeline, result.features)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the result of '{result.title}' cannot be read ({error}); run the batch's command again."
        ) from error


def _move(context: ServerContext, run_id: str, video_file: str) -> None:
    """Note that the video of a run is another file now."""
    with context.store.database.transaction(_WHAT) as connection:
        for column in (tables.run.c.run_id, tables.analysis.c.analysis_id):
            connection.execute(update(column.table).where(column == run_id).values(video_file=video_file))
