"""The background work of the pages: fetching networks, previews, analyses, annotated videos.

Quick to import: a job imports the networks' libraries, when the page is already visible.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer import weights
from recognizer.analysis.passes import PassStore
from recognizer.files import BYTES_PER_MB
from recognizer.limits import duration_text, rate_text
from recognizer.networks.cache import ModelCache
from recognizer.networks.fallback import UsableClassifier, usable_classifier
from recognizer.service.action_sets import ActionSetStore
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.estimates import CostStore, Meter
from recognizer.service.fairness import NOBODY
from recognizer.service.growing import Growing
from recognizer.service.jobs import Job, Jobs
from recognizer.service.own_actions import OwnActions
from recognizer.service.own_names import Naming
from recognizer.service.room import check_free
from recognizer.service.run_facts import facts_of
from recognizer.service.run_work import RunWork
from recognizer.service.runs import Kind, Run, RunStore
from recognizer.service.servers import Server
from recognizer.service.store import AnalysisStore, StoredAnalysis, StoredFile, analysis_of
from recognizer.service.unsaved import Unsaved
from recognizer.service.workbench import Workbench
from recognizer.settings import Settings
from recognizer.video import make_preview

if TYPE_CHECKING:
    from recognizer.analysis.file import Progress


@dataclass(frozen=True)
class ServerContext:
    """The state shared by everyone on this server; nothing in it belongs to one stream.

    Attributes:
        jobs: background work.
        store: users' data.
        models: the loaded networks.
        pass_store: finished passes over videos.
        live_analyses: ids of the analyses of cameras' streams, from a stream's start until its analysis is stored.
        unsaved: results and corrections that could not be stored yet.
        costs: what earlier analyses took.
        comparisons: the stored comparisons, in the same database.
        workbench: the opened analyses and comparisons, and their corrections.
        own_actions: everybody's own actions.
        runs: the state of what runs, so that a restart can go on with it.
        server: this server among those that share the data.
    """

    jobs: Jobs
    store: AnalysisStore
    models: ModelCache
    pass_store: PassStore
    live_analyses: set[str] = field(default_factory=set)
    unsaved: Unsaved = field(default_factory=Unsaved)
    costs: CostStore = field(default_factory=CostStore)
    comparisons: ComparisonStore = field(init=False)
    workbench: Workbench = field(init=False)
    own_actions: OwnActions = field(init=False)
    runs: RunStore = field(init=False)
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        naming = Naming(ActionSetStore(self.store.database), self.store.features)
        object.__setattr__(self, "comparisons", ComparisonStore(self.store))
        object.__setattr__(self, "workbench", Workbench(self.store, self.comparisons, naming, self.unsaved))
        object.__setattr__(self, "own_actions", OwnActions(self.store, self.workbench, naming))
        object.__setattr__(self, "runs", RunStore(self.store.database))
        object.__setattr__(self, "server", Server(self.store.folder / "servers"))

    def work_on(
        self,
        run_id: str,
        kind: Kind,
        video: StoredFile,
        visitor_id: str,
        request: Mapping[str, Any],
        result_id: str = "",
    ) -> RunWork:
        """Return a new run, or one that this server took over, for a job to work on.

        Args:
            run_id: identifies it.
            kind: what it does.
            video: the file.
            visitor_id: who starts it.
            request: what is needed to start it again, besides the video.
            result_id: the analysis or comparison; empty if it has the run's id.
        """
        run = Run(
            run_id=run_id,
            kind=kind,
            video_name=video.name,
            video_file=video.path.name,
            video_sha256=video.sha256,
            visitor_id=visitor_id,
            request={**request, "size_bytes": video.size_bytes},
            result_id=result_id,
            server_id=self.server.server_id,
        )
        return RunWork(self.runs, run)


@dataclass(frozen=True)
class Status:
    """The status of a running job, for a page.

    Attributes:
        text: describes the current work, for users.
        share: completed share, 0 to 1; None if unknown.
        growing: an analysis's timeline so far; None before it begins.
    """

    text: str
    share: float | None = None
    growing: Growing | None = None


def fetch_report(job: Job[Any]) -> weights.Progress:
    """Return a function that reports a download as a job's status."""

    def report(name: str, done_bytes: int, total_bytes: int | None) -> None:
        done_mb = done_bytes / BYTES_PER_MB
        if total_bytes:
            total_mb = total_bytes / BYTES_PER_MB
            job.report(Status(f"Fetching {name}: {done_mb:.0f} of {total_mb:.0f} MB", done_bytes / total_bytes))
        else:
            job.report(Status(f"Fetching {name}: {done_mb:.0f} MB"))

    return report


def get_ready(job: Job[UsableClassifier]) -> UsableClassifier:
    """Fetch the default detector and a classifier, unless they are already on this machine.

    Raises:
        WeightsError: the detector, or every classifier, is unavailable.
    """
    report = fetch_report(job)
    job.report(Status("Checking for the networks"))
    weights.resolve(Settings.model, progress=report)
    return usable_classifier(progress=report)


