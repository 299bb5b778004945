"""A first convolution that sees windows of a row: the same numbers, only where it fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from recognizer.classifier_specs import spec_of
from recognizer.networks.backends import openvino
from recognizer.networks.backends.int8 import ConvolutionRange, Ranges, quantized, rewritten
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks
from recognizer.networks.backends.ways import Rewritten, Way, as_it_is
from recognizer.networks.backends.windows import Windows
from recognizer.networks.classifiers.clip_input import Normalise
from recognizer.networks.classifiers.i3d import MaxPoolSame, Unit3D

pytestmark = pytest.mark.slow

needs_openvino = pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")

FLOAT32, INT8 = Way("openvino", "float32"), Way("openvino", "int8")
SPEC = spec_of("i3d")
FRAMES = 9


class Beginning(nn.Module):
    """What I3D begins with, for one way of moving over the picture."""

    def __init__(self, kernel: tuple[int, int, int] = (7, 7, 7), stride: tuple[int, int, int] = (2, 2, 2)) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.normalise = Normalise(SPEC)
        self.Conv3d_1a_7x7 = Unit3D(3, 8, kernel, stride)
        self.pool = MaxPoolSame((1, 3, 3), (1, 4, 4))
        self.after = nn.Conv3d(8, 4, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.after(self.pool(self.Conv3d_1a_7x7(self.normalise(pictures)))).flatten(1))


def pictures(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (1, FRAMES, 224, 224, 3), dtype=np.uint8)


@pytest.fixture
def converted(tmp_path: Path) -> Callable[[nn.Module], Any]:
    """Return what converts a network as it is converted for use."""
    networks = ConvertedNetworks(tmp_path)
    return lambda module: networks.network("k", lambda: (module.eval(), torch.from_numpy(pictures())))


def unrounded(model: Any) -> Rewritten:
    """Return the network for windows, without rounding anything."""
    none = [ConvolutionRange(tuple(one.input(1).get_shape()), None) for one in _convolutions(model)]
    return rewritten(model, Ranges("a" * 64, FRAMES, 1, tuple(none)))


def _convolutions(model: Any) -> list[Any]:
    return [one for one in model.get_ordered_ops() if one.get_type_name() == "Convolution"]


def run(network: Rewritten, way: Way, shown: NDArray[np.uint8]) -> NDArray[np.float32]:
    return Compiled(network.model, way)(network.prepare(shown))


def test_windows_are_eight_pixels_each_two_after_the_one_before_and_black_beyond_the_picture() -> None:
    shown = np.random.default_rng(0).integers(1, 256, (1, 2, 3, 10, 3), dtype=np.uint8)
    for before_px in (0, 2, 3, 6):
        found = Windows(before_px)(shown)
        assert found.shape == (1, 2, 3, 5, 24)
        padded = np.pad(shown, [(0, 0)] * 3 + [(before_px, 6 - before_px), (0, 0)])
        for k in range(5):
            expected = padded[:, :, :, 2 * k : 2 * k + 8].reshape(1, 2, 3, 24)
            np.testing.assert_array_equal(found[:, :, :, k], expected)


@needs_openvino
@pytest.mark.parametrize(
    ("kernel", "stride"),
    [((7, 7, 7), (2, 2, 2)), ((1, 7, 7), (1, 2, 2)), ((3, 5, 5), (1, 1, 2)), ((3, 3, 8), (2, 2, 2))],
)
def test_the_network_computes_the_same(
    converted: Callable[[nn.Module], Any], kernel: tuple[int, int, int], stride: tuple[int, int, int]
) -> None:
    module = Beginning(kernel, stride).eval()
    found = unrounded(converted(module))
    assert isinstance(found.prepare, Windows)
    assert _convolutions(found.model)[0].input(1).get_shape()[4] == 1
    with torch.inference_mode():
        expected = module(torch.from_numpy(pictures())).numpy()
    np.testing.assert_allclose(run(found, FLOAT32, pictures()), expected, atol=1e-5)


@needs_openvino
def test_rounded_to_int8_it_computes_the_same(converted: Callable[[nn.Module], Any]) -> None:
    model = converted(Beginning())
    ranges = (ConvolutionRange((8, 3, 7, 7, 7), 1.0, signed=True), ConvolutionRange((4, 8, 1, 1, 1), 2.0))
    table = Ranges("a" * 64, FRAMES, 1, ranges)
    found = rewritten(model, table)
    assert found.prepare == Windows(before_px=2)
    before, after = run(Rewritten(quantized(model, table)), INT8, pictures()), run(found, INT8, pictures())
    assert np.abs(before).max() > 0
    np.testing.assert_allclose(after, before, atol=1e-5)


@needs_openvino
@pytest.mark.parametrize(
    ("kernel", "stride"),
    [((7, 7, 7), (2, 2, 1)), ((3, 3, 9), (1, 1, 2)), ((7, 7, 7), (1, 2, 4)), ((1, 1, 1), (1, 2, 2))],
)
def test_a_network_that_begins_otherwise_stays(
    converted: Callable[[nn.Module], Any], kernel: tuple[int, int, int], stride: tuple[int, int, int]
) -> None:
    """The last one needs no padding, so it has no layer for it."""
    found = unrounded(converted(Beginning(kernel, stride)))
    assert found.prepare is as_it_is
    assert _convolutions(found.model)[0].input(1).get_shape()[1] == 3
