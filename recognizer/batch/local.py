"""Analyze videos on this machine: processes of their own, watched, and replaced when one dies."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final, Protocol

import msgspec
import psutil

from recognizer import processes
from recognizer.batch.gpus import Gpu, only
from recognizer.batch.messages import Began, Lines, Outcome, Report, Stop, Task, Waited
from recognizer.batch.results import BatchFolder
from recognizer.errors import OutputError
from recognizer.files import size_text
from recognizer.limits import duration_text

_log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 0.5
_WEIGH_EVERY_S: Final = 1.0
"""Looking up the memory of a worker takes milliseconds: the system lists all its processes."""

_STOPS_WITHIN_S: Final = 10.0
"""Time for a worker that is asked to stop to save what it did."""

MOST_DEATHS: Final = 2
"""A video whose worker died this often is left for the next command."""


class Executor(Protocol):
    """Analyzes videos, with processes on this machine or on machines elsewhere."""

    def run(self, tasks: Iterator[Task]) -> Iterator[Report]:
        """Yield reports until all tasks have an outcome; takes a task when a worker is free. Closing it stops all."""
        ...


@dataclass(frozen=True)
class Bounds:
    """The limits for one video.

    Attributes:
        most_s: seconds of work; None for no limit.
        most_bytes: memory of its worker and of the decoder; None for no limit.
        stall_s: seconds without any progress.
    """

    most_s: float | None = None
    most_bytes: int | None = None
    stall_s: float = 900.0


class Process(Protocol):
    """The part of ``subprocess.Popen`` that is used."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    pid: int

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        ...


Start = Callable[[], Process]