def start_analysis(
    context: ServerContext,
    analysis_id: str,
    video: StoredFile,
    settings: Settings,
    max_file_bytes: int,
    *,
    visitor_id: str = NOBODY,
    expected_s: float | None = None,
    checked: bool = True,
) -> Job[StoredAnalysis]:
    """Analyze a stored video in the background and store the result, even if the job is cancelled.

    The job's result holds the timeline in memory, so a page need not load it. If it cannot be stored, ``unsaved`` keeps
    it until it can. If the server ends, the next one goes on with it.

    Raises:
        LimitError: the visitor has too many runs already, or the disk is nearly full; never if ``checked`` is False.
    """
    if checked:
        check_free(context.store.folder)
    request = {"settings": settings.as_dict(), "max_file_bytes": max_file_bytes}
    run = context.work_on(analysis_id, "analysis", video, visitor_id, request)

    def work(job: Job[StoredAnalysis]) -> StoredAnalysis | None:
        job.report(Status("Loading the networks"))
        from recognizer.analysis.file import analyze
        from recognizer.networks.loading import loading_message

        job.report(Status(loading_message(settings)))
        models = context.models.get(settings, fetch_report(job))
        job.report(Status("Reading the video"))
        meter = Meter(models)
        with closing(_AnalysisReport(job, meter, run)) as report:
            timeline = analyze(
                context.store.source(video.path),
                settings,
                models=meter.models,
                progress=report,
                cancel=lambda: job.cancelled,
                pass_store=context.pass_store,
                max_file_bytes=max_file_bytes,
                sha256=video.sha256,
                name=video.name,
                save_points=run,
            )
        if job.suspended:
            return None
        if not report.resumed:  # what is repeated says nothing about the cost
            context.costs.add(meter.cost(timeline))

        def save() -> StoredAnalysis:
            stored = context.store.save_analysis(analysis_id, video, timeline)
            run.end("done" if timeline.complete else "cancelled", facts=facts_of(timeline))
            return stored

        analysis = context.unsaved.save(analysis_id, save, lambda: analysis_of(analysis_id, video, timeline))
        context.workbench.expect(analysis)
        return analysis

    return run.start(context.jobs, work, about=video, long=True, expected_s=expected_s, checked=checked)


class _AnalysisReport:
    """Turns the engine's progress into a job's status; pages make the timeline so far from it.

    Attributes:
        resumed: whether another server did the first part.
    """

    def __init__(self, job: Job[StoredAnalysis], meter: Meter, run: RunWork) -> None:
        self.resumed = False
        self._run = run
        self._job = job
        self._meter = meter
        self._growing: Growing | None = None

    def __call__(self, progress: Progress) -> None:
        self._meter.see(progress)
        self.resumed = progress.resumed
        if self._run.left_at_share is not None:
            self._run.remark(_went_on(progress))
        if self._growing is None:
            self._growing = Growing(progress.timeline)
        share = min(1.0, progress.analysed_s / progress.duration_s) if progress.duration_s else None
        self._job.remaining_s = progress.remaining_s
        self._job.report(Status(progress_text(progress), share, self._growing))

    def close(self) -> None:
        """Let go of the analysis, which is over."""
        if self._growing is not None:
            self._growing.end()


def progress_text(progress: Progress) -> str:
    """Return the progress of an analysis in words."""
    parts = [f"{progress.analysed_s:.1f} s"]
    if progress.duration_s:
        parts[0] = f"{progress.analysed_s:.1f} of {progress.duration_s:.1f} s of video"
    if progress.frames_per_s is not None:
        parts.append(rate_text(progress.frames_per_s))
    if progress.remaining_s is not None:
        parts.append(f"about {duration_text(progress.remaining_s)} left")
    if progress.from_crops:
        parts.append("people already found earlier")
    return " · ".join(parts)


def _went_on(progress: Progress) -> str:
    """Return in a sentence where an analysis goes on that another server left."""
    if not progress.resumed:
        return "The server restarted; this analysis began again."
    if progress.went_on_at_s is None:
        return "The server restarted; this analysis goes on."
    return f"The server restarted; this analysis went on at {moment_text(progress.went_on_at_s)}."


def moment_text(time_s: float) -> str:
    """Return a time in a video in whole seconds: ``0:35``, ``1:02:05``."""
    hours, seconds = divmod(int(time_s), 3600)
    return f"{hours}:{seconds // 60:02}:{seconds % 60:02}" if hours else f"{seconds // 60}:{seconds % 60:02}"


def start_preview(context: ServerContext, video: StoredFile, *, visitor_id: str = NOBODY) -> Job[Path]:
    """Make a small copy of a video that every browser plays; if one is being made, follow that."""
    target = context.store.derived_path(video.path, "preview.mp4")
    going = context.jobs.unfinished_about(target)
    if going is not None:
        return going

    def work(job: Job[Path]) -> Path:
        if not target.is_file():
            make_preview(
                context.store.source(video.path),
                target,
                progress=lambda share: job.report(Status("Preparing the preview", share)),
                cancel=lambda: job.cancelled,
            )
        return target

    return context.jobs.start(work, about=target, visitor_id=visitor_id)
