"""A part of a network that stays in float32 when OpenVINO rounds the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recognizer.networks.backends import openvino
from recognizer.networks.backends.ways import Way, has_bfloat16

needs_openvino = pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")


class TwoParts(nn.Module):
    """A body and a head, whose activation is the same object, as in YOLO."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        activation = nn.SiLU()
        self.body = nn.Sequential(nn.Conv2d(3, 16, 3), activation)
        self.head = nn.Sequential(nn.Conv2d(16, 16, 3), activation, nn.Conv2d(16, 4, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, 3, H, W) to (B, 4, H - 4, W - 4) of large numbers, as boxes in pixels are."""
        outputs: torch.Tensor = self.head(self.body(x)) * 100
        return outputs


class WithPreciseHead(TwoParts):
    kept_in_float32 = "head"


EXAMPLE = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def operations(model: Any, kind: str) -> list[Any]:
    """Return the operations of a kind, first ones first."""
    return [one for one in model.get_ordered_ops() if one.get_type_name() == kind]


def is_kept(operation: Any) -> bool:
    """Return whether an operation is kept in float32."""
    return "DisablePrecisionConversion_0" in operation.get_rt_info()


@needs_openvino
def test_what_follows_from_the_part_is_kept_too_and_nothing_before_it() -> None:
    model = openvino._convert(WithPreciseHead(), EXAMPLE)
    assert [is_kept(one) for one in operations(model, "Convolution")] == [False, True, True]
    assert [is_kept(one) for one in operations(model, "Swish")] == [False, True]
    assert not any(is_kept(one) for one in openvino._convert(TwoParts(), EXAMPLE).get_ordered_ops())


@needs_openvino
def test_it_changes_what_bfloat16_computes_and_float32_not() -> None:
    formats = ("float32", "bfloat16") if has_bfloat16() else ("float32",)
    with torch.inference_mode():
        expected = TwoParts().eval()(EXAMPLE).numpy()
    off = {}
    for number_format in formats:
        for module in (TwoParts(), WithPreciseHead()):
            model = openvino._convert(module, EXAMPLE)
            outputs = openvino.Compiled(model, Way("openvino", number_format))(EXAMPLE.numpy())
            off[number_format, type(module)] = float(np.abs(outputs - expected).mean())
    assert off["float32", WithPreciseHead] == off["float32", TwoParts] < 1e-3
    if has_bfloat16():
        assert 0 < off["bfloat16", WithPreciseHead] < off["bfloat16", TwoParts]
