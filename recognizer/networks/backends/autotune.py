"""Measure the ways of running a network once, and pick the fastest whose outputs stay close to the reference."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recognizer.errors import SettingsError
from recognizer.networks.backends.batching import FairQueue
from recognizer.networks.backends.choice_store import (
    FORMAT,
    Choice,
    ChoiceStore,
    Measured,
    choice_key,
    library_versions,
)
from recognizer.networks.backends.openvino import ConvertedNetworks, OpenVinoRunner, UnavailableError
from recognizer.networks.backends.pytorch import PyTorchRunner
from recognizer.networks.backends.runner import Runner
from recognizer.networks.backends.ways import REFERENCE, Way, ways

_RUNS = 3
_ENOUGH_S = 1.0
"""A way runs ``_RUNS`` times, or until this time has passed: a network that takes seconds runs once."""

Run = Callable[[], NDArray[np.float32]]
"""Runs a network once on a fixed example and returns its output."""

Difference = Callable[[NDArray[np.float32], NDArray[np.float32]], float]
"""Returns how far an output (second argument) is from the reference (first argument)."""


@dataclass(frozen=True, eq=False)
class TunableNetwork:
    """A network to autotune.

    Attributes:
        name: for users.
        weights_sha256: of the file with its weights.
        module: the network in PyTorch.
        example: an input (1, …), on the CPU.
        difference: compares two outputs.
        bound: the largest acceptable difference.
    """

    name: str
    weights_sha256: str
    module: nn.Module
    example: Tensor
    difference: Difference
    bound: float


@dataclass(frozen=True, eq=False)
class TunedNetwork:
    """A network that is ready to run.

    Attributes:
        runner: runs it in the chosen way.
        exact: runs it in float32 if ``runner`` rounds more, else None.
        choice: the chosen way and its measurements.
    """

    runner: Runner
    exact: Runner | None
    choice: Choice


@dataclass(frozen=True)
class Backends:
    """The backends that the user allows, and the folder of measurements and converted networks.

    Attributes:
        folder: created when needed.
        backend: ``auto``, or the library to use.
        precision: ``auto``, or ``float32`` for the reference.
    """

    folder: Path
    backend: str = "auto"
    precision: str = "auto"

    def is_tuned(self, name: str, weights_sha256: str, device: torch.device) -> bool:
        """Return whether ``tune`` can skip the measurement, which takes seconds."""
        allowed = ways(device, self.backend, self.precision)
        return (
            _is_only_reference(allowed)
            or self._choices.find(choice_key(name, weights_sha256, allowed, _gpu_name(device))) is not None
        )

    def tune(self, network: TunableNetwork, device: torch.device) -> TunedNetwork:
        """Return the network, ready to run in its fastest way; measure now if no measurement is stored.

        Raises:
            SettingsError: the required backend cannot run this network on this machine.
        """
        allowed = ways(device, self.backend, self.precision)
        queue = FairQueue()
        if _is_only_reference(allowed):
            return TunedNetwork(self._runner(network, allowed[0], device, queue), None, Choice(allowed[0]))
        key = choice_key(network.name, network.weights_sha256, allowed, _gpu_name(device))
        choice = self._choices.find(key)
        if choice is None:
            choice = self._measure(network, allowed, device)
            self._choices.save(key, choice)
        runner = self._runner(network, choice.way, device, queue)
        exact = None
        if choice.way.number_format != "float32":
            exact = self._runner(network, Way(choice.way.library, "float32"), device, queue)
        return TunedNetwork(runner, exact, choice)

    def _measure(self, network: TunableNetwork, allowed: tuple[Way, ...], device: torch.device) -> Choice:
        def prepare(way: Way) -> Run:
            runner = self._runner(network, way, device, FairQueue())
            if isinstance(runner, OpenVinoRunner):
                runner.prepare(network.example)

            def run() -> NDArray[np.float32]:
                return np.asarray(runner(network.example).cpu().numpy(), np.float32)

            return run

        try:
            return measure(allowed, prepare, network.difference, network.bound)
        except UnavailableError as error:
            raise SettingsError(
                f"backend is {self.backend!r}, which cannot run {network.name} on this machine ({error}); "
                "choose auto or pytorch."
            ) from error

    def _runner(self, network: TunableNetwork, way: Way, device: torch.device, queue: FairQueue) -> Runner:
        if way.library == "pytorch":
            return PyTorchRunner(network.module, network.example.ndim, device, way, queue)
        converted = ConvertedNetworks(self.folder / "converted")
        return OpenVinoRunner(converted, _conversion_key(network), network.module, way, queue)

    @property
    def _choices(self) -> ChoiceStore:
        return ChoiceStore(self.folder / "choices")


def _is_only_reference(allowed: tuple[Way, ...]) -> bool:
    """Return whether only PyTorch in one format is allowed; it runs on every machine, so nothing needs measuring."""
    return len(allowed) == 1 and allowed[0].library == REFERENCE.library


def _gpu_name(device: torch.device) -> str | None:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def _conversion_key(network: TunableNetwork) -> str:
    versions = json.dumps([FORMAT, library_versions()], sort_keys=True)
    return f"{network.weights_sha256[:16]}-{hashlib.sha256(versions.encode()).hexdigest()[:8]}"


def measure(ways: Sequence[Way], prepare: Callable[[Way], Run], difference: Difference, bound: float) -> Choice:
    """Run the network in each way and choose the fastest whose output is within the bound of the reference.

    Args:
        ways: the ways to choose from.
        prepare: prepares the network to run in one way.
        difference: see ``Difference``.
        bound: the largest acceptable difference.

    Raises:
        UnavailableError: no way works on this machine.
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
    # the shortest, because other work on the machine only adds time, and the choice is stored
    return min(times_s) * 1000


def relative_difference(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the root mean square of the difference, relative to the reference's own spread."""
    spread = float(np.sqrt(np.mean((reference - reference.mean(axis=-1, keepdims=True)) ** 2)))
    return float(np.sqrt(np.mean((other - reference) ** 2))) / max(spread, 1e-12)
