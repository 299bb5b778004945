"""The GPUs of this machine, asked of PyTorch in a process of its own: whoever runs a batch does not load it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from recognizer.errors import SettingsError, one_line

_DRIVERS: Final = ("/dev/nvidiactl", "/dev/dxg")
"""NVIDIA's devices on Linux and in the Linux of Windows; without them, the libraries need not be loaded."""

_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_ANSWERS_WITHIN_S: Final = 120.0
_QUESTION: Final = """
import json, torch
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps([torch.cuda.mem_get_info(k)[0] for k in range(count)]))
"""


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        name: what ``CUDA_VISIBLE_DEVICES`` calls it.
        free_bytes: of its memory.
    """

    name: str
    free_bytes: int


def gpus() -> tuple[Gpu, ...]:
    """Return the GPUs that this process may use.

    Raises:
        SettingsError: PyTorch cannot be asked.
    """
    if sys.platform.startswith("linux") and not any(Path(driver).exists() for driver in _DRIVERS):
        return ()
    free_bytes = _free_bytes()
    names = [name.strip() for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    names = names or [str(number) for number in range(len(free_bytes))]
    return tuple(Gpu(name, free) for name, free in zip(names, free_bytes, strict=False))


def only(gpu: Gpu) -> dict[str, str]:
    """Return the environment of a process that is to see one GPU."""
    return {_VISIBLE: gpu.name}


def _free_bytes() -> list[int]:
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _QUESTION], capture_output=True, text=True, check=True, timeout=_ANSWERS_WITHIN_S
        )
        return msgspec.json.decode(asked.stdout, type=list[int])
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        why = one_line(str(getattr(error, "stderr", None) or error)).rstrip(".")[-200:]
        raise SettingsError(
            f"the GPU cannot be asked for its memory ({why}); mend it, or give --device cpu."
        ) from error
