"""Which way of running a network is quickest here: measured once, kept on disk, measured again after a change."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.files import staged
from recognizer.networks.backends.openvino import UnavailableError
from recognizer.networks.backends.ways import REFERENCE, Way

_log = logging.getLogger(__name__)

FORMAT = 3
"""Part of the keys: changes with what is measured, how, within which bounds, and with the conversions."""

_LIBRARIES = ("torch", "torchvision", "ultralytics", "openvino")

_RUNS = 3
_ENOUGH_S = 1.0
"""A way is run until both are reached, or the time alone: a network that takes seconds is not run three times."""

Run = Callable[[], NDArray[np.float32]]
"""Runs a network once on a fixed example and returns what comes out."""

Difference = Callable[[NDArray[np.float32], NDArray[np.float32]], float]
"""How far an output, given second, is from the reference, given first."""


@dataclass(frozen=True)
class Measured:
    """One way of running a network, tried on this machine.

    Attributes:
        way: name of the way.
        milliseconds: least time of one clip or picture in several; None where it did not run.
        difference: from PyTorch in float32, as the network's bound is stated; None where it did not run.
        problem: why it cannot be chosen; None where it can.
    """

    way: str
    milliseconds: float | None
    difference: float | None
    problem: str | None = None


@dataclass(frozen=True)
class Choice:
    """What was measured, and what is taken because of it."""

    way: Way
    measured: tuple[Measured, ...] = ()

    @property
    def taken(self) -> Measured | None:
        """The measurement of the way that is taken; None where there was nothing to choose."""
        return next((one for one in self.measured if one.way == self.way.name), None)


class Choices:
    """The choices that were made on this machine, one small file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Choice | None:
        """The choice of this key, if it was made. One that cannot be read is made again."""
        try:
            kept = json.loads(self._path(key).read_text(encoding="utf-8"))
            return Choice(Way.named(kept["way"]), tuple(Measured(**one) for one in kept["measured"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("a choice of how to run a network cannot be read and is made again: %s", error)
            return None

    def keep(self, key: str, choice: Choice) -> None:
        """Write a choice down; without a folder that can be written to, each start measures again."""
        path = self._path(key)
        text = json.dumps({"way": choice.way.name, "measured": [asdict(one) for one in choice.measured]})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with staged(path) as part:
                part.write_text(text, encoding="utf-8")
        except OSError as error:
            _log.warning("a choice of how to run a network cannot be kept: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def choice_key(network: str, weights_sha256: str, ways: Sequence[Way], gpu: str | None = None) -> str:
    """Names everything that may decide the choice: the network, what there is to choose from, machine and libraries."""
    parts = {
        "format": FORMAT,
        "network": network,
        "weights": weights_sha256,
        "ways": [way.name for way in ways],
        "machine": machine() if gpu is None else {**machine(), "gpu": gpu},
        "libraries": library_versions(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def machine() -> Mapping[str, str]:
    """This machine, as far as it decides how fast a network runs."""
    return {
        "processor": _processor_name(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": str(os.cpu_count() or 1),
    }


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def library_versions(names: Sequence[str] = _LIBRARIES) -> dict[str, str]:
    """Versions of libraries, of those that run networks where none are named; ``-`` where one is not installed."""

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "-"

    return {name: installed(name) for name in names}


def measure(ways: Sequence[Way], prepare: Callable[[Way], Run], difference: Difference, bound: float) -> Choice:
    """Run the network in every way, and take the quickest whose output is within the bound of the reference.

    Args:
        ways: to choose from.
        prepare: makes a network ready to run in one way.
        difference: see ``Difference``.
        bound: the largest difference that may be chosen.

    Raises:
        UnavailableError: none of the ways runs here.
    """
    reference_run = prepare(REFERENCE)
    reference = reference_run()
    measured: list[Measured] = []
    for way in ways:
        try:
            run = reference_run if way == REFERENCE else prepare(way)
            off = difference(reference, run())
        except UnavailableError as error:
            measured.append(Measured(way.name, None, None, str(error)))
            continue
        problem = None if off <= bound else f"differs from {REFERENCE.name} by more than {bound:g}"
        measured.append(Measured(way.name, _milliseconds(run), off, problem))
    possible = [one for one in measured if one.problem is None and one.milliseconds is not None]
    if not possible:
        raise UnavailableError("; ".join(f"{one.way}: {one.problem}" for one in measured))
    best = min(possible, key=lambda one: one.milliseconds or 0.0)
    return Choice(Way.named(best.way), tuple(measured))


def _milliseconds(run: Run) -> float:
    times_s: list[float] = []
    while len(times_s) < _RUNS and sum(times_s) < _ENOUGH_S:
        started_s = time.perf_counter()
        run()
        times_s.append(time.perf_counter() - started_s)
    # the least: other work on the machine only ever adds, and a choice is kept
    return min(times_s) * 1000


def relative_difference(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """Root mean square of the difference, as a share of the reference's own spread."""
    spread = float(np.sqrt(np.mean((reference - reference.mean(axis=-1, keepdims=True)) ** 2)))
    return float(np.sqrt(np.mean((other - reference) ** 2))) / max(spread, 1e-12)
