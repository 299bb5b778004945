"""Draw annotated videos in the background. Quick to import, like ``tasks``."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from recognizer.export import Content, timeline_from_json, timeline_json
from recognizer.palette import ActionPalette
from recognizer.service.fairness import NOBODY
from recognizer.service.jobs import Job
from recognizer.service.run_work import RunWork
from recognizer.service.runs import Run, new_run_id
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.service.tasks import ServerContext, Status
from recognizer.timeline.model import Timeline
from recognizer.types import Segment


class _Drawing(msgspec.Struct):
    """The content of a drawing: its only save point, since it begins again.

    Attributes:
        timeline: see ``timeline_json``.
        segments: the labels.
        names: users' names for people.
    """

    timeline: str
    segments: list[Segment]
    names: dict[int, str]

    def packed(self) -> bytes:
        return zlib.compress(msgspec.msgpack.encode(self), 1)


def rendering_path(context: ServerContext, analysis: StoredAnalysis, shown: str) -> Path:
    """Return where the annotated video is as soon as it is drawn; ``shown``: see ``start_rendering``."""
    # earlier versions drew no names
    digest = hashlib.sha256(f"{shown}, with names".encode()).hexdigest()[:16]
    return context.store.derived_path(analysis.video_path, f"{analysis.analysis_id}-{digest}.mp4")


def start_rendering(
    context: ServerContext,
    analysis: StoredAnalysis,
    content: Content,
    palette: ActionPalette,
    shown: str,
    *,
    visitor_id: str = NOBODY,
) -> Job[Path]:
    """Draw boxes and labels into a copy of a stored analysis's video. If the server ends, the next one draws it again.

    Args:
        context: the server's jobs and files.
        analysis: the analysis.
        content: what is drawn of it.
        palette: colors of the actions.
        shown: identifies the content; another video has another file.
        visitor_id: who wants it.
    """
    target = rendering_path(context, analysis, shown)
    video = StoredFile(analysis.video_path, analysis.video_name, analysis.timeline.video.sha256 or "", 0)
    run = context.work_on(new_run_id(), "drawing", video, visitor_id, {"target": target.name}, analysis.analysis_id)

    def work(job: Job[Path]) -> Path | None:
        if not target.is_file():
            timeline, segments = content.timeline, content.segments
            text = timeline_json(timeline, include_boxes=True, include_frame_times=True)
            run.save_or_go_on(_Drawing(text, list(segments), dict(content.names)).packed())
            _draw(context, job, video, target, palette, (timeline, segments, dict(content.names)))
        return _drawn(job, run, target)

    return run.start(context.jobs, work, about=target)


def draw_again(context: ServerContext, run: Run, video: StoredFile, palette: ActionPalette) -> Job[Path]:
    """Draw what a server left behind; a drawing that had not begun is cancelled."""
    target = context.store.file_path(run.request["target"])
    taken = RunWork(context.runs, run)

    def work(job: Job[Path]) -> Path | None:
        chunks = taken.chunks()
        if not chunks:
            job.cancel()
        elif not target.is_file():
            drawing = msgspec.msgpack.decode(zlib.decompress(chunks[0]), type=_Drawing)
            timeline = timeline_from_json(drawing.timeline)
            _draw(context, job, video, target, palette, (timeline, drawing.segments, drawing.names))
        return _drawn(job, taken, target)

    return taken.start(context.jobs, work, about=target)


def _draw(
    context: ServerContext,
    job: Job[Path],
    video: StoredFile,
    target: Path,
    palette: ActionPalette,
    what: tuple[Timeline, Sequence[Segment], dict[int, str]],
) -> None:
    from recognizer.drawing.video import render_video

    def report(done_s: float, duration_s: float | None) -> None:
        share = min(1.0, done_s / duration_s) if duration_s else None
        job.report(Status("Drawing the annotated video", share))

    timeline, segments, names = what
    render_video(
        context.store.source(video.path),
        timeline,
        segments,
        palette,
        target,
        names=names,
        name=video.name,
        progress=report,
        cancel=lambda: job.cancelled,
    )


def _drawn(job: Job[Path], run: RunWork, target: Path) -> Path:
    run.end("cancelled" if job.cancelled else "done")
    return target
