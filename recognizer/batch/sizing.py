"""The number of workers that a machine can use, and of each one's threads (docs/decisions/101 has the measurements)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from recognizer.batch.gpus import Gpu
from recognizer.errors import SettingsError

WORKER_BYTES: Final = 1_600_000_000
"""What a worker takes with yolo26n.pt and i3d, its decoder included: 1.2 GB after some minutes, and a reserve. Larger
networks take more, and then ``--workers`` helps."""

GPU_WORKER_BYTES: Final = 8_000_000_000
"""A GPU's memory for one worker: 64 clips at once are 1.2 GB of numbers, i3d's first layers make 3.3 GB of them, and
a layer's input and output are there together. Reckoned, not measured."""

THREADS: Final = 1
"""Threads of a worker: two workers with one thread each do more on two cores than one with two."""

_SHARE: Final = 0.8
"""Share of the free memory: other programs need some, and so does the system's cache of files."""


@dataclass(frozen=True)
class Size:
    """The processes and threads that use a machine.

    Attributes:
        workers: processes.
        threads: of each.
    """

    workers: int
    threads: int


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def size_of(workers: str, videos: int, gpus: Sequence[Gpu] = ()) -> Size:
    """Return how the machine is used.

    Args:
        workers: a number, or ``auto``: what cores and memory have room for, and the GPUs' memory if the networks run
            there. Each GPU has a worker, however little is free.
        videos: how many wait; more workers would have nothing to do.
        gpus: those that the networks run on.

    Raises:
        SettingsError: it is neither.
    """
    if workers == "auto":
        fitting = int(psutil.virtual_memory().available * _SHARE / WORKER_BYTES)
        count = max(1, min(cores() // THREADS, fitting))
        if gpus:
            count = min(count, sum(max(1, int(gpu.free_bytes * _SHARE / GPU_WORKER_BYTES)) for gpu in gpus))
    elif workers.isdecimal() and int(workers):
        count = int(workers)
    else:
        raise SettingsError(f"--workers is '{workers}'; give a number from 1 on, or auto.")
    count = max(1, min(count, videos))
    return Size(count, max(1, cores() // count))
