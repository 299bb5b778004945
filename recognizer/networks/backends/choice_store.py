"""Store the way chosen to run each network on this machine, until something that affects the choice changes."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recognizer.files import staged
from recognizer.networks.backends.ways import Way

_log = logging.getLogger(__name__)

FORMAT = 11
"""Part of the keys. Increase it when the measured quantities, the method, the bounds or the conversions change."""

STEADY_SPREAD = 0.25
"""Runs are steady if the longest exceeds the shortest by at most this share. They differ by 5 %, whatever other
programs do; but other threads of this program add their processor time."""

_LIBRARIES = ("torch", "torchvision", "ultralytics", "openvino")


@dataclass(frozen=True)
class Measured:
    """One way of running a network, measured on this machine.

    Attributes:
        way: name of the way.
        milliseconds: shortest of several runs on one clip or picture, in processor time on one thread; on a GPU, in
            time. None if it did not run.
        difference: difference from PyTorch in float32, in the unit of the network's bound; None if it did not run.
        problem: why it cannot be chosen, else None.
        spread: by what share the longest of these runs exceeds the shortest; None if it ran at most once.
    """

    way: str
    milliseconds: float | None
    difference: float | None
    problem: str | None = None
    spread: float | None = None


@dataclass(frozen=True)
class Choice:
    """The chosen way and the measurements behind it.

    Attributes:
        way: the chosen way.
        measured: one for each way.
        looks: how often they were measured.
    """

    way: Way
    measured: tuple[Measured, ...] = ()
    looks: int = 1

    @classmethod
    def fastest(cls, measured: Sequence[Measured], looks: int = 1) -> Choice:
        """Choose the fastest way that has no problem; at least one must have none."""
        possible = [one for one in measured if one.problem is None and one.milliseconds is not None]
        best = min(possible, key=lambda one: one.milliseconds or 0.0)
        return cls(Way.named(best.way), tuple(measured), looks)

    @property
    def taken(self) -> Measured | None:
        """The measurement of the chosen way; None if there was no alternative to measure."""
        return next((one for one in self.measured if one.way == self.way.name), None)

    def for_short(self, long_only: Collection[str], bound: float) -> Way:
        """Return the fastest way of the chosen library for inputs that are shorter than the measured one.

        Args:
            long_only: number formats that such inputs cannot have.
            bound: the largest acceptable difference. The measured one is doubled: fewer samples average out less of the
                rounding (I3D with 8 samples instead of 38: bfloat16 0.018 and 0.011, int8 0.077 and 0.050).
        """
        ways = [(one, Way.named(one.way)) for one in self.measured]
        possible = [
            one
            for one, way in ways
            if way.library == self.way.library
            and way.number_format not in long_only
            and one.problem is None
            and one.milliseconds is not None
            and 2 * (one.difference or 0.0) <= bound
        ]
        return Choice.fastest(possible).way if possible else Way(self.way.library, "float32")

    @property
    def is_steady(self) -> bool:
        """Whether the runs of every way that can be chosen took about the same time."""
        return all((one.spread or 0.0) <= STEADY_SPREAD for one in self.measured if one.problem is None)

    def after(self, earlier: Choice | None) -> Choice:
        """Return the choice from these measurements and earlier ones: of each way, the shorter time."""
        if earlier is None:
            return self
        before = {one.way: one for one in earlier.measured}
        both = [_better(one, before.get(one.way)) for one in self.measured]
        return Choice.fastest(both, looks=earlier.looks + 1)


def _better(one: Measured, earlier: Measured | None) -> Measured:
    """Return the measurement with the shorter time, and the smaller spread of both."""
    if earlier is None or earlier.milliseconds is None or one.milliseconds is None:
        return one
    spreads = [spread for spread in (one.spread, earlier.spread) if spread is not None]
    spread = min(spreads, default=None)
    return replace(one, milliseconds=min(one.milliseconds, earlier.milliseconds), spread=spread)


class ChoiceStore:
    """The choices made on this machine, one small file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Choice | None:
        """Return the stored choice, or None if there is none or it cannot be read."""
        try:
            stored = json.loads(self._path(key).read_text(encoding="utf-8"))
            measured = tuple(Measured(**one) for one in stored["measured"])
            return Choice(Way.named(stored["way"]), measured, int(stored["looks"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("a stored choice of how to run a network cannot be read; measuring again: %s", error)
            return None

    def save(self, key: str, choice: Choice) -> None:
        """Store a choice. If the folder cannot be written to, each start measures again."""
        path = self._path(key)
        measured = [asdict(one) for one in choice.measured]
        text = json.dumps({"way": choice.way.name, "looks": choice.looks, "measured": measured})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with staged(path) as part:
                part.write_text(text, encoding="utf-8")
        except OSError as error:
            _log.warning("a choice of how to run a network cannot be stored: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def choice_key(
    network: str,
    weights_sha256: str,
    ways: Sequence[Way],
    gpu: str | None = None,
    versions: Mapping[str, str] | None = None,
) -> str:
    """Return a key for everything that may affect the choice: network, ways to choose from, machine and libraries.

    ``versions``: those of the network's special formats, by name.
    """
    parts = {
        "format": FORMAT,
        "network": network,
        "weights": weights_sha256,
        "ways": [way.name for way in ways],
        "machine": machine() if gpu is None else {**machine(), "gpu": gpu},
        "libraries": library_versions(),
        **({"special": dict(versions)} if versions else {}),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def machine() -> Mapping[str, str]:
    """Return the properties of this machine that affect the speed of a network."""
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
    """Return the versions of the named libraries, by default of those that run networks; ``-`` if not installed."""

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "-"

    return {name: installed(name) for name in names}
