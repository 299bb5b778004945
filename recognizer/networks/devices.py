"""The device that networks run on: the CPU, a CUDA GPU or Apple's MPS."""

from __future__ import annotations

import torch

from recognizer.errors import SettingsError


def resolve_device(device: str) -> torch.device:
    """Return the device that ``Settings.device`` names; ``auto`` is a CUDA GPU if there is one, else the CPU.

    Raises:
        SettingsError: PyTorch does not find the device on this machine.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device("cuda" if available["cuda"] else "cpu")
    if not available[device]:
        found = ", ".join(name for name, is_available in available.items() if is_available)
        raise SettingsError(
            f"device is '{device}', which PyTorch does not find on this machine; choose auto or {found}."
        )
    return torch.device(device)
