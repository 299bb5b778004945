"""The video networks that torchvision ships, built with random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torchvision.models import get_model

if TYPE_CHECKING:
    from torch import nn


def build(name: str, num_classes: int) -> nn.Module:
    """torchvision's network of that name with random weights; nothing is downloaded."""
    return cast("nn.Module", get_model(name, weights=None, num_classes=num_classes))
