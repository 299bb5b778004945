"""Background work: a user starts it, and pages poll it each time they are redrawn."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from recognizer.service.unforeseen import sentence_of

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

MAX_AT_ONCE = 4
"""Maximum number of concurrent jobs; others wait for their turn."""

END_WITHIN_S = 5.0
"""When the server ends, running jobs are cancelled and have this long to save their results."""

MAX_REMEMBERED = 200
"""Number of finished jobs to remember; their results are in the store."""


class Job(Generic[Result]):
    """One piece of work on its own thread.

    Attributes:
        job_id: identifies it; cannot be guessed.
        progress: the work's latest report, in its own type; None before the first.
        partial: the result so far, if the work sets it.
        result: the return value of the work; None until it ends.
        error: why it failed, one sentence for users; None if it did not. A job may have an error and a result.
        about: its input, for code that finds the job by its id.
    """

    def __init__(self, work: Callable[[Job[Result]], Result], job_id: str | None = None, about: object = None) -> None:
        self.job_id = job_id or uuid.uuid4().hex
        self.about = about
        self.progress: Any = None
        self.partial: Result | None = None
        self.result: Result | None = None
        self.error: str | None = None
        self._work: Callable[[Job[Result]], Result] | None = work
        self._turn = threading.Lock()  # a job is never started and cancelled at the same moment
        self._cancelled = threading.Event()
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

    def stops_within(self, seconds: float) -> bool:
        """Wait; return True at once if the job is asked to stop meanwhile."""
        return self._cancelled.wait(seconds)

    def cancel(self) -> None:
        """Ask the job to stop; its result is the work so far. A waiting job ends at once, without a result."""
        self._cancelled.set()
        with self._turn:
            if not self.started:
                self._finished.set()

    def report(self, progress: Any) -> None:
        """Publish the work's progress; called by the work."""
        self.progress = progress

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the job ends; return False on timeout."""
        return self._finished.wait(timeout_s)

    def run(self) -> None:
        """Do the work on the calling thread; call once."""
        with self._turn:
            if self.finished:
                return
            self._started.set()
        started_s = time.monotonic()
        work, self._work = self._work, None  # a remembered job must not hold what it worked on
        assert work is not None, "a job runs once"
        try:
            self.result = work(self)
        except Exception as error:  # noqa: BLE001 - a bug in one job must not end the thread; it is logged and reported
            self.error = sentence_of(error)
        finally:
            del work
            _log.info("a job took %.1f s", time.monotonic() - started_s)
            self._finished.set()


class Jobs:
    """All jobs of this server; one user's job never stops another's."""

    def __init__(self, max_at_once: int = MAX_AT_ONCE) -> None:
        self._max_at_once = max_at_once
        self._threads = 0
        self._waiting: deque[Job[Any]] = deque()
        self._lock = threading.Lock()
        self._once = threading.Lock()
        self._jobs: OrderedDict[str, Job[Any]] = OrderedDict()
        _all_jobs.add(self)

    def start(
        self, work: Callable[[Job[Result]], Result], job_id: str | None = None, about: object = None
    ) -> Job[Result]:
        """Start a piece of work in the background, or queue it."""
        job = Job(work, job_id, about)
        with self._lock:
            self._jobs[job.job_id] = job
            finished = [key for key, known in self._jobs.items() if known.finished]
            for key in finished[: max(0, len(self._jobs) - MAX_REMEMBERED)]:
                del self._jobs[key]
            self._waiting.append(job)
            if self._threads < self._max_at_once:
                self._threads += 1
                # not concurrent.futures: its pools block Ctrl-C until the last job has finished
                threading.Thread(target=self._work_off, name="job", daemon=True).start()
        return job

    def start_once(self, work: Callable[[Job[Result]], Result], job_id: str) -> Job[Result]:
        """Return the job with this id; start it if it is unknown or was forgotten."""
        with self._once:
            return self.get(job_id) or self.start(work, job_id)

    def _work_off(self) -> None:
        """Run job after job until none is waiting; the body of a thread."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                job = self._waiting.popleft()
            job.run()

    def end(self) -> None:
        """Cancel all jobs and wait, for a few seconds, until they have saved their results."""
        with self._lock:
            unfinished = [job for job in self._jobs.values() if not job.finished]
        for job in unfinished:
            job.cancel()
        end_s = time.monotonic() + END_WITHIN_S
        for job in unfinished:
            job.wait(max(0.0, end_s - time.monotonic()))

    def get(self, job_id: str) -> Job[Any] | None:
        """Return the job with this id; None if it is unknown or forgotten."""
        with self._lock:
            return self._jobs.get(job_id)

    def waiting_before(self, job: Job[Any]) -> int:
        """Return how many other jobs run or wait ahead of this one."""
        with self._lock:
            ahead = 0
            for known in self._jobs.values():
                if known is job:
                    break
                ahead += not known.finished
            return ahead


_all_jobs: WeakSet[Jobs] = WeakSet()


@atexit.register
def end_all() -> None:
    """End the jobs of this process. A server calls it as well: a signal may end the process without its handlers."""
    for jobs in list(_all_jobs):
        jobs.end()
