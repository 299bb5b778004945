"""The interface of everything that runs a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from recognizer.networks.backends.ways import Way


class Runner(Protocol):
    """Run one network in one way. Stateless except for the weights and safe to call from several threads."""

    @property
    def way(self) -> Way:
        """The library and the number format."""
        ...

    def max_batch_size(self, shape: Sequence[int], /) -> int:
        """Return the largest useful batch of inputs of this shape (without the batch axis)."""
        ...

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the network's float32 outputs for a batch (B, …), on the device of the network.

        The batch is on the CPU, in the number format of the example that the runner was created with.
        """
        ...
