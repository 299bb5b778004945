"""Batches that a test kills: a process imports everything once, and forks a driver for each line that it reads.

The driver forks its workers. ``python -m tests.support.batch_killed`` reads, as JSON, what to kill and when, and the
places of a batch; it writes the exit code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, NoReturn

import psutil

from recognizer import processes
from recognizer.analysis import file  # noqa: F401 - a worker imports ``file``, which takes long
from recognizer.batch import worker
from recognizer.batch.local import LocalExecutor, Process
from recognizer.export import parquet  # noqa: F401 - as above
from tests.support.batch import ScriptedNetworks, Told, run_serially
from tests.support.forking import Forking, exit_code, forked, forking, serve

Victim = Literal["nobody", "driver", "worker"]


class _Forked:
    """A worker's process, forked: what ``LocalExecutor`` needs of ``subprocess.Popen``."""

    def __init__(self) -> None:
        there_in, own_out = os.pipe()
        own_in, there_out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _be_worker(there_in, there_out)
        os.close(there_in)
        os.close(there_out)
        self.stdin: IO[bytes] | None = os.fdopen(own_out, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(own_in, "rb")
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if ended else None
        return self._code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        until_s = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until_s is not None and time.monotonic() > until_s:
                raise subprocess.TimeoutExpired("worker", timeout or 0.0)
            time.sleep(0.002)
        return code


def _be_worker(source: int, target: int) -> NoReturn:
    code = 1
    try:
        processes.end_with_parent()
        worker.serve(os.fdopen(source, "rb", buffering=0), os.fdopen(target, "wb"), ScriptedNetworks())
        code = 0
    finally:
        os._exit(code)


def _be_driver(workers: int, out: str, *sources: str) -> int:
    def start() -> Process:
        return _Forked()

    told = Told()
    summary = run_serially(*sources, out=Path(out), executor=LocalExecutor(workers, start), told=told)
    return 0 if summary.is_complete else 2


def _killed(victim: Victim, after_s: float, workers: int, *words: str) -> int:
    driver = forked(lambda: _be_driver(workers, *words))

    def worker_of_driver() -> int | None:
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(driver).children():
                return one.pid
        return None

    nobody = victim == "nobody"
    return exit_code(driver, None if nobody else after_s, worker_of_driver if victim == "worker" else None)


class Batches:
    """Runs batches with scripted networks in processes of their own."""

    def __init__(self, process: Forking) -> None:
        self._process = process

    def run(self, *sources: Path, out: Path, workers: int = 2, victim: Victim = "nobody", after_s: float = 0.0) -> int:
        """Run a batch, kill the driver or a worker after so many seconds, and return the driver's exit code."""
        return self._process.ask(victim, after_s, workers, str(out), *map(str, sources))


@contextmanager
def batches(folder: Path) -> Iterator[Batches]:
    """Yield what runs batches and kills; its cache is in a folder."""
    with forking("tests.support.batch_killed", folder) as process:
        yield Batches(process)


if __name__ == "__main__":
    serve(_killed)
