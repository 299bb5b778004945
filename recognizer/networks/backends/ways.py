"""The ways to run a network on a device: a library and a number format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from numpy.typing import NDArray

from recognizer.errors import SettingsError


@dataclass(frozen=True)
class Way:
    """A library and the number format it computes in.

    Attributes:
        library: ``pytorch`` or ``openvino``.
        number_format: ``float32``, ``bfloat16`` or ``float16``, or one of ``SpecialFormat``.
    """

    library: str
    number_format: str

    @property
    def name(self) -> str:
        """The name in tables and records, such as ``openvino-bfloat16``."""
        return f"{self.library}-{self.number_format}"

    @classmethod
    def named(cls, name: str) -> Way:
        """Return the way with this ``name``."""
        return cls(*name.split("-"))


REFERENCE = Way("pytorch", "float32")
"""Every other way is compared with this one."""


Prepare = Callable[[NDArray[Any]], NDArray[Any]]
"""Makes the input (1, …) of a changed network from that of the network as it was."""


def as_it_is(array: NDArray[Any]) -> NDArray[Any]:
    """Return what is given: the ``Prepare`` of a network whose input has not changed."""
    return array


@dataclass(frozen=True)
class Rewritten:
    """A changed network.

    Attributes:
        model: ``openvino.Model``.
        prepare: see ``Prepare``.
        options: OpenVINO's properties to compile it with, instead of those of its number format.
    """

    model: Any
    prepare: Prepare = as_it_is
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SpecialFormat:
    """A number format that only some networks have, because their converted network must be changed for it.

    Attributes:
        rewrite: changes a copy of a converted network (``openvino.Model``); raises ``UnavailableError`` if it does
            not fit.
        version: identifies what ``rewrite`` does: another one is measured again.
        least_length: inputs with a shorter first axis (frames) run in the fastest way without a special format.
    """

    rewrite: Callable[[Any], Rewritten]
    version: str
    least_length: int = 0


def ways(device: torch.device, backend: str, precision: str, special: Iterable[str] = ()) -> tuple[Way, ...]:
    """Return the ways to choose from on this machine.

    Args:
        device: where the network runs.
        backend: see ``Settings``; ``auto`` allows both libraries.
        precision: see ``Settings``; ``float32`` means PyTorch, unless ``backend`` names OpenVINO. ``auto`` allows
            formats that round more.
        special: the names of the network's special formats; OpenVINO alone has them, and only on a CPU.

    Raises:
        SettingsError: the library does not run on the device.
    """
    if device.type != "cpu":
        if backend == "openvino":
            raise SettingsError(f"backend is 'openvino', which does not run on {device.type}; choose device cpu.")
        half = device.type == "cuda" and precision == "auto"
        return (REFERENCE, Way("pytorch", "float16")) if half else (REFERENCE,)
    if precision == "float32":
        return (Way("openvino", "float32"),) if backend == "openvino" else (REFERENCE,)
    libraries = ("pytorch", "openvino") if backend == "auto" else (backend,)
    formats = ("float32", "bfloat16") if has_bfloat16() else ("float32",)
    usual = tuple(Way(library, number_format) for library in libraries for number_format in formats)
    return (*usual, *(Way("openvino", name) for name in special)) if "openvino" in libraries else usual


@cache
def has_bfloat16() -> bool:
    """Return whether this processor computes in bfloat16; others emulate it, slowly."""
    mkldnn: Any = torch.backends.mkldnn
    operators: Any = torch.ops.mkldnn
    return bool(mkldnn.is_available() and operators._is_mkldnn_bf16_supported())


@cache
def has_int8() -> bool:
    """Return whether this processor adds up products of bytes in 32 bits (VNNI, AMX).

    Others add two of them in 16 bits first, where they can overflow; OpenVINO says INT8 of every processor.
    """
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))
