"""What a network hands out with its scores."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recognizer.networks.classifiers.features import ScoresAndFeatures


@pytest.mark.parametrize(("steps", "first", "last"), [(4, [0, 1], [2, 3]), (5, [0, 1], [3, 4])])
def test_change_is_the_second_half_less_the_first(steps: int, first: list[int], last: list[int]) -> None:
    x = torch.randn(2, 3, steps, 1, 1)
    change = ScoresAndFeatures(nn.Conv3d(3, 7, 1))(x)[:, 10:].sum(dim=(2, 3, 4))
    torch.testing.assert_close(change, (x[:, :, last].sum(dim=2) - x[:, :, first].sum(dim=2))[:, :, 0, 0])


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1, 1, 1)])
def test_change_is_unknown_without_time(shape: tuple[int, ...]) -> None:
    layer = nn.Linear(3, 7) if len(shape) == 2 else nn.Conv3d(3, 7, 1)
    outputs = ScoresAndFeatures(layer)(torch.randn(shape))
    assert outputs.shape == (2, 13, *shape[2:])
    assert not outputs[:, 10:].any()
