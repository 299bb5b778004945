"""Background work: a user starts it, and pages poll it each time they are redrawn."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from typing import Any, Generic, Self, TypeVar
from weakref import WeakSet, WeakValueDictionary

from recognizer.limits import exceeded, limits
from recognizer.memory import give_back_memory
from recognizer.service.fairness import NOBODY, FairLine, Place
from recognizer.service.unforeseen import sentence_of

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

SHORT_AT_ONCE = 16
"""Maximum number of concurrent short jobs; others wait for their turn."""

SHORT_OF_EACH = 4
"""Maximum number of concurrent short jobs of one visitor."""

LONG_OF_EACH = 1
"""Maximum number of concurrent long jobs of one visitor; their others wait in line."""

END_WITHIN_S = 5.0
"""When the server ends, running jobs are suspended and have this long to save where they are."""

MAX_REMEMBERED = 200
"""Number of finished jobs to remember; their results are in the store, and here only while somebody has the job."""


class Job(Generic[Result]):
    """One piece of work on its own thread.

    Attributes:
        job_id: identifies it; cannot be guessed.
        progress: the work's latest report, in its own type; None before the first.
        partial: the result so far, if the work sets it.
        result: the return value of the work; None until it ends.
        error: why it failed, one sentence for users; None if it did not. A job may have an error and a result.
        about: its input, for code that finds the job by its id.
        visitor_id: who started it; empty for the server's own work.
        long: whether it may take minutes, as an analysis does.
        expected_s: seconds that it should take; None if unknown.
        remaining_s: seconds that it should still take, if the work says so.
        remark: what happened to it that its user should know, in a sentence; empty for nothing.
        unsaved_because: why what it has done cannot be saved now, in a sentence; None if it can.
        has_let_go: whether it had a result that only the store has now.
    """

    def __init__(
        self,
        work: Callable[[Job[Result]], Result],
        job_id: str | None = None,
        about: object = None,
        *,
        visitor_id: str = NOBODY,
        long: bool = False,
        expected_s: float | None = None,
    ) -> None:
        self.job_id = job_id or uuid.uuid4().hex
        self.about = about
        self.visitor_id = visitor_id
        self.long = long
        self.expected_s = expected_s
        self.remaining_s: float | None = None
        self.remark = ""
        self.unsaved_because: str | None = None
        self.has_let_go = False
        self._started_s: float | None = None
        self.progress: Any = None
        self.partial: Result | None = None
        self.result: Result | None = None
        self.error: str | None = None
        self._work: Callable[[Job[Result]], Result] | None = work
        self._turn = threading.Lock()  # a job is never started and cancelled at the same moment
        self._cancelled = threading.Event()
        self._suspended = False
        self._started = threading.Event()
        self._finished = threading.Event()

    @property
    def started(self) -> bool:
        """Whether the work has begun."""
        return self._started.is_set()

    @property
    def finished(self) -> bool:
        """Whether the job has ended, for any reason."""
        return self._finished.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether the job was asked to stop; the work polls this."""
        return self._cancelled.is_set()

    @property
    def takes_s(self) -> float | None:
        """Seconds until it ends, from its start or from now on; None if unknown."""
        if self.remaining_s is not None or self.expected_s is None or self._started_s is None:
            return self.remaining_s if self.remaining_s is not None else self.expected_s
        return max(0.0, self.expected_s - (time.monotonic() - self._started_s))

    def stops_within(self, seconds: float) -> bool:
        """Wait; return True at once if the job is asked to stop meanwhile."""
        return self._cancelled.wait(seconds)

    def cancel(self) -> None:
        """Ask the job to stop; its result is the work so far. A waiting job ends at once, without a result."""
        self._cancelled.set()
        with self._turn:
            if not self.started:
                self._work = None
                self._finished.set()

    @property
    def suspended(self) -> bool:
        """Whether the job ends because its server does, or another server works on it: somebody goes on with it."""
        return self._suspended

    def suspend(self) -> None:
        """Cancel the job, not what it works on."""
        self._suspended = True
        self.cancel()

    def report(self, progress: Any) -> None:
        """Publish the work's progress; called by the work."""
        self.progress = progress

    def to_remember(self) -> Self:
        """Return this job, which has ended, without what it made, a timeline or networks; one that failed keeps it."""
        light = copy(self)
        light.progress = None
        if self.error is None:
            light.has_let_go = self.result is not None
            light.partial, light.result = None, None
        return light

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the job ends; return False on timeout."""
        return self._finished.wait(timeout_s)

    def run(self) -> None:
        """Do the work on the calling thread; call once."""
        with self._turn:
            if self.finished:
                return
            self._started.set()
        self._started_s = time.monotonic()
        work, self._work = self._work, None  # a remembered job must not hold what it worked on
        assert work is not None, "a job runs once"
        try:
            self.result = work(self)
        except Exception as error:  # noqa: BLE001 - a bug in one job must not end the thread; it is logged and reported
            self.error = sentence_of(error)
        finally:
            del work
            _log.info("a job took %.1f s", time.monotonic() - self._started_s)
            self._finished.set()


class Jobs:
    """All jobs of this server; one user's job never stops another's.

    Short jobs and long jobs have a line each, so that a preview never waits for an analysis. In both, visitors take
    turns.
    """

    def __init__(self, max_at_once: int = SHORT_AT_ONCE, max_long_at_once: int | None = None) -> None:
        """Make the lines.

        Args:
            max_at_once: short jobs that run at the same time.
            max_long_at_once: long ones; as many as the operator allows if None.
        """
        long_at_once = limits().max_runs_at_once if max_long_at_once is None else max_long_at_once
        self._short: FairLine[Job[Any]] = FairLine(max_at_once, SHORT_OF_EACH)
        self._long: FairLine[Job[Any]] = FairLine(long_at_once, LONG_OF_EACH)
        self._lock = threading.Lock()
        self._once = threading.Lock()
        self._jobs: OrderedDict[str, Job[Any]] = OrderedDict()
        self._ended: WeakValueDictionary[str, Job[Any]] = WeakValueDictionary()
        _all_jobs.add(self)

    def start(
        self,
        work: Callable[[Job[Result]], Result],
        job_id: str | None = None,
        about: object = None,
        *,
        visitor_id: str = NOBODY,
        long: bool = False,
        expected_s: float | None = None,
        checked: bool = True,
    ) -> Job[Result]:
        """Start a piece of work in the background, or queue it.

        Args:
            work: what to do, on a thread of its own.
            job_id: identifies the job; a new id if None.
            about: its input.
            visitor_id: who starts it; empty for the server's own work, which has no limits.
            long: whether it may take minutes, as an analysis does.
            expected_s: seconds that it should take; None if unknown.
            checked: whether the limits of runs count; not for work that was accepted before the server's last start.

        Raises:
            LimitError: this visitor, or all together, have as many long jobs as the operator allows.
        """
        job = Job(work, job_id, about, visitor_id=visitor_id, long=long, expected_s=expected_s)
        with self._lock:
            if long and checked:
                self._check_limits(visitor_id)
            self._jobs[job.job_id] = job
            self._ended.pop(job.job_id, None)
            self._forget_oldest()
            line = self._long if long else self._short
            line.add(job, visitor_id)
            self._start_next(line)
        return job

    def start_once(
        self, work: Callable[[Job[Result]], Result], job_id: str, *, visitor_id: str = NOBODY
    ) -> Job[Result]:
        """Return the job with this id; start it if it is unknown or was forgotten."""
        with self._once:
            return self.get(job_id) or self.start(work, job_id, visitor_id=visitor_id)

    def _check_limits(self, visitor_id: str) -> None:
        if visitor_id == NOBODY:
            return
        unfinished = [job for job in self._jobs.values() if job.long and not job.finished]
        own = sum(job.visitor_id == visitor_id for job in unfinished)
        wait = "wait until one has ended, or cancel one"
        if own >= limits().max_runs_per_visitor:
            raise exceeded("max_runs_per_visitor", f"{own} of your runs {_are(own)} not finished yet", wait)
        if len(unfinished) >= limits().max_runs:
            all_of_them = len(unfinished)
            fact = f"{all_of_them} of all visitors' runs on this server {_are(all_of_them)} not finished yet"
            raise exceeded("max_runs", fact, "try again later")

    def _forget_oldest(self) -> None:
        finished = [key for key, known in self._jobs.items() if known.finished]
        for key in finished[: max(0, len(self._jobs) - MAX_REMEMBERED)]:
            del self._jobs[key]

    def _start_next(self, line: FairLine[Job[Any]]) -> None:
        """Start what is next in a line on a thread of its own, if anything may start; the lock is held."""
        job = line.take(lambda one: one.finished)
        if job is not None:
            # not concurrent.futures: its pools block Ctrl-C until the last job has finished
            threading.Thread(target=self._work_off, args=(line, job), name="job", daemon=True).start()

    def _work_off(self, line: FairLine[Job[Any]], job: Job[Any] | None) -> None:
        """Run job after job until none may start; the body of a thread."""
        while job is not None:
            job.run()
            with self._lock:
                self._let_go_of_result(job)
                line.end(job)
                job = line.take(lambda one: one.finished)
            if line is self._long:
                give_back_memory()

    def _let_go_of_result(self, job: Job[Any]) -> None:
        """Keep the result of a job no longer than somebody else does; the lock is held."""
        if self._jobs.get(job.job_id) is job:
            self._jobs[job.job_id] = job.to_remember()
            self._ended[job.job_id] = job

    def end(self) -> None:
        """Suspend all jobs and wait, for a few seconds, until they have saved where they are."""
        with self._lock:
            unfinished = [job for job in self._jobs.values() if not job.finished]
        for job in unfinished:
            job.suspend()
        end_s = time.monotonic() + END_WITHIN_S
        for job in unfinished:
            job.wait(max(0.0, end_s - time.monotonic()))

    def get(self, job_id: str) -> Job[Any] | None:
        """Return the job with this id, the same as long as somebody has it; None if it is unknown or forgotten."""
        with self._lock:
            known = self._jobs.get(job_id)
            return None if known is None else self._ended.get(job_id, known)

    def unfinished_about(self, about: object) -> Job[Any] | None:
        """Return a job with this input that is not finished; None if there is none."""
        with self._lock:
            return next((job for job in self._jobs.values() if job.about == about and not job.finished), None)

    def waiting_before(self, job: Job[Any]) -> Place:
        """Return a job's place in its line; number 0 if it has started or ended."""
        with self._lock:
            for line in (self._short, self._long):
                line.forget(lambda one: one.finished)
                place = line.place(job, lambda one: one.takes_s)
                if place is not None:
                    return place
        return Place(0, 0.0)


_all_jobs: WeakSet[Jobs] = WeakSet()


@atexit.register
def end_all() -> None:
    """End the jobs of this process. A server calls it as well: a signal may end the process without its handlers."""
    for jobs in list(_all_jobs):
        jobs.end()


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
