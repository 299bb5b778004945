"""Run comparisons in the background: a page starts them, and each entry is stored when it finishes.

Quick to import, like ``tasks``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer.comparison.model import CANCELLED, Comparison, Entry
from recognizer.service.comparisons import StoredComparison, comparison_of
from recognizer.service.fairness import NOBODY
from recognizer.service.jobs import Job
from recognizer.service.room import check_free
from recognizer.service.run_facts import facts_of_comparison
from recognizer.service.runs import Run, State
from recognizer.service.store import StoredFile
from recognizer.service.tasks import ServerContext, Status, fetch_report, progress_text
from recognizer.settings import Settings, settings_from

if TYPE_CHECKING:
    from recognizer.analysis.compare import CompareProgress
    from recognizer.networks.loading import Models


@dataclass(frozen=True)
class ComparisonRequest:
    """The input of a comparison's job, for a page that finds the job by its id.

    Attributes:
        video: the file.
        settings: one for each classifier.
        checkpoint_names: the user's name for each checkpoint; None for published weights.
    """

    video: StoredFile
    settings: tuple[Settings, ...]
    checkpoint_names: tuple[str | None, ...]


def start_comparison(
    context: ServerContext,
    comparison_id: str,
    request: ComparisonRequest,
    known: Sequence[Entry],
    max_file_bytes: int,
    *,
    visitor_id: str = NOBODY,
    expected_s: float | None = None,
    checked: bool = True,
) -> Job[StoredComparison]:
    """Compare classifiers on a stored video in the background, and store each entry, even if the job is cancelled.

    The job's partial result holds the finished entries, with their timelines in memory. If the server ends, the next
    one goes on with the entry that was running.

    Args:
        context: the state shared by everyone on this server.
        comparison_id: identifies the job and the stored comparison.
        request: what to compare.
        known: entries that have already run; they do not run again.
        max_file_bytes: larger files are refused.
        visitor_id: who starts it.
        expected_s: seconds that it should take; None if unknown.
        checked: whether the limits of runs count.

    Raises:
        LimitError: the visitor has too many runs already, or the disk is nearly full; never if ``checked`` is False.
    """
    if checked:
        check_free(context.store.folder)
    video = request.video
    run = context.work_on(comparison_id, "comparison", video, visitor_id, _values(request, max_file_bytes))

    def work(job: Job[StoredComparison]) -> StoredComparison | None:
        job.report(Status("Loading the networks"))
        from recognizer.analysis.compare import compare
        from recognizer.networks.loading import loading_message

        if run.left_at_share is not None:
            run.remark(f"The server restarted; this comparison went on at {100 * run.left_at_share:.0f} %.")

        def load(settings: Settings) -> Models:
            job.report(Status(loading_message(settings)))
            return context.models.get(settings, fetch_report(job))

        def store(comparison: Comparison, state: State | None = None) -> None:
            before = job.partial

            def save() -> StoredComparison:
                stored = context.comparisons.save(comparison_id, video, comparison)
                if state is not None:
                    run.end(state, facts=facts_of_comparison(comparison))
                return stored

            job.partial = context.unsaved.save(
                comparison_id, save, lambda: comparison_of(comparison_id, video, comparison, before)
            )
            context.workbench.begin(job.partial)

        comparison = compare(
            context.store.source(video.path),
            request.settings,
            load=load,
            known=known,
            checkpoint_names=request.checkpoint_names,
            pass_store=context.pass_store,
            progress=lambda progress: job.report(_status(progress)),
            entry_done=store,
            cancel=lambda: job.cancelled,
            max_file_bytes=max_file_bytes,
            sha256=video.sha256,
            name=video.name,
            save_points=run,
        )
        if job.suspended:
            return None
        is_whole = all(entry.problem != CANCELLED for entry in comparison.entries)
        store(comparison, "done" if is_whole else "cancelled")
        return job.partial

    return run.start(context.jobs, work, about=request, long=True, expected_s=expected_s, checked=checked)


def _values(request: ComparisonRequest, max_file_bytes: int) -> dict[str, Any]:
    return {
        "settings": [settings.as_dict() for settings in request.settings],
        "checkpoint_names": list(request.checkpoint_names),
        "max_file_bytes": max_file_bytes,
    }


def compare_again(context: ServerContext, run: Run, video: StoredFile) -> Job[StoredComparison]:
    """Go on with a comparison that a server left behind; finished entries do not run again."""
    settings = tuple(map(settings_from, run.request["settings"]))
    request = ComparisonRequest(video, settings, tuple(run.request["checkpoint_names"]))
    stored = context.comparisons.load(run.run_id)
    known = () if stored is None else stored.comparison.finished
    max_file_bytes = run.request["max_file_bytes"]
    return start_comparison(
        context, run.run_id, request, known, max_file_bytes, visitor_id=run.visitor_id, checked=False
    )


def _status(progress: CompareProgress) -> Status:
    """Return the progress of a comparison in words, and as a share of the whole."""
    if progress.entry is None and progress.analysis is not None:
        text = f"Finding people, once for all classifiers: {progress_text(progress.analysis)}"
    elif progress.analysis is None:
        text = f"{progress.entry}, {progress.number} of {progress.count}: loading the network"
    else:
        text = f"{progress.entry}, {progress.number} of {progress.count}: {progress_text(progress.analysis)}"
    return Status(text, progress.share)
