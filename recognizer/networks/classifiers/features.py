"""Hand out a network's features: the input of its last layer, from which the scores follow without the network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recognizer.classifier_specs import ClassifierSpec
from recognizer.networks.backends.autotune import Difference, relative_difference
from recognizer.types import ClipFeatures

_CLIP_AXES = 5
"""Batch, channel, time, height, width."""


class ScoresAndFeatures(nn.Module):
    """The last layer of a network, which also returns its own input, and how that changes.

    Some networks average the last layer's output over positions (``s3d``, ``i3d``). They then average its input as
    well, and because the layer is linear, the scores follow from the average too. For these networks the change is
    the input of the second half of the clip less that of the first; the others have averaged over time before, and the
    change is 0.

    Args:
        layer: maps D channels to one score for each label.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, D, …) to (B, labels + 2 D, …), scores first: one tensor, because every backend has one output."""
        return torch.cat((self._layer(x), x, self._change(x)), dim=1)

    def _change(self, x: Tensor) -> Tensor:
        if x.ndim != _CLIP_AXES:
            return torch.zeros_like(x)
        steps = torch.arange(x.shape[2], device=x.device)
        # -1 in the first half, 1 in the second, 0 in the middle of an odd number
        halves = torch.sign(2 * steps - (x.shape[2] - 1)).to(x.dtype)
        return x * halves[:, None, None]


def hand_out_features(network: nn.Module, spec: ClassifierSpec) -> nn.Module:
    """Replace the last layer, so that the network returns (B, labels + 2 D); return the network."""
    network.set_submodule(spec.head, ScoresAndFeatures(network.get_submodule(spec.head)))
    return network


def difference_of_scores(label_count: int) -> Difference:
    """Return ``relative_difference`` of the scores alone, because they decide which way of running a network is exact
    enough; features are larger and would hide them."""

    def difference(reference: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        return relative_difference(reference[:, :label_count], other[:, :label_count])

    return difference


def rounded_features(of_crop: Tensor, of_surroundings: Tensor | None, around: Sequence[int]) -> list[ClipFeatures]:
    """Return the features of each clip of a batch.

    Args:
        of_crop: (B, 2 D), features and their change, on any device.
        of_surroundings: (len(around), 2 D); None if no clip has surroundings.
        around: the clips with surroundings.
    """
    views: list[list[NDArray[np.float32]]] = [[row] for row in of_crop.cpu().numpy()]
    if of_surroundings is not None:
        for k, row in zip(around, of_surroundings.cpu().numpy(), strict=True):
            views[k].append(row)
    return [ClipFeatures.rounded(*np.split(np.stack(rows), 2, axis=1)) for rows in views]
