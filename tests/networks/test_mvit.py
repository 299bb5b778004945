"""MViT computed otherwise: the scores of torchvision's network, for both kinds of positions and of shortcuts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.video.mvit import MSBlockConfig, MViT

from recognizer.networks.backends.openvino import Compiled, problem
from recognizer.networks.backends.openvino import _convert as convert
from recognizer.networks.backends.ways import Way
from recognizer.networks.classifiers.mvit import QuickMViT

CLASSES = 7
TOLERANCE = 1e-5

Build = Callable[[], MViT]


def _block(
    heads: int, channels: tuple[int, int], q: tuple[list[int], list[int]], kv_stride: list[int]
) -> MSBlockConfig:
    return MSBlockConfig(heads, *channels, q[0], [3, 3, 3], q[1], kv_stride)


def _lively(network: MViT) -> MViT:
    """Give every weight a part in the scores; torchvision leaves some at 0 or 1, and the others small."""
    for name, weight in network.named_parameters():
        around_one = "norm" in name and name.endswith("weight")
        nn.init.normal_(weight, float(around_one), 0.3)
    return network.eval()


def first_version() -> MViT:
    """Absolute positions; queries pooled in one block of four; a wider perceptron instead of a wider attention."""
    torch.manual_seed(0)
    as_they_are: tuple[list[int], list[int]] = ([], [])
    blocks = [
        _block(1, (8, 16), as_they_are, [1, 4, 4]),
        _block(2, (16, 16), ([3, 3, 3], [1, 2, 2]), [1, 2, 2]),
        _block(2, (16, 32), as_they_are, [1, 2, 2]),
        _block(4, (32, 32), as_they_are, [1, 1, 1]),
    ]
    return _lively(MViT((32, 32), 6, blocks, False, False, False, False, num_classes=CLASSES))


def second_version(shortcut_of_summary: bool = False) -> MViT:
    """Relative positions, on grids coarser and finer than the learned ones; pooled queries as a shortcut."""
    torch.manual_seed(1)
    blocks = [
        _block(1, (8, 8), ([3, 3, 3], [1, 1, 1]), [1, 4, 4]),
        _block(2, (8, 16), ([3, 3, 3], [1, 2, 2]), [1, 2, 2]),
        _block(2, (16, 16), ([3, 3, 3], [1, 1, 1]), [1, 2, 2]),
        _block(4, (16, 32), ([3, 3, 3], [1, 2, 2]), [1, 1, 1]),
    ]
    return _lively(MViT((32, 32), 6, blocks, True, shortcut_of_summary, True, True, num_classes=CLASSES))


def shortcut_everywhere() -> MViT:
    """The summary token's query is a shortcut, too."""
    return second_version(shortcut_of_summary=True)


def clips(seed: int, count: int = 2) -> Tensor:
    return torch.randn(count, 3, 6, 32, 32, generator=torch.Generator().manual_seed(seed))


def scores(network: nn.Module, of: Tensor) -> Tensor:
    with torch.inference_mode():
        said: Tensor = network(of)
    return said


@pytest.mark.parametrize("build", [first_version, second_version, shortcut_everywhere])
def test_scores_are_those_of_torchvisions_network(build: Build) -> None:
    network = build()
    expected = scores(network, clips(0))
    torch.testing.assert_close(scores(QuickMViT(network), clips(0)), expected, atol=TOLERANCE, rtol=TOLERANCE)
    # a network that says the same of everything would pass the line above
    assert (expected[0] - expected[1]).abs().max() > 1000 * TOLERANCE


@pytest.mark.parametrize(("build", "key"), [(second_version, "rel_pos_t"), (first_version, "temporal_pos")])
def test_positions_matter(build: Build, key: str) -> None:
    network = build()
    before = scores(QuickMViT(network), clips(0))
    for name, weight in network.named_parameters():
        if key in name:
            nn.init.zeros_(weight)
    assert (scores(QuickMViT(network), clips(0)) - before).abs().max() > 1000 * TOLERANCE


def test_a_frame_less_than_it_was_built_for_fits_as_in_torchvision() -> None:
    network = second_version()
    short = clips(0)[:, :, :5]
    torch.testing.assert_close(
        scores(QuickMViT(network), short), scores(network, short), atol=TOLERANCE, rtol=TOLERANCE
    )


@pytest.mark.real
@pytest.mark.skipif(problem() is not None, reason=f"OpenVINO: {problem()}")
@pytest.mark.parametrize("build", [first_version, second_version])
def test_openvino_says_the_same(build: Build) -> None:
    network = build()
    converted = Compiled(convert(QuickMViT(network).eval(), clips(0, 1)), Way("openvino", "float32"), threads=1)
    expected = scores(network, clips(1, 1)).numpy()
    assert abs(converted(clips(1, 1).numpy()) - expected).max() < TOLERANCE * 10
