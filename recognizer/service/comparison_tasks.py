"""Comparisons in the background: started by a page, kept entry by entry. Quick to import, as ``runs`` is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recognizer.comparison.model import Comparison, Entry
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.jobs import Job
from recognizer.service.store import StoredFile
from recognizer.service.tasks import ServerContext, Status, fetch_report, progress_text
from recognizer.settings import Settings

if TYPE_CHECKING:
    from recognizer.analysis.compare import CompareProgress
    from recognizer.networks.loading import Models


@dataclass(frozen=True)
class ComparisonRequest:
    """What a comparison's job works on, for who finds it by its name.

    Attributes:
        video: the file.
        settings: one for each classifier.
        checkpoint_names: what the person calls the checkpoint of each; None for published weights.
    """

    video: StoredFile
    settings: tuple[Settings, ...]
    checkpoint_names: tuple[str | None, ...]


@dataclass(frozen=True)
class CompareStatus(Status):
    """What a comparison's job shows while it runs.

    Attributes:
        finished: how many of those that were to run are over, and kept.
    """

    finished: int = 0


def start_comparison(
    context: ServerContext,
    comparison_id: str,
    request: ComparisonRequest,
    known: Sequence[Entry],
    max_file_bytes: int,
) -> Job[Comparison]:
    """Compare on a stored video in the background, and keep each entry as it comes, also when it is cancelled.

    Args:
        services: what all share.
        comparison_id: names the job and what it keeps.
        request: what to compare.
        known: entries that ran before; they are not run again.
        max_file_bytes: larger files are refused.
    """
    store = ComparisonStore(context.store)
    video = request.video

    def work(job: Job[Comparison]) -> Comparison:
        job.report(Status("Loading the networks"))
        from recognizer.analysis.compare import compare
        from recognizer.networks.loading import loading_text

        def load(settings: Settings) -> Models:
            job.report(Status(loading_text(settings)))
            return context.models.get(settings, fetch_report(job))

        comparison = compare(
            video.path,
            request.settings,
            load=load,
            known=known,
            checkpoint_names=request.checkpoint_names,
            pass_store=context.pass_store,
            progress=lambda progress: job.report(_status(progress)),
            entry_done=lambda so_far: store.save(comparison_id, video, so_far),
            cancel=lambda: job.cancelled,
            max_file_bytes=max_file_bytes,
            sha256=video.sha256,
            name=video.name,
        )
        store.save(comparison_id, video, comparison)
        return comparison

    return context.jobs.start(work, comparison_id, about=request)


def _status(progress: CompareProgress) -> CompareStatus:
    """How far a comparison is, in words and as a share of all that is to run."""
    finished = progress.number - 1
    if progress.entry is None and progress.analysis is not None:
        text = f"Finding people, once for all classifiers: {progress_text(progress.analysis)}"
    elif progress.analysis is None:
        text = f"{progress.entry}, {progress.number} of {progress.count}: loading the network"
    else:
        text = f"{progress.entry}, {progress.number} of {progress.count}: {progress_text(progress.analysis)}"
    return CompareStatus(text, progress.share, finished=finished)
