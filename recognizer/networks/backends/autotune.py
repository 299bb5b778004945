"""Measure the ways of running a network, and pick the fastest whose outputs stay close to the reference.

On a processor, a run is measured in processor time on one thread. On a busy machine, the time on a clock says how busy
it is: at a load of ten on two cores, one network took 1.5 to 5.7 s where it takes 45 ms alone, and the fastest way of
running it another multiple of its time. Several threads of PyTorch wait for each other in a loop, which costs processor
time as well; the processor time of one thread repeats within 5 % at that load.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from recognizer.networks.backends.int8 import int8_formats
from recognizer.networks.backends.openvino import ConvertedNetworks, OpenVinoRunner, UnavailableError
from recognizer.networks.backends.pytorch import PyTorchRunner
from recognizer.networks.backends.runner import ByLength, Runner
from recognizer.networks.backends.ways import REFERENCE, SpecialFormat, Way, ways
from recognizer.networks.once import Once

_RUNS = 4
_ENOUGH_S = 1.0
"""A way runs ``_RUNS`` times, or until this time has passed: a network that takes seconds runs once."""

MOST_LOOKS = 4
"""A network whose runs vary is measured again at the next start, up to this many times in all."""

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
        module: the network in PyTorch, built when it is first needed: a converted network does without.
        example: an input (1, …), on the CPU.
        difference: compares two outputs.
        bound: the largest acceptable difference.
        special: the number formats that only this network has, by name.
        shared_length: the same operations serve inputs of this many frames and more, so that one conversion does;
            None if each length, or shape, has its own.
    """

    name: str
    weights_sha256: str
    module: Once[nn.Module]
    example: Tensor
    difference: Difference
    bound: float
    special: Mapping[str, SpecialFormat] = field(default_factory=dict)
    shared_length: int | None = None


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

    def way_for(self, length: int) -> Way:
        """Return how an input of ``length`` frames runs."""
        return self.runner.way_for(length) if isinstance(self.runner, ByLength) else self.choice.way


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

    def special_formats(self, name: str, weights_sha256: str, device: torch.device) -> Mapping[str, SpecialFormat]:
        """Return the number formats that a network has only with these weights, by name; only those allowed here."""
        formats = int8_formats(name, weights_sha256, self.special_folder)
        allowed = {way.number_format for way in ways(device, self.backend, self.precision, formats)}
        return {number_format: one for number_format, one in formats.items() if number_format in allowed}

    @property
    def special_folder(self) -> Path:
        """The folder of a user's own tables, see ``int8.find_ranges``."""
        return self.folder / "ranges"

    def is_tuned(self, name: str, weights_sha256: str, device: torch.device) -> bool:
        """Return whether ``tune`` can skip the measurement, which takes seconds."""
        special = self.special_formats(name, weights_sha256, device)
        allowed = ways(device, self.backend, self.precision, special)
        if _is_only_reference(allowed):
            return True
        key = choice_key(name, weights_sha256, allowed, _gpu_name(device), _versions(special))
        choice = self._choices.find(key)
        return choice is not None and not self._must_look_again(key, choice)

    def tune(self, network: TunableNetwork, device: torch.device) -> TunedNetwork:
        """Return the network, ready to run in its fastest way; measure now if no steady measurement is stored.

        Raises:
            SettingsError: the required backend cannot run this network on this machine.
        """
        allowed = ways(device, self.backend, self.precision, network.special)
        queue = FairQueue()
        if _is_only_reference(allowed):
            return TunedNetwork(self._runner(network, allowed[0], device, queue), None, Choice(allowed[0]))
        key = choice_key(network.name, network.weights_sha256, allowed, _gpu_name(device), _versions(network.special))
        choice = self._choices.find(key)
        if choice is None or self._must_look_again(key, choice):
            choice = self._measure(network, allowed, device).after(choice)
            self._choices.save(key, choice)
            _LOOKED_AT.add((self.folder, key))
        runner = self._runner(network, choice.way, device, queue)
        least_lengths = {name: one.least_length for name, one in network.special.items() if one.least_length}
        short = choice.for_short(least_lengths, network.bound) if least_lengths else choice.way
        exact = None
        if {choice.way.number_format, short.number_format} != {"float32"}:
            exact = self._runner(network, Way(choice.way.library, "float32"), device, queue)
        if short != choice.way:
            short_runner = self._runner(network, short, device, queue)
            runner = ByLength(short_runner, runner, max(least_lengths.values()))
        return TunedNetwork(runner, exact, choice)

    def _must_look_again(self, key: str, choice: Choice) -> bool:
        """Return whether a stored choice rests on runs that varied; one look per start, and ``MOST_LOOKS`` in all."""
        has_looked = _CHOICES_ARE_KEPT or (self.folder, key) in _LOOKED_AT
        return not choice.is_steady and choice.looks < MOST_LOOKS and not has_looked

    def _measure(self, network: TunableNetwork, allowed: tuple[Way, ...], device: torch.device) -> Choice:
        is_cpu = device.type == "cpu"

        def prepare(way: Way) -> Run:
            runner = self._runner(network, way, device, FairQueue(), threads=1 if is_cpu else None)
            if isinstance(runner, OpenVinoRunner):
                runner.prepare(network.example)

            def run() -> NDArray[np.float32]:
                return np.asarray(runner(network.example).cpu().numpy(), np.float32)

            return run

        try:
            if not is_cpu:
                return measure(allowed, prepare, network.difference, network.bound, clock=time.perf_counter)
            with _one_thread():
                return measure(allowed, prepare, network.difference, network.bound)
        except UnavailableError as error:
            raise SettingsError(
                f"backend is {self.backend!r}, which cannot run {network.name} on this machine ({error}); "
                "choose auto or pytorch."
            ) from error

    def _runner(
        self, network: TunableNetwork, way: Way, device: torch.device, queue: FairQueue, threads: int | None = None
    ) -> Runner:
        if way.library == "pytorch":
            return PyTorchRunner(network.module(), network.example.ndim, device, way, queue)
        converted = ConvertedNetworks(self.folder / "converted")
        special = network.special.get(way.number_format)
        rewrite = None if special is None else special.rewrite
        return OpenVinoRunner(
            converted,
            _conversion_key(network),
            network.module,
            way,
            queue,
            threads,
            rewrite,
            network.shared_length,
        )

    @property
    def _choices(self) -> ChoiceStore:
        return ChoiceStore(self.folder / "choices")


