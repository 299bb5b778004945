"""One run while this server works on it: its state and its save points in the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from recognizer.errors import LimitError, StoreError
from recognizer.service.jobs import Job, Jobs, Result
from recognizer.service.runs import REMARK, Run, RunStore, State
from recognizer.service.unforeseen import sentence_of

_log = logging.getLogger(__name__)


class RunWork:
    """A run that a job of this server works on. Implements ``analysis.save_points.SavePoints``.

    If the database cannot be written to, the work goes on without save points.

    Args:
        runs: the database of runs.
        run: the run, with this server's id.
    """

    def __init__(self, runs: RunStore, run: Run) -> None:
        self._runs = runs
        self._run = run
        self._job: Job[Any] | None = None
        self._before: Run | None = None
        self._left: Run | None = None

    def start(self, jobs: Jobs, work: Callable[[Job[Result]], Result | None], **how: Any) -> Job[Result]:
        """Store the run, start its job, and return this; a run that had ended runs once more.

        Args:
            jobs: the jobs of this server.
            work: what to do; if it fails, the run has failed.
            how: see ``Jobs.start``.

        Raises:
            LimitError: the job is refused; then a new run is not stored, and one that had ended is as it was.
        """
        self._create()
        try:
            return jobs.start(self._guarded(work), self._run.run_id, visitor_id=self._run.visitor_id, **how)
        except LimitError:
            with _without_database("a refused run stays stored"):
                if self._before is not None:
                    self._runs.again(self._before)
                else:
                    self._runs.end(self._run.run_id, "cancelled")
                    self._runs.remove(self._run.run_id)
            raise

    @property
    def left_at_share(self) -> float | None:
        """Completed share, 0 to 1, at which another server left the run; None if none did."""
        return None if self._left is None else self._left.progress

    def remark(self, text: str) -> None:
        """Say something about the run to its user, from now on."""
        if self._job is not None:
            self._job.remark = text

    def _with_remark(self, facts: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if facts is None or self._job is None or not self._job.remark:
            return facts
        return {**facts, REMARK: self._job.remark}

    def go_live(self) -> None:
        """Store the run, which works from now on, without a job."""
        self._create()
        with _without_database("the beginning of a session is not stored"):
            self._runs.begin(self._run.run_id, self._run.server_id)

    def _create(self) -> None:
        with _without_database("a run is not stored, so it would not survive the end of this server"):
            known = self._runs.load(self._run.run_id)
            self._left = known if known is not None and known.state == "running" else None
            if known is None:
                self._runs.create(self._run)
            elif known.is_finished:
                self._before = known
                self._runs.again(self._run)

    def _begin(self, job: Job[Any]) -> bool:
        """Note that a job works on the run; return False if it must not: the run ended, or another server has it."""
        self._job = job
        with _without_database("the beginning of a run is not stored"):
            is_own = self._runs.begin(self._run.run_id, self._run.server_id)
            return is_own or self._runs.load(self._run.run_id) is None
        return True

    def _guarded(self, work: Callable[[Job[Result]], Result | None]) -> Callable[[Job[Result]], Any]:
        """Return a job's work that begins the run, and ends it if the work fails."""

        def guarded(job: Job[Result]) -> Result | None:
            if not self._begin(job):
                job.cancel()
                return None
            try:
                return work(job)
            except Exception as error:  # noqa: BLE001 - it is logged once, with the number that run and job both tell
                job.error = sentence_of(error)
                self.end("failed", job.error)
                return None

        return guarded

    def chunks(self) -> Sequence[bytes]:
        """Return the save points so far; none if they cannot be read."""
        with _without_database("the save points of a run cannot be read, so it begins at the start"):
            return self._runs.chunks(self._run.run_id)
        return ()

    def save(self, chunk: bytes) -> None:
        """Append a save point; if the run is another server's by now, suspend the job.

        Raises:
            StoreError: it cannot be saved.
        """
        status = self._job.progress if self._job is not None else None
        share = getattr(status, "share", None) or 0.0
        try:
            is_own = self._runs.beat(self._run.run_id, share, chunk, server_id=self._run.server_id)
        except StoreError as error:
            self._tell(error.reason)
            raise
        self._tell(None)
        if not is_own and self._job is not None and self._runs.load(self._run.run_id) is not None:
            _log.warning("a run is another server's by now, or was ended; this server stops working on it")
            self._job.suspend()

    def _tell(self, problem: str | None) -> None:
        if self._job is not None:
            self._job.unsaved_because = problem

    def save_or_go_on(self, chunk: bytes) -> None:
        """Append a save point, or go on without it."""
        with _without_database("a save point is not stored"):
            self.save(chunk)

    def end(
        self, state: State, problem: str = "", facts: Mapping[str, Any] | None = None, video_file: str | None = None
    ) -> None:
        """Note how the run ended, unless the job is suspended: another server goes on with it."""
        if self._job is not None and self._job.suspended:
            return
        with _without_database("the end of a run is not stored, so the next server runs it again"):
            self._runs.end(self._run.run_id, state, problem, self._with_remark(facts), video_file)


@contextmanager
def _without_database(what_then: str) -> Iterator[None]:
    """Go on if the database cannot be used; the log says what then."""
    try:
        yield
    except StoreError as error:
        _log.warning("%s: %s", what_then, error)
