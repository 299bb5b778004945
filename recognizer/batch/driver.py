"""Run a batch: from its sources to results, manifest and data set."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from filelock import FileLock, Timeout

from recognizer.batch.dataset import gather
from recognizer.batch.exports import Exports, export_all
from recognizer.batch.growth import Growth
from recognizer.batch.local import Executor
from recognizer.batch.manifest import Manifest
from recognizer.batch.messages import Outcome, Report, Task
from recognizer.batch.recipe import Recipe
from recognizer.batch.results import LOCK, BatchFolder, writing
from recognizer.batch.sources import Sources
from recognizer.batch.tally import NEWS, Tally
from recognizer.errors import OutputError, RecognizerError, SettingsError
from recognizer.files import size_text
from recognizer.limits import exceeded, limits

_CLASSIFIER: Final = "classifier"

_ENTERS_WITHIN_S: Final = 0.2
"""A page that looks whether a command works here holds the lock for a moment."""

_NEWS_EVERY_S: Final = 5.0


class StoppedError(RecognizerError):
    """No other video would fare better, as without weights or with a full disk."""


@dataclass(frozen=True)
class Request:
    """The request for a batch.

    Attributes:
        sources: files, folders, patterns, lists and addresses.
        out: the folder of the batch.
        recipe: how videos are analyzed, unless a list says otherwise.
        usable_classifier: returns the name of the classifier for recipes that name none. It is asked once for a folder:
            later commands have results with the same.
        max_file_bytes: larger files are refused; None for no limit.
        retry: whether videos that failed are tried again.
        exports: what is made of each finished video besides; None for nothing.
    """

    sources: tuple[str, ...]
    out: Path
    recipe: Recipe
    usable_classifier: Callable[[], str]
    max_file_bytes: int | None = None
    retry: bool = False
    exports: Exports | None = None


@dataclass(frozen=True)
class Watch:
    """The callbacks of whoever watches a batch.

    Attributes:
        see: called with the tally after each report.
        complain: called with a sentence for each video or source that fails.
        gathering: called now and then while the data set is written.
    """

    see: Callable[[Tally], None] = lambda _: None
    complain: Callable[[str], None] = lambda _: None
    gathering: Callable[[], None] = lambda: None


@dataclass
class Summary:
    """The summary of a command.

    Attributes:
        tally: the counts.
        problems: sentences about sources that cannot be read, and about files that cannot be made of a result.
    """

    tally: Tally
    problems: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether every video of every source is done, with all that is made of it."""
        return not (self.problems or self.tally.failed or self.tally.postponed)


def run_batch(request: Request, executor_for: Callable[[BatchFolder, int], Executor], watch: Watch) -> Summary:
    """Analyze everything that is not done yet, and bring manifest and data set up to date.

    Args:
        request: what to do.
        executor_for: returns the executor, given the folder and how many videos wait; not called if none does.
        watch: the callbacks.

    Raises:
        SettingsError: a list does not fit, or there is nothing to analyze.
        OutputError: the folder cannot be written to, or another command works in it.
        StoppedError: no other video would fare better.
    """
    folder = BatchFolder(request.out.absolute())
    folder.make()
    with _alone_in(folder):
        folder.tidy()
        with Manifest(folder.manifest) as manifest:
            return _Batch(request, folder, manifest, watch).run(executor_for)


@contextmanager
def _alone_in(folder: BatchFolder) -> Iterator[None]:
    """Admit one command to a folder at a time."""
    lock = FileLock(folder.root / LOCK)
    with writing(folder.root):
        try:
            lock.acquire(timeout=_ENTERS_WITHIN_S)
        except Timeout as error:
            why = f"another batch works in '{folder.root}'; wait for it, or give another --out."
            raise OutputError(why) from error
    try:
        yield
    finally:
        lock.release()


