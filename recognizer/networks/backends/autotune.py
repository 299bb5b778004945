"""From a network in PyTorch to what runs it quickest on this machine, within a bound of the reference."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recognizer.errors import SettingsError
from recognizer.networks.backends import openvino
from recognizer.networks.backends.batching import Turns
from recognizer.networks.backends.choice import (
    FORMAT,
    Choice,
    Choices,
    Difference,
    Run,
    choice_key,
    library_versions,
    measure,
)
from recognizer.networks.backends.run_openvino import OpenVinoRunner
from recognizer.networks.backends.run_pytorch import PyTorchRunner
from recognizer.networks.backends.runner import Runner
from recognizer.networks.backends.ways import REFERENCE, Way, ways


@dataclass(frozen=True, eq=False)
class Subject:
    """A network of which the quickest way is wanted.

    Attributes:
        name: for people.
        weights_sha256: of the file that its weights are from.
        module: the network in PyTorch.
        example: an input (1, …), on the CPU.
        difference: compares two outputs.
        bound: the largest difference that may be chosen.
    """

    name: str
    weights_sha256: str
    module: nn.Module
    example: Tensor
    difference: Difference
    bound: float


@dataclass(frozen=True, eq=False)
class Quickest:
    """What runs a network.

    Attributes:
        runner: in the way that was chosen.
        exact: in float32, where ``runner`` rounds more; else None.
        choice: what was measured.
    """

    runner: Runner
    exact: Runner | None
    choice: Choice


@dataclass(frozen=True)
class Backends:
    """What a person wants of the backends, and where what is measured and converted is kept.

    Attributes:
        folder: is made when it is needed.
        backend: ``auto``, or the library that a person insists on.
        precision: ``auto``, or ``float32`` for the reference.
    """

    folder: Path
    backend: str = "auto"
    precision: str = "auto"

    def is_measured(self, name: str, weights_sha256: str, device: torch.device) -> bool:
        """Whether ``quickest`` will know the answer; where not, it takes seconds."""
        possible = ways(device, self.backend, self.precision)
        return (
            _needs_no_measuring(possible)
            or self._choices.find(choice_key(name, weights_sha256, possible, _gpu_name(device))) is not None
        )

    def quickest(self, subject: Subject, device: torch.device) -> Quickest:
        """The network in its quickest way; measured now, where that was not done before.

        Raises:
            SettingsError: the backend that the person insists on cannot run this network here.
        """
        possible = ways(device, self.backend, self.precision)
        if _needs_no_measuring(possible):
            return Quickest(self._runner(subject, possible[0], device, Turns()), None, Choice(possible[0]))
        key = choice_key(subject.name, subject.weights_sha256, possible, _gpu_name(device))
        choice = self._choices.find(key)
        if choice is None:
            choice = self._measure(subject, possible, device)
            self._choices.keep(key, choice)
        turns = Turns()
        runner = self._runner(subject, choice.way, device, turns)
        exact = None
        if choice.way.number_format != "float32":
            exact = self._runner(subject, Way(choice.way.library, "float32"), device, turns)
        return Quickest(runner, exact, choice)

    def _measure(self, subject: Subject, possible: tuple[Way, ...], device: torch.device) -> Choice:
        def prepare(way: Way) -> Run:
            runner = self._runner(subject, way, device, Turns())
            if isinstance(runner, OpenVinoRunner):
                runner.prepare(subject.example)

            def run() -> NDArray[np.float32]:
                return np.asarray(runner(subject.example).cpu().numpy(), np.float32)

            return run

        try:
            return measure(possible, prepare, subject.difference, subject.bound)
        except openvino.UnavailableError as error:
            raise SettingsError(
                f"backend is {self.backend!r}, which cannot run {subject.name} on this machine ({error}); "
                "choose auto or pytorch."
            ) from error

    def _runner(self, subject: Subject, way: Way, device: torch.device, turns: Turns) -> Runner:
        if way.library == "pytorch":
            return PyTorchRunner(subject.module, subject.example.ndim, device, way, turns)
        kept = openvino.ConvertedNetworks(self.folder / "converted")
        return OpenVinoRunner(kept, _conversion_key(subject), subject.module, way, turns)

    @property
    def _choices(self) -> Choices:
        return Choices(self.folder / "choices")


def _needs_no_measuring(possible: tuple[Way, ...]) -> bool:
    return len(possible) == 1 and possible[0].library == REFERENCE.library


def _gpu_name(device: torch.device) -> str | None:
    """Whose speed is measured, where it is not the processor's."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def _conversion_key(subject: Subject) -> str:
    versions = json.dumps([FORMAT, library_versions()], sort_keys=True)
    return f"{subject.weights_sha256[:16]}-{hashlib.sha256(versions.encode()).hexdigest()[:8]}"
