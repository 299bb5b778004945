"""Run a network with PyTorch, on any device."""

from __future__ import annotations

import logging
import math
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from recognizer.networks.backends.batching import FairQueue
from recognizer.networks.backends.cuda import Gpu
from recognizer.networks.backends.ways import Way
from recognizer.types import CROP_SIZE_PX

_log = logging.getLogger(__name__)

MAX_BATCH_SIZE = {"cpu": 2, "mps": 8, "cuda": 64}
"""By device. On a CPU, two clips in one batch take between 25 % less and 7 % more time than one after the other; four
or eight take up to 50 % more, because they no longer fit its caches (docs/decisions/011-callers-together.md)."""

_MAX_BATCH_CROPS = {"cpu": 128, "mps": 128, "cuda": 1024}
"""By device. Bounds the memory of one batch: the crops of all its clips, or as many pixels of pictures."""

_CROP_VALUES = CROP_SIZE_PX * CROP_SIZE_PX * 3

_FASTEST_LAYOUT = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Memory layout of the weights on a CPU, by the input's number of axes; pictures arrive with channels last."""


class PyTorchRunner:
    """Run a network with PyTorch. Requests of several callers are batched together where that is faster.

    Args:
        module: moved to ``device`` and set to evaluation mode.
        axes: number of axes of its input.
        device: where it runs.
        way: PyTorch, in one of its number formats.
        queue: shared with other runners of the same network.
    """

    def __init__(
        self, module: nn.Module, axes: int, device: torch.device, way: Way, queue: FairQueue | None = None
    ) -> None:
        self._module = module.to(device).eval()
        if device.type == "cpu":
            self._module.to(memory_format=_FASTEST_LAYOUT[axes])
        self._device = device
        self._gpu = Gpu(device) if device.type == "cuda" else None
        self._way = way
        self._queue = queue or FairQueue()
        self._batch_sizes: dict[Hashable, int] = {}  # known to fit into memory, by kind of input

    @property
    def way(self) -> Way:
        """The library and the number format."""
        return self._way

    def max_batch_size(self, shape: Sequence[int], /) -> int:
        """See ``Runner``. A GPU's memory may limit a batch further."""
        place = self._device.type
        crops = _MAX_BATCH_CROPS[place]
        return max(1, min(MAX_BATCH_SIZE[place], crops * _CROP_VALUES // math.prod(shape)))

    def __call__(self, batch: Tensor) -> Tensor:
        """See ``Runner``. If a GPU runs out of memory, continue with smaller batches."""
        kind = _kind(batch)
        limit = self._batch_sizes.get(kind, self.max_batch_size(batch.shape[1:]))
        return self._queue.run_batched((self, kind), batch, limit, self._run)

    def _run(self, batch: Tensor) -> Tensor:
        kind = _kind(batch)
        if kind not in self._batch_sizes:
            limit = self.max_batch_size(batch.shape[1:])
            self._batch_sizes[kind] = limit if self._gpu is None else self._gpu.max_batch(batch[:1], limit, self._infer)
        while True:
            parts = torch.split(batch, self._batch_sizes[kind])
            try:
                outputs = torch.cat([self._infer(part) for part in self._on_device(parts)])
                break
            except torch.OutOfMemoryError:
                if len(parts[0]) == 1:
                    raise
            # outside the except clause: the traceback there keeps the memory of the failed inference alive
            self._batch_sizes[kind] = -(-len(parts[0]) // 2)
            _log.warning("the GPU ran out of memory; reducing the batch size to %d", self._batch_sizes[kind])
            torch.cuda.empty_cache()
        if self._gpu is not None:
            self._gpu.synchronize()
        return outputs

    def _on_device(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        if self._gpu is not None:
            return self._gpu.uploaded(parts)
        return (part.to(self._device) for part in parts)

    def _infer(self, batch: Tensor) -> Tensor:
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
                # cuDNN's default (TF32) rounds float32 to ten bits of fraction
                stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
            yield


def _kind(batch: Tensor) -> Hashable:
    return batch.dtype, batch.shape[1:]
