"""Running a network with PyTorch, on any device."""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from recognizer.networks.backends.batching import Turns
from recognizer.networks.backends.cuda import Gpu
from recognizer.networks.backends.ways import Way
from recognizer.types import CROP_SIZE_PX

_log = logging.getLogger(__name__)

_MOST_AT_ONCE = {"cpu": 2, "mps": 8, "cuda": 64}
"""On a CPU two clips take from a fourth less to a fourteenth more time in one pass than one after the other, four or
eight up to half more: they fall out of its caches (docs/decisions/011-callers-together.md)."""

_MOST_FRAMES_AT_ONCE = {"cpu": 128, "mps": 128, "cuda": 1024}
"""Bounds the memory of one pass, in crops of all its clips, or as many pixels of pictures."""

_CROP_VALUES = CROP_SIZE_PX * CROP_SIZE_PX * 3

_FASTEST_LAYOUT = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Of the weights on a CPU, by the number of axes of the input; pictures come with their channels last."""


class PyTorchRunner:
    """See ``Runner``. What several callers wait with goes through together, as far as that gains.

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
        self._gpu = Gpu(device) if device.type == "cuda" else None
        self._way = way
        self._turns = turns or Turns()
        self._fitting: dict[Hashable, int] = {}  # how many go through in one pass, by kind of input

    @property
    def way(self) -> Way:
        """See ``Runner``."""
        return self._way

    def most_at_once(self, shape: Sequence[int], /) -> int:
        """See ``Runner``. The memory of a GPU may bound a single pass further."""
        place = self._device.type
        crops = _MOST_FRAMES_AT_ONCE[place]
        return max(1, min(_MOST_AT_ONCE[place], crops * _CROP_VALUES // math.prod(shape)))

    def __call__(self, batch: Tensor) -> Tensor:
        """See ``Runner``. Where a GPU's memory runs out, it goes on in smaller batches."""
        kind = _kind(batch)
        most = self._fitting.get(kind, self.most_at_once(batch.shape[1:]))
        return self._turns.together((self, kind), batch, most, self._in_passes)

    def _in_passes(self, batch: Tensor) -> Tensor:
        kind = _kind(batch)
        if kind not in self._fitting:
            most = self.most_at_once(batch.shape[1:])
            self._fitting[kind] = most if self._gpu is None else self._gpu.most_that_fit(batch[:1], most, self._pass)
        while True:
            parts = torch.split(batch, self._fitting[kind])
            try:
                outputs = torch.cat([self._pass(part) for part in self._on_device(parts)])
                break
            except torch.OutOfMemoryError:
                if len(parts[0]) == 1:
                    raise
            # not in the except clause: while there is a traceback, it keeps what the failed pass had in memory
            self._fitting[kind] = -(-len(parts[0]) // 2)
            _log.warning("the GPU's memory ran out; from now on %d at once", self._fitting[kind])
            torch.cuda.empty_cache()
        if self._gpu is not None:
            self._gpu.wait()
        return outputs

    def _on_device(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        if self._gpu is not None:
            return self._gpu.uploaded(parts)
        return (part.to(self._device) for part in parts)

    def _pass(self, batch: Tensor) -> Tensor:
        with torch.inference_mode(), self._number_format():
            outputs: Tensor = self._module(batch)
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


def _kind(batch: Tensor) -> Hashable:
    return batch.dtype, batch.shape[1:]
