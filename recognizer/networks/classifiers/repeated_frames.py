"""Compute each sample once when a clip is stretched to twice its samples, so that every frame appears twice in a row.

A layer that moves by two frames then always sees pairs of the same sample. Adding up the weights of each pair gives a
shorter kernel that moves by one sample: the same result for about half the work, in the most expensive layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recognizer.classifier_specs import ClassifierSpec


class FoldedHalving(nn.Module):
    """A layer that halves time. Takes a clip of stretched frames, or the samples that they repeat.

    Args:
        layer: a convolution without bias that moves by two frames, then a normalisation and a ReLU.
        zeros_before: frames and pixels of padding before the first.
        samples: a clip of this many frames holds unrepeated samples; half of the network's minimum.
    """

    _weight: Tensor

    def __init__(self, layer: nn.Module, zeros_before: int, samples: int) -> None:
        super().__init__()
        (convolution,) = (module for module in layer.modules() if isinstance(module, nn.Conv3d))
        (self._norm,) = (module for module in layer.modules() if isinstance(module, nn.BatchNorm3d))
        weight, self._before, self._after = _folded(convolution.weight.detach(), zeros_before)
        self._layer = layer
        self._zeros_before, self._samples = zeros_before, samples
        self._stride = (1, *convolution.stride[1:])
        self.register_buffer("_weight", weight, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in, T, H, W) to (B, out, ceil(T / 2), …), and unrepeated samples to (B, out, T, …)."""
        if x.shape[2] != self._samples:
            stretched: Tensor = self._layer(x)
            return stretched
        height, width = (self._padding(x.shape[axis], axis) for axis in (3, 4))
        padded = functional.pad(x, (*width, *height, self._before, self._after))
        return functional.relu(self._norm(functional.conv3d(padded, self._weight, stride=self._stride)))

    def _padding(self, length: int, axis: int) -> tuple[int, int]:
        kernel, stride = self._weight.shape[axis], self._stride[axis - 2]
        if kernel == 1:
            return 0, 0
        total = (-(-length // stride) - 1) * stride + kernel - length
        return self._zeros_before, total - self._zeros_before


def _folded(weight: Tensor, before: int) -> tuple[Tensor, int, int]:
    """Return the kernel (out, in, time, …) over samples, and the number of zero samples before and after.

    At sample t, tap k sees frame 2 t - before + k, and frame f shows sample f // 2.
    """
    offsets = [(tap - before) // 2 for tap in range(weight.shape[2])]
    shorter = torch.zeros(*weight.shape[:2], offsets[-1] - offsets[0] + 1, *weight.shape[3:])
    for tap, offset in enumerate(offsets):
        shorter[:, :, offset - offsets[0]] += weight[:, :, tap]
    return shorter, -offsets[0], offsets[-1]


def fold_repeated_frames(network: nn.Module, spec: ClassifierSpec) -> nn.Module:
    """Replace the layer that halves time, so that the network takes ``spec.frames_fed`` frames; return the network."""
    if spec.halving is not None:
        name, zeros_before = spec.halving
        layer = FoldedHalving(network.get_submodule(name), zeros_before, spec.length.minimum // 2)
        network.set_submodule(name, layer)
    return network