_LOOKED_AT: set[tuple[Path, str]] = set()
"""What this process has measured: folder and key."""


_CHOICES_ARE_KEPT: list[bool] = []


def keep_choices() -> None:
    """Measure nothing again in this process that was measured before: several processes run networks alike."""
    _CHOICES_ARE_KEPT.append(True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch run on one thread, for this thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _is_only_reference(allowed: tuple[Way, ...]) -> bool:
    """Return whether only PyTorch in one format is allowed; it runs on every machine, so nothing needs measuring."""
    return len(allowed) == 1 and allowed[0].library == REFERENCE.library


def _versions(special: Mapping[str, SpecialFormat]) -> dict[str, str]:
    return {name: one.version for name, one in special.items()}


def _gpu_name(device: torch.device) -> str | None:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def _conversion_key(network: TunableNetwork) -> str:
    versions = json.dumps([FORMAT, library_versions()], sort_keys=True)
    return f"{network.weights_sha256[:16]}-{hashlib.sha256(versions.encode()).hexdigest()[:8]}"


def measure(
    ways: Sequence[Way],
    prepare: Callable[[Way], Run],
    difference: Difference,
    bound: float,
    *,
    clock: Callable[[], float] = time.process_time,
) -> Choice:
    """Run the network in each way and choose the fastest whose output is within the bound of the reference.

    Args:
        ways: the ways to choose from.
        prepare: prepares the network to run in one way.
        difference: see ``Difference``.
        bound: the largest acceptable difference.
        clock: returns seconds; the processor time of this process, unless another device does the work.

    Raises:
        UnavailableError: no way works on this machine.
    """
    reference_run = prepare(REFERENCE)
    reference = reference_run()
    measured: list[Measured] = []
    for way in ways:
        try:
            run = reference_run if way == REFERENCE else prepare(way)
            output, first_s = _timed(run, clock)
            off = difference(reference, output)
        except UnavailableError as error:
            measured.append(Measured(way.name, None, None, str(error)))
            continue
        problem = None if off <= bound else f"differs from {REFERENCE.name} by more than {bound:g}"
        milliseconds, spread = _milliseconds(run, first_s, clock)
        measured.append(Measured(way.name, milliseconds, off, problem, spread))
    possible = [one for one in measured if one.problem is None and one.milliseconds is not None]
    if not possible:
        raise UnavailableError("; ".join(f"{one.way}: {one.problem}" for one in measured))
    return Choice.fastest(measured)


def _timed(run: Run, clock: Callable[[], float]) -> tuple[NDArray[np.float32], float]:
    """Return the output of one run, and the seconds that it took."""
    started_s = clock()
    output = run()
    return output, clock() - started_s


def _milliseconds(run: Run, first_s: float, clock: Callable[[], float]) -> tuple[float, float | None]:
    """Return the shortest of several runs, and by what share the longest exceeds it; None after a single run.

    ``first_s``: seconds of the first run, which also sets up. It counts only if the network is too slow for another.
    """
    if first_s >= _ENOUGH_S:
        return first_s * 1000, None
    times_s: list[float] = []
    while len(times_s) < _RUNS and sum(times_s) < _ENOUGH_S:
        times_s.append(_timed(run, clock)[1])
    # the shortest, because other work on the machine only adds time, and the choice is stored
    shortest_s = min(times_s)
    return shortest_s * 1000, max(times_s) / max(shortest_s, 1e-9) - 1 if len(times_s) > 1 else None


def relative_difference(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the root mean square of the difference, relative to the reference's own spread."""
    spread = float(np.sqrt(np.mean((reference - reference.mean(axis=-1, keepdims=True)) ** 2)))
    return float(np.sqrt(np.mean((other - reference) ** 2))) / max(spread, 1e-12)
