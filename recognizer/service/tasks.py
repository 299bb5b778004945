"""The background work of the pages: getting networks ready, previews, analyses, annotated videos.

Quick to import: what the networks need is imported by the job that needs it, while the page is already there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer import weights
from recognizer.analysis.passes import PassStore
from recognizer.networks.cache import ModelCache
from recognizer.networks.fallback import UsableClassifier, usable_classifier
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Job, Jobs
from recognizer.service.store import AnalysisStore, StoredAnalysis, StoredFile
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.video import make_preview

if TYPE_CHECKING:
    from recognizer.analysis.file import Progress

_SNAPSHOT_EVERY_S = 0.7
"""How often the timeline is put together while an analysis runs."""

_MEGABYTE = 1e6


@dataclass(frozen=True)
class ServerContext:
    """What all people on this server share; nothing in it belongs to one stream.

    Attributes:
        jobs: background work.
        store: what people made.
        models: the loaded networks.
        pass_store: finished passes over videos.
        live_runs: the runs that cameras' streams will be kept as, while they run or are being kept.
    """

    jobs: Jobs
    store: AnalysisStore
    models: ModelCache
    pass_store: PassStore
    live_runs: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Status:
    """What a job shows while it runs.

    Attributes:
        text: what it does, for people.
        share: 0 to 1; None where it cannot be told.
        timeline: what an analysis has so far; None before it begins.
    """

    text: str
    share: float | None = None
    timeline: Timeline | None = None


def fetch_report(job: Job[Any]) -> weights.Progress:
    """A job's report of a download, in words."""

    def report(name: str, done_bytes: int, total_bytes: int | None) -> None:
        done_mb = done_bytes / _MEGABYTE
        if total_bytes:
            total_mb = total_bytes / _MEGABYTE
            job.report(Status(f"Fetching {name}: {done_mb:.0f} of {total_mb:.0f} MB", done_bytes / total_bytes))
        else:
            job.report(Status(f"Fetching {name}: {done_mb:.0f} MB"))

    return report


def get_ready(job: Job[UsableClassifier]) -> UsableClassifier:
    """Fetch what the main job needs and is not here: the default detector and a classifier.

    Raises:
        WeightsError: the detector cannot be had, or no classifier.
    """
    report = fetch_report(job)
    job.report(Status("Looking for the networks"))
    weights.resolve(Settings.model, progress=report)
    return usable_classifier(progress=report)


def start_analysis(
    context: ServerContext, run_id: str, video: StoredFile, settings: Settings, max_file_bytes: int
) -> Job[Timeline]:
    """Analyse a stored video in the background, and keep what comes out, also when it is cancelled."""

    def work(job: Job[Timeline]) -> Timeline:
        job.report(Status("Loading the networks"))
        from recognizer.analysis.file import analyze
        from recognizer.networks.loading import loading_text

        job.report(Status(loading_text(settings)))
        models = context.models.get(settings, fetch_report(job))
        job.report(Status("Reading the video"))
        report = _AnalysisReport(job)
        timeline = analyze(
            video.path,
            settings,
            models=models,
            progress=report,
            cancel=lambda: job.cancelled,
            pass_store=context.pass_store,
            max_file_bytes=max_file_bytes,
            sha256=video.sha256,
            name=video.name,
        )
        context.store.save_analysis(run_id, video, timeline)
        return timeline

    return context.jobs.start(work, run_id, about=video)


class _AnalysisReport:
    """Turns the engine's progress into words, and the timeline so far into a snapshot now and then."""

    def __init__(self, job: Job[Timeline]) -> None:
        self._job = job
        self._snapshot: Timeline | None = None
        self._snapshot_at_s = float("-inf")

    def __call__(self, progress: Progress) -> None:
        now_s = time.monotonic()
        if now_s - self._snapshot_at_s > _SNAPSHOT_EVERY_S:
            self._snapshot, self._snapshot_at_s = progress.timeline(), now_s
        share = min(1.0, progress.analysed_s / progress.duration_s) if progress.duration_s else None
        self._job.report(Status(progress_text(progress), share, self._snapshot))


def progress_text(progress: Progress) -> str:
    """How far an analysis is, in words."""
    parts = [f"{progress.analysed_s:.1f} s"]
    if progress.duration_s:
        parts[0] = f"{progress.analysed_s:.1f} of {progress.duration_s:.1f} s of video"
    if progress.frames_per_s is not None:
        parts.append(f"{progress.frames_per_s:.0f} frames/s")
    if progress.remaining_s is not None:
        parts.append(f"about {remaining_text(progress.remaining_s)} left")
    if progress.from_crops:
        parts.append("people already found earlier")
    return " · ".join(parts)


def remaining_text(remaining_s: float) -> str:
    """A time to wait, as coarse as it is certain."""
    if remaining_s < 90:
        return f"{remaining_s:.0f} s"
    return f"{remaining_s / 60:.0f} min"


def start_preview(context: ServerContext, video: StoredFile) -> Job[Path]:
    """Make a small copy that every browser plays."""
    target = context.store.path_beside(video.path, "preview.mp4")

    def work(job: Job[Path]) -> Path:
        if not target.is_file():
            make_preview(
                video.path,
                target,
                progress=lambda share: job.report(Status("Preparing the preview", share)),
                cancel=lambda: job.cancelled,
            )
        return target

    return context.jobs.start(work)


def start_rendering(
    context: ServerContext, run: StoredAnalysis, palette: ActionPalette, min_confidence: float, min_duration_s: float
) -> Job[Path]:
    """Draw boxes and labels into a copy of the video of an analysis that was kept."""
    thresholds = f"{min_confidence:g}-{min_duration_s:g}"
    target = context.store.path_beside(run.video_path, f"{run.run_id}-{thresholds}.mp4")
    segments = run.timeline.segments(min_confidence, min_duration_s)

    def work(job: Job[Path]) -> Path:
        def report(done_s: float, duration_s: float | None) -> None:
            share = min(1.0, done_s / duration_s) if duration_s else None
            job.report(Status("Drawing the annotated video", share))

        if not target.is_file():
            from recognizer.drawing.video import render_video

            render_video(
                run.video_path,
                run.timeline,
                segments,
                palette,
                target,
                name=run.video_name,
                progress=report,
                cancel=lambda: job.cancelled,
            )
        return target

    return context.jobs.start(work)
