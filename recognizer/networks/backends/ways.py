"""The ways in which a network can be run on a device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from recognizer.errors import SettingsError
from recognizer.settings import BACKEND_NAMES, PRECISION_NAMES


@dataclass(frozen=True)
class Way:
    """A library and the number format that it computes in.

    Attributes:
        library: ``pytorch`` or ``openvino``.
        number_format: ``float32``, ``bfloat16`` or ``float16``.
    """

    library: str
    number_format: str

    @property
    def name(self) -> str:
        """For tables and records, such as ``openvino-bfloat16``."""
        return f"{self.library}-{self.number_format}"

    @classmethod
    def named(cls, name: str) -> Way:
        """The way of that ``name``."""
        return cls(*name.split("-"))


REFERENCE = Way("pytorch", "float32")
"""What every other way is compared with."""


def ways(device: torch.device, backend: str, precision: str) -> tuple[Way, ...]:
    """What may be chosen from, on this machine.

    Args:
        device: where the network is to run.
        backend: ``auto``, or the library that a person insists on.
        precision: ``float32`` is the reference: PyTorch, unless ``backend`` names OpenVINO. ``auto`` may round more.

    Raises:
        SettingsError: an unknown name, or a library that does not run on the device.
    """
    if precision not in PRECISION_NAMES:
        raise SettingsError(f"precision is {precision!r}; choose one of {', '.join(PRECISION_NAMES)}.")
    if backend not in BACKEND_NAMES:
        raise SettingsError(f"backend is {backend!r}; choose one of {', '.join(BACKEND_NAMES)}.")
    if device.type != "cpu":
        if backend == "openvino":
            raise SettingsError(f"backend is 'openvino', which does not run on {device.type}; choose device cpu.")
        half = device.type == "cuda" and precision == "auto"
        return (REFERENCE, Way("pytorch", "float16")) if half else (REFERENCE,)
    if precision == "float32":
        return (Way("openvino", "float32"),) if backend == "openvino" else (REFERENCE,)
    libraries = ("pytorch", "openvino") if backend == "auto" else (backend,)
    formats = ("float32", "bfloat16") if has_bfloat16() else ("float32",)
    return tuple(Way(library, number_format) for library in libraries for number_format in formats)


@cache
def has_bfloat16() -> bool:
    """Whether this processor computes in bfloat16 itself; elsewhere it is imitated, slowly."""
    mkldnn: Any = torch.backends.mkldnn
    operators: Any = torch.ops.mkldnn
    return bool(mkldnn.is_available() and operators._is_mkldnn_bf16_supported())
