"""Experimental support for CUDA GPUs: fit batches to the memory, copy the next batch while computing.

Written from PyTorch's documentation. It has never run on a GPU (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

_SHARE_OF_FREE = 0.5
"""One batch may take this share of the free memory: a detector and a classifier may run at the same time, and a larger
batch may select an algorithm that needs more memory for each input."""


def max_batch_in_memory(free_bytes: int, one_bytes: int, limit: int) -> int:
    """Return how many inputs of ``one_bytes`` each fit into one batch: at least 1, even if it may not fit."""
    return max(1, min(limit, int(free_bytes * _SHARE_OF_FREE) // max(1, one_bytes)))


class Gpu:
    """One CUDA GPU, used by the runner of one network.

    Args:
        device: holds the network.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._copies = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def max_batch(self, one: Tensor, limit: int, run: Callable[[Tensor], Tensor]) -> int:
        """Measure the peak memory of one inference and return how many inputs fit into a batch.

        Memory that others allocate meanwhile counts as well, so the answer errs on the small side.

        Args:
            one: a batch of one, on the CPU.
            limit: the largest answer.
            run: runs the network on a batch on the GPU.

        Raises:
            torch.OutOfMemoryError: not even one input fits.
        """
        before_bytes = torch.cuda.memory_allocated(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        for uploaded in self.uploaded([one]):
            run(uploaded)
        one_bytes = torch.cuda.max_memory_allocated(self._device) - before_bytes
        free_bytes, _ = torch.cuda.mem_get_info(self._device)
        # the driver counts PyTorch's own cache as used, but the next inference can use it
        cached_bytes = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return max_batch_in_memory(free_bytes + cached_bytes, one_bytes, limit)

    def synchronize(self) -> None:
        """Wait until everything launched is computed: requests that arrive meanwhile can then be batched."""
        torch.cuda.current_stream(self._device).synchronize()

    def uploaded(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield each part on the GPU, in order. Launch its computation before asking for the next.

        Launching returns before the computation is done, so the next part is copied on a stream of its own while the
        previous one is computed. This needs pinned memory (``pin_memory``), which PyTorch holds until the copy is done.
        """
        for part in parts:
            with torch.cuda.stream(self._copies):
                uploaded = part.pin_memory().to(self._device, non_blocking=True)
            computing = torch.cuda.current_stream(self._device)
            computing.wait_stream(self._copies)
            uploaded.record_stream(computing)  # the copying stream owns this memory and could reuse it too early
            yield uploaded
