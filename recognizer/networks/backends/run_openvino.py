"""Running a network with OpenVINO, on the processor."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recognizer.networks.backends.batching import Turns
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks, UnavailableError
from recognizer.networks.backends.run_pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE, Way

_log = logging.getLogger(__name__)

_MAX_SHAPES = 3
"""Input shapes that stay compiled; each has the network's weights in memory once more."""


class OpenVinoRunner:
    """See ``Runner``. Converts and compiles the network when an input of a new shape comes.

    Use ``prepare`` to know whether that works; later shapes that do not are left to PyTorch.

    Args:
        kept: where converted networks are kept.
        key: names the weights and all else that decides what they compute, but for the shape of the input.
        module: the network in PyTorch, for the shapes it is not kept converted for.
        way: OpenVINO, in one of its number formats.
        turns: shared with other runners of the same network.
    """

    def __init__(self, kept: ConvertedNetworks, key: str, module: nn.Module, way: Way, turns: Turns) -> None:
        self._kept = kept
        self._key = key
        self._module = module
        self._way = way
        self._turns = turns
        self._compiled: OrderedDict[tuple[torch.dtype, tuple[int, ...]], Compiled] = OrderedDict()
        self._compiling = threading.Lock()  # not in a turn: converting takes seconds that others can use

    @property
    def way(self) -> Way:
        """See ``Runner``."""
        return self._way

    def most_at_once(self, _shape: Sequence[int], /) -> int:
        """See ``Runner``. One keeps all cores busy, and a second one in the same pass gains nothing."""
        return 1

    def prepare(self, example: Tensor) -> None:
        """Convert and compile for the shape of the example, (1, …).

        Raises:
            UnavailableError: OpenVINO cannot run this network.
        """
        self._for_input_of(example)

    def __call__(self, batch: Tensor) -> Tensor:
        """See ``Runner``."""
        try:
            compiled = self._for_input_of(batch)
        except UnavailableError as error:
            _log.warning("PyTorch takes an input of %s: %s", tuple(batch.shape), error)
            return PyTorchRunner(self._module, batch.ndim, torch.device("cpu"), REFERENCE, self._turns)(batch)
        outputs = []
        for one in torch.split(batch, 1):
            array = one.contiguous().numpy()
            with self._turns.turn():
                outputs.append(torch.from_numpy(compiled(array)))
        return torch.cat(outputs)

    def _for_input_of(self, batch: Tensor) -> Compiled:
        shape, dtype = tuple(batch.shape[1:]), batch.dtype
        kind = dtype, shape
        with self._compiling:
            if kind not in self._compiled:
                key = f"{self._key}-{str(dtype).removeprefix('torch.')}-{'x'.join(map(str, shape))}"
                model = self._kept.network(key, lambda: (self._module, torch.zeros(1, *shape, dtype=dtype)))
                self._compiled[kind] = Compiled(model, self._way)
                while len(self._compiled) > _MAX_SHAPES:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(kind)
            return self._compiled[kind]
