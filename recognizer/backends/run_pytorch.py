"""Running a network with PyTorch, on any device."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from recognizer.backends.turns import Turns
from recognizer.backends.ways import Way

_log = logging.getLogger(__name__)

_MOST_AT_ONCE = {"cpu": 8, "mps": 8, "cuda": 64}
"""A bigger batch gains nothing on a CPU. On a GPU it is halved when its memory runs out."""

_FASTEST_LAYOUT = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Of the weights on a CPU, by the number of axes of the input; pictures come with their channels last."""


class PyTorchRunner:
    """See ``Runner``.

    Args:
        module: moved to ``device`` and set to evaluate.
        axes: of its input.
        device: where it runs.
        way: PyTorch, in one of its number formats.
        turns: shared with other runners of the same network.
    """

    def __init__(
        self, module: nn.Module, axes: int, device: torch.device, way: Way, turns: Turns | None = None
    ) -> None:
        self._module = module.to(device).eval()
        if device.type == "cpu":
            self._module.to(memory_format=_FASTEST_LAYOUT[axes])
        self._device = device
        self._way = way
        self._turns = turns or Turns()
        self._most_at_once = _MOST_AT_ONCE[device.type]

    @property
    def way(self) -> Way:
        """See ``Runner``."""
        return self._way

    @property
    def most_at_once(self) -> int:
        """See ``Runner``."""
        return self._most_at_once

    def __call__(self, batch: Tensor) -> Tensor:
        """See ``Runner``. Where a GPU's memory runs out, it goes on in smaller batches."""
        with self._turns:
            while True:
                parts = torch.split(batch, self._most_at_once)
                try:
                    return torch.cat([self._pass(part) for part in parts])
                except torch.OutOfMemoryError:
                    if len(parts[0]) == 1:
                        raise
                    self._most_at_once = -(-len(parts[0]) // 2)
                    _log.warning("the GPU's memory ran out; from now on %d at once", self._most_at_once)
                    torch.cuda.empty_cache()

    def _pass(self, batch: Tensor) -> Tensor:
        with torch.inference_mode(), self._number_format():
            outputs: Tensor = self._module(batch.to(self._device))
        return outputs.float()

    @contextmanager
    def _number_format(self) -> Iterator[None]:
        with ExitStack() as stack:
            if self._way.number_format != "float32":
                # some layers have no kernel in half precision; autocast knows which
                dtype = getattr(torch, self._way.number_format)
                stack.enter_context(torch.autocast(self._device.type, dtype=dtype))
            elif self._device.type == "cuda":
                # cuDNN's default rounds float32 to ten bits of fraction
                stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
            yield
