"""What only a CUDA GPU needs: passes sized to its memory, and transfers beside computing.

Written by PyTorch's documentation and never run: there was no GPU to run it on (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

_SHARE_OF_FREE = 0.5
"""Of the free memory that one pass may take: a detector and a classifier may run at the same time, and a bigger batch
may be computed by an algorithm that needs more for each."""


def how_many_fit(free_bytes: int, one_bytes: int, most: int) -> int:
    """How many of ``one_bytes`` each go through in a pass: at least one, which fits or not, and at most ``most``."""
    return max(1, min(most, int(free_bytes * _SHARE_OF_FREE) // max(1, one_bytes)))


class Gpu:
    """One CUDA GPU, as the runner of one network sees it.

    Args:
        device: where the network is.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._copies = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def most_that_fit(self, one: Tensor, most: int, run: Callable[[Tensor], Tensor]) -> int:
        """See ``how_many_fit``, by what a pass of one takes at its peak.

        What others do on the GPU at the same time counts as this pass's: the answer errs to the small side.

        Args:
            one: a batch of one, on the CPU.
            most: the hard upper bound.
            run: makes a pass with a batch on the GPU.

        Raises:
            torch.OutOfMemoryError: not even one fits.
        """
        before_bytes = torch.cuda.memory_allocated(self._device)
        torch.cuda.reset_peak_memory_stats(self._device)
        for there in self.uploaded([one]):
            run(there)
        one_bytes = torch.cuda.max_memory_allocated(self._device) - before_bytes
        free_bytes, _ = torch.cuda.mem_get_info(self._device)
        # what PyTorch keeps for later is not free to the driver, but to a pass
        kept_bytes = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return how_many_fit(free_bytes + kept_bytes, one_bytes, most)

    def wait(self) -> None:
        """Until all is computed that was launched: what comes meanwhile can then go through together."""
        torch.cuda.current_stream(self._device).synchronize()

    def uploaded(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        """Each part on the GPU, in order. Launch what uses it before asking for the next.

        Launching does not wait for computing, so that the next part is copied, on a stream of its own, while the one
        before is computed. That needs memory that is never swapped out (``pin_memory``); PyTorch keeps that memory
        until its copy is done.
        """
        for part in parts:
            with torch.cuda.stream(self._copies):
                there = part.pin_memory().to(self._device, non_blocking=True)
            computing = torch.cuda.current_stream(self._device)
            computing.wait_stream(self._copies)
            there.record_stream(computing)  # or the other stream, whose memory it is, could use it again too early
            yield there
