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


class ScoresAndFeatures(nn.Module):
    """The last layer of a network, which also returns its own input.

    Some networks average the last layer's output over positions (``s3d``, ``i3d``). They then average its input as
    well, and because the layer is linear, the scores follow from the average too.

    Args:
        layer: maps D channels to one score for each label.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, D, …) to (B, labels + D, …), scores first: one tensor, because every backend has one output."""
        return torch.cat((self._layer(x), x), dim=1)


def hand_out_features(network: nn.Module, spec: ClassifierSpec) -> nn.Module:
    """Replace the last layer, so that the network returns (B, labels + D); return the network."""
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
        of_crop: (B, D), on any device.
        of_surroundings: (len(around), D); None if no clip has surroundings.
        around: the clips with surroundings.
    """
    views: list[list[NDArray[np.float32]]] = [[row] for row in of_crop.cpu().numpy()]
    if of_surroundings is not None:
        for k, row in zip(around, of_surroundings.cpu().numpy(), strict=True):
            views[k].append(row)
    return [ClipFeatures.rounded(np.stack(rows)) for rows in views]
