"""Build the network of a classifier and count its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from recognizer.classifier_specs import ClassifierSpec
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS

if TYPE_CHECKING:
    from torch import nn

_REWRITTEN = ("mvit_v1_b", "mvit_v2_s")


def build(spec: ClassifierSpec, num_classes: int) -> nn.Module:
    """Build the network with random weights, from float32 (B, 3, T, S, S) to logits (B, num_classes)."""
    if spec.name == "i3d":
        from recognizer.networks.classifiers.i3d import InceptionI3d

        return InceptionI3d(num_classes)
    from recognizer.networks.vision import get_model

    return cast("nn.Module", get_model(spec.name, weights=None, num_classes=num_classes))


def rewritten(network: nn.Module, spec: ClassifierSpec) -> nn.Module:
    """Return a network of the same weights and the same scores that computes them faster; else the network itself."""
    if spec.name not in _REWRITTEN:
        return network
    from recognizer.networks.classifiers.mvit import QuickMViT

    return QuickMViT(network)


def parameters_for(spec: ClassifierSpec, num_classes: int) -> int:
    """Count the parameters of the network with a last layer for ``num_classes``, without allocating them."""
    published_classes = len(KINETICS400_LABELS)
    if num_classes == published_classes:
        return spec.parameters
    import torch

    def in_head(classes: int) -> int:
        with torch.device("meta"):
            head = build(spec, classes).get_submodule(spec.head)
        return sum(parameter.numel() for parameter in head.parameters())

    return spec.parameters - in_head(published_classes) + in_head(num_classes)