class _Batch:
    def __init__(self, request: Request, folder: BatchFolder, manifest: Manifest, watch: Watch) -> None:
        self._request = request
        self._folder = folder
        self._manifest = manifest
        self._watch = watch
        self._left_news_s = -_NEWS_EVERY_S
        self._places: dict[int, str] = {}

    def run(self, executor_for: Callable[[BatchFolder, int], Executor]) -> Summary:
        sources = Sources(self._request.sources, self._recipe(), self._folder.root)
        self._manifest.list(sources.entries(), retry=self._request.retry)
        self._manifest.check_results(self._folder.has_result)
        counts = self._manifest.counts()
        summary = Summary(Tally.of(counts), sources.problems)
        if not summary.tally.total and len(sources.problems) == 1:  # it says why there is nothing
            raise SettingsError(sources.problems[0])
        for problem in sources.problems:
            self._watch.complain(problem)
        if not summary.tally.total:
            raise SettingsError(f"there is nothing to analyze in {', '.join(self._request.sources)}; name videos.")
        self._watch.see(summary.tally)
        self._leave_news(summary.tally)
        if counts.waiting:
            self._work(executor_for(self._folder, counts.waiting), summary.tally)
        self._close(summary)
        return summary

    def _recipe(self) -> Recipe:
        """Return the recipe with a classifier."""
        recipe = self._request.recipe
        if recipe.names_a_classifier:
            return recipe
        name = self._manifest.fact(_CLASSIFIER)
        if name is None:
            name = self._request.usable_classifier()
            self._manifest.set_fact(_CLASSIFIER, name)
        return recipe.with_values({"video_classifier_model": name}, "the manifest")

    def _work(self, executor: Executor, tally: Tally) -> None:
        reports = executor.run(self._tasks(tally))
        try:
            with Growth(self._folder, self._manifest) as growth:
                for report in reports:
                    self._hear(report, tally)
                    if isinstance(report, Outcome) and report.state == "done":
                        growth.add(report.key)
                    growth.go_on()
        finally:
            reports.close()  # type: ignore[attr-defined]  # a generator; it ends the workers

    def _tasks(self, tally: Tally) -> Iterator[Task]:
        for due in self._manifest.due():
            self._check_room()
            tally.give(due)
            self._places[due.number] = due.place
            out, most_bytes = str(self._folder.root), self._request.max_file_bytes
            yield Task(due.number, due.place, due.recipe, due.digest, out, most_bytes)

    def _check_room(self) -> None:
        with writing(self._folder.root):
            free_bytes = shutil.disk_usage(self._folder.root).free
        if free_bytes < limits().min_free_bytes:
            fact = f"the disk of '{self._folder.root}' has {size_text(free_bytes)} left"
            raise StoppedError(str(exceeded("min_free_bytes", fact, "make room, and run the command again")))

    def _hear(self, report: Report, tally: Tally) -> None:
        tally.hear(report)
        if isinstance(report, Outcome):
            self._manifest.record(report)
            if report.ends_batch:
                raise StoppedError(report.error)
            place = self._places.pop(report.number, "")
            if report.error:  # most sentences name the file alone, and other folders may have one of that name
                self._watch.complain(report.error if place in report.error else f"{place}: {report.error}")
        self._watch.see(tally)
        self._leave_news(tally)

    def _leave_news(self, tally: Tally) -> None:
        """Leave in the manifest now and then what cannot be seen there: how far unfinished videos are."""
        if time.monotonic() - self._left_news_s >= _NEWS_EVERY_S:
            self._left_news_s = time.monotonic()
            self._manifest.set_fact(NEWS, msgspec.json.encode(tally.news()).decode())

    def _close(self, summary: Summary) -> None:
        gather(self._folder, self._manifest, self._watch.gathering)
        with writing(self._folder.table):
            self._manifest.write_table(self._folder.table)
        if self._request.exports is not None:
            problems = export_all(self._folder, self._manifest, self._request.exports, self._watch.gathering)
            for problem in problems:
                self._watch.complain(problem)
            summary.problems += problems
        if not summary.tally.postponed:  # nothing is left to go on with
            shutil.rmtree(self._folder.work, ignore_errors=True)
