"""A worker's process: reads tasks from standard input, writes reports to standard output (``local.py`` is its parent).

``python -P -m recognizer.batch.worker THREADS``
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from filelock import FileLock

from recognizer import processes
from recognizer.batch.messages import Advanced, Began, Lines, Order, Report, Stop, Task
from recognizer.batch.results import BatchFolder
from recognizer.batch.work import Hooks, Networks, work
from recognizer.networks.cache import ModelCache
from recognizer.service.logs import log_to_stderr
from recognizer.settings import Settings

if TYPE_CHECKING:
    from recognizer.networks.loading import Models

_REPORT_EVERY_S: Final = 0.5


class SharedMachine:
    """Networks of one of several workers on a machine.

    How a network runs fastest is measured once, by one worker: two could choose differently, and have other last bits.

    Args:
        folder: where the workers' locks are.
        cache: loads the networks.
    """

    def __init__(self, folder: Path, cache: ModelCache) -> None:
        self._lock = FileLock(folder / "networks.lock")
        self._cache = cache

    def get(self, settings: Settings) -> Models:
        """Return the networks of ``settings``."""
        from recognizer.networks.backends.autotune import keep_choices
        from recognizer.networks.loading import networks_to_tune

        keep_choices()
        with self._lock if networks_to_tune(settings) else nullcontext():
            return self._cache.get(settings)


class _Inbox:
    """Reads orders on a thread, so that a stop is seen while a video is analyzed."""

    def __init__(self, source: BinaryIO) -> None:
        self.tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self.is_stopped = threading.Event()
        self._source = source
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        lines = Lines(Order)
        for line in self._source:
            order = lines.decode(line)
            if isinstance(order, Stop):
                break
            self.tasks.put(order)
        self.is_stopped.set()  # also if the parent is gone
        self.tasks.put(None)


class _Outbox:
    """Writes reports."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._reported_s = float("-inf")

    def write(self, report: Report) -> None:
        self._target.write(Lines.encode(report))
        self._target.flush()

    def advance(self, number: int, analysed_s: float, of_s: float | None) -> None:
        """Report progress, but not more often than anybody looks."""
        if time.monotonic() - self._reported_s >= _REPORT_EVERY_S:
            self._reported_s = time.monotonic()
            self.write(Advanced(number, analysed_s, of_s))


def serve(source: BinaryIO, target: BinaryIO, networks: Networks | None = None) -> None:
    """Analyze what comes until there is nothing more.

    Args:
        source: of orders.
        target: of reports.
        networks: loaded when first needed if None.
    """
    inbox, outbox = _Inbox(source), _Outbox(target)
    while (task := inbox.tasks.get()) is not None and not inbox.is_stopped.is_set():
        number = task.number
        outbox.write(Began(number))
        networks = networks or SharedMachine(BatchFolder(Path(task.out)).work, ModelCache(2, 2))
        hooks = Hooks(partial(outbox.write, Began(number)), partial(outbox.advance, number), inbox.is_stopped.is_set)
        outbox.write(work(task, networks, hooks))


def _use_threads(count: int) -> None:
    """Let everything in this process use so many threads; PyTorch reads its number from the environment."""
    import cv2

    from recognizer.networks.backends import openvino

    cv2.setNumThreads(count)
    openvino.use_threads(count)


def main(networks: Networks | None = None) -> None:
    """Serve the parent; ``networks`` as in ``serve``."""
    processes.end_with_parent()
    source, target = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not spoil the reports
    log_to_stderr()
    logging.captureWarnings(True)
    _use_threads(int(sys.argv[1]))
    serve(source, target, networks)


if __name__ == "__main__":
    main()
