"""What runs a network: the interface of ``run_pytorch`` and ``run_openvino``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from recognizer.networks.backends.ways import Way


class Runner(Protocol):
    """Runs one network in one way. Stateless but for the weights; several threads may call it, they take turns."""

    @property
    def way(self) -> Way:
        """The library and the number format."""
        ...

    def most_at_once(self, shape: Sequence[int], /) -> int:
        """The largest batch of inputs of this shape each that is worth giving it."""
        ...

    def __call__(self, batch: Tensor) -> Tensor:
        """What the network makes of (B, …), in the number format of the example that it was made with; float32.

        The batch is on the CPU, the outputs are where the network is.
        """
        ...
