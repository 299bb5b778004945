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


class ByLength:
    """Runs short inputs one way and long ones another.

    Args:
        short: runs inputs of fewer than ``least_length`` frames.
        long: runs the others.
        least_length: see above.
    """

    def __init__(self, short: Runner, long: Runner, least_length: int) -> None:
        self._short, self._long, self._least_length = short, long, least_length

    @property
    def way(self) -> Way:
        """The way of long inputs."""
        return self._long.way

    def way_for(self, length: int) -> Way:
        """Return how an input of ``length`` frames runs."""
        return self._for(length).way

    def max_batch_size(self, shape: Sequence[int], /) -> int:
        """See ``Runner``."""
        return self._for(shape[0]).max_batch_size(shape)

    def __call__(self, batch: Tensor) -> Tensor:
        """See ``Runner``."""
        return self._for(batch.shape[1])(batch)

    def _for(self, length: int) -> Runner:
        return self._short if length < self._least_length else self._long