def starts_workers(
    folder: BatchFolder, threads: int, module: str = "recognizer.batch.worker", gpus: Sequence[Gpu] = ()
) -> Start:
    """Return a function that starts a worker's process; its words go into the batch's log.

    Args:
        folder: of the batch.
        threads: of each process.
        module: what is run; tests have their own.
        gpus: each process sees one of them, that which the fewest others see.
    """
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONPATH": processes.python_path()}

    seen: list[tuple[Process, Gpu]] = []

    def start() -> Process:
        seen[:] = [(process, gpu) for process, gpu in seen if process.poll() is None]
        gpu = min(gpus, key=lambda one: sum(one == other for _, other in seen), default=None)
        with folder.log.open("ab") as log:
            process = subprocess.Popen(
                [*processes.command(module), str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment if gpu is None else environment | only(gpu),
                process_group=processes.own_group(),
            )
        if gpu is not None:
            seen.append((process, gpu))
        return process

    return start


@dataclass(eq=False)
class _Worker:
    """A process, and what it works on.

    Attributes:
        process: the process.
        task: None while it has nothing to do.
        given_s: when it got the task.
        began_s: when it began with it; None before that: a new process first loads its libraries.
        moved_s: when it last got on with it.
        weighed_s: when its memory was last looked up.
        killed_for: why it was killed; empty if it was not.
    """

    process: Process
    task: Task | None = None
    given_s: float = 0.0
    began_s: float | None = None
    moved_s: float = 0.0
    weighed_s: float = 0.0
    killed_for: str = ""
    _reports: Lines = field(default_factory=lambda: Lines(Report))

    def read(self, heard: queue.SimpleQueue[tuple[_Worker, Report | None]]) -> None:
        """Pass on what it reports, and None when it has ended; runs on a thread."""
        assert self.process.stdout is not None
        with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):  # half a line of a killed process
            for line in self.process.stdout:
                heard.put((self, self._reports.decode(line)))
        heard.put((self, None))

    def say(self, message: Task | Stop) -> None:
        """Send a message; whoever reads its reports notices if it is gone."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(Lines.encode(message))
            self.process.stdin.flush()

    def kill(self, why: str = "") -> None:
        """End it at once, with the decoder that it started."""
        self.killed_for = self.killed_for or why
        children = []
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()

    def memory_bytes(self) -> int:
        """Return the memory of the process and of its decoder."""
        total = 0
        with contextlib.suppress(psutil.Error):
            own = psutil.Process(self.process.pid)
            for one in (own, *own.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += one.memory_info().rss
        return total


class LocalExecutor:
    """Runs tasks in processes of their own.

    Args:
        count: how many at the same time.
        start: starts one.
        bounds: what a video may take.
    """

    def __init__(self, count: int, start: Start, bounds: Bounds | None = None) -> None:
        self._count = count
        self._start = start
        self._bounds = bounds or Bounds()
        self._heard: queue.SimpleQueue[tuple[_Worker, Report | None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._again: deque[Task] = deque()
        self._deaths: dict[int, int] = {}

    def run(self, tasks: Iterator[Task]) -> Iterator[Report]:
        """See ``Executor``.

        Raises:
            OutputError: no process can be started.
        """
        try:
            while self._give(tasks) or any(worker.task for worker in self._workers):
                yield from self._next_reports()
                for worker in self._workers:
                    self._check(worker)
        finally:
            self._stop()

    def _give(self, tasks: Iterator[Task]) -> bool:
        """Give whoever is free something to do; return whether anybody got a task."""
        gave = False
        busy = sum(worker.task is not None for worker in self._workers)
        while busy < self._count and (task := next(tasks, None) or self._once_more()) is not None:
            worker = next((one for one in self._workers if one.task is None), None) or self._new_worker()
            worker.task, worker.began_s, worker.given_s = task, None, time.monotonic()
            worker.moved_s = worker.given_s
            worker.say(task)
            busy, gave = busy + 1, True
        return gave

    def _once_more(self) -> Task | None:
        return self._again.popleft() if self._again else None

    def _new_worker(self) -> _Worker:
        try:
            worker = _Worker(self._start())
        except OSError as error:
            raise OutputError(f"no worker can be started ({error}); make room, or use fewer workers.") from error
        self._workers.append(worker)
        threading.Thread(target=worker.read, args=(self._heard,), daemon=True).start()
        return worker

    def _next_reports(self) -> Iterator[Report]:
        try:
            worker, report = self._heard.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            yield Waited()
            return
        if report is None:
            yield from self._buried(worker)
        elif worker.task is not None and getattr(report, "number", None) == worker.task.number:
            worker.moved_s = time.monotonic()
            if isinstance(report, Began):
                worker.began_s = worker.moved_s
            elif isinstance(report, Outcome):
                worker.task = None
            yield report

    def _check(self, worker: _Worker) -> None:
        """Kill a worker whose video takes too much."""
        if worker.task is None:
            return
        bounds, now_s = self._bounds, time.monotonic()
        worked_s = 0.0 if worker.began_s is None else now_s - worker.began_s
        if bounds.most_s is not None and worked_s > bounds.most_s:
            worker.kill(f"took longer than {duration_text(bounds.most_s)}; raise --max-seconds, or cut the video")
        elif now_s - worker.moved_s > bounds.stall_s:
            worker.kill(f"made no progress for {duration_text(bounds.stall_s)}; cut the video, or convert it")
        elif bounds.most_bytes is not None and now_s - worker.weighed_s > _WEIGH_EVERY_S:
            worker.weighed_s = now_s
            if (used := worker.memory_bytes()) > bounds.most_bytes:
                worker.kill(
                    f"took {size_text(used)} of memory, the limit is {size_text(bounds.most_bytes)}; raise "
                    "--max-memory-mb, or use fewer workers"
                )

    def _buried(self, worker: _Worker) -> Iterator[Report]:
        """Say what became of the video whose worker has ended."""
        self._workers.remove(worker)
        code = worker.process.wait()
        _close(worker.process)
        task = worker.task
        if task is None:
            return
        took_s = round(time.monotonic() - (worker.began_s or worker.given_s), 3)
        if worker.killed_for:
            yield Outcome(task.number, "failed", took_s=took_s, error=f"'{task.place}' {worker.killed_for}.")
            return
        deaths = self._deaths[task.number] = self._deaths.get(task.number, 0) + 1
        if deaths < MOST_DEATHS:
            _log.warning("the worker of '%s' %s; it is tried once more", task.place, processes.ending(code))
            self._again.append(task)
            return
        why = f"ended its worker {deaths} times (it {processes.ending(code)}); convert it, or leave it out"
        yield Outcome(task.number, "waiting", took_s=took_s, error=f"'{task.place}' {why}.")

    def _stop(self) -> None:
        """End all workers: at once if they have nothing to do, otherwise when they have saved what they did."""
        until_s = time.monotonic() + _STOPS_WITHIN_S
        for worker in self._workers:
            worker.say(Stop())
        try:
            for worker in self._workers:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.process.wait(max(0.0, until_s - time.monotonic()))
        finally:
            for worker in self._workers:
                worker.kill()
                worker.process.wait()
                _close(worker.process)


def _close(process: Any) -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            pipe.close()
