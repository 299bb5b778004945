"""One conversion serves every length of a network whose operations are the same for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from recognizer.classifier_specs import SPECS
from recognizer.networks.backends import openvino
from recognizer.networks.backends.batching import FairQueue
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks, OpenVinoRunner, UnavailableError
from recognizer.networks.backends.ways import Way, has_bfloat16
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.i3d import MaxPoolSame, Unit3D
from recognizer.networks.classifiers.network import _from_bytes

pytestmark = pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")

FLOAT32 = Way("openvino", "float32")
SHORTEST = 16


class Moments(nn.Module):
    """I3D's layers that halve time, on small pictures; takes bytes, like every classifier."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            Unit3D(3, 8, (7, 7, 7), (2, 2, 2)),
            MaxPoolSame((1, 3, 3), (1, 2, 2)),
            MaxPoolSame((3, 3, 3), (2, 2, 2)),
            MaxPoolSame((2, 2, 2), (2, 2, 2)),
            nn.AvgPool3d((2, 2, 2), stride=1),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        mean: torch.Tensor = self.layers(pictures.float().permute(0, 4, 1, 2, 3)).mean(dim=(2, 3, 4))
        return mean


def pictures(length: int, side_px: int) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(length).integers(0, 256, (1, length, side_px, side_px, 3), dtype=np.uint8)
    )


def runner(folder: Path, module: Callable[[], nn.Module], shared_length: int | None) -> OpenVinoRunner:
    converted = ConvertedNetworks(folder)
    return OpenVinoRunner(converted, "n", module, FLOAT32, FairQueue(), 1, shared_length=shared_length)


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.xml")}


def test_every_length_has_the_outputs_of_its_own_conversion(tmp_path: Path) -> None:
    """To the bit, also where time is halved with another padding: odd at the first, the second or the third layer."""
    module = Moments().eval()
    of_all, of_each = (
        runner(tmp_path / "all", lambda: module, SHORTEST),
        runner(tmp_path / "each", lambda: module, None),
    )
    for length in (17, 18, 20):
        example = pictures(length, 32)
        shared, own = of_all.converted(example), of_each.converted(example)
        for number_format in ("float32", *(["bfloat16"] if has_bfloat16() else [])):
            way = Way("openvino", number_format)
            outputs = [Compiled(one, way, threads=1)(example.numpy()) for one in (shared, own)]
            np.testing.assert_array_equal(outputs[0], outputs[1])
            assert outputs[0].std() > 0
    assert names(tmp_path / "all") == {"n-uint8-anyx32x32x3"}
    assert len(names(tmp_path / "each")) == 3


def test_a_length_below_the_shared_ones_has_its_own_conversion(tmp_path: Path) -> None:
    """Such as half of a network's shortest, for which its first layer is another."""
    module = Moments().eval()
    one = runner(tmp_path, lambda: module, SHORTEST)
    one.converted(pictures(SHORTEST - 1, 32))
    assert names(tmp_path) == {"n-uint8-15x32x32x3"}


def test_a_length_that_the_shared_conversion_does_not_serve_is_unavailable(tmp_path: Path) -> None:
    class OfOneLength(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.float().reshape(1, SHORTEST, -1)

    with pytest.raises(UnavailableError, match="another length"):
        runner(tmp_path, OfOneLength, SHORTEST).converted(pictures(SHORTEST + 1, 3))


@pytest.mark.real
@pytest.mark.parametrize("name", [one.name for one in SPECS.values() if one.same_at_any_length and one.name != "i3d"])
def test_a_network_of_torchvision_is_converted_once(tmp_path: Path, name: str) -> None:
    """``test_i3d_real.py`` does the same for I3D, with its weights."""
    spec = SPECS[name]
    torch.manual_seed(0)
    module = _from_bytes(spec, build(spec, 10)).eval()
    one = runner(tmp_path, lambda: module, spec.length.minimum)
    longer = pictures(spec.length.minimum + 3, spec.crop_size_px)
    with torch.inference_mode():
        torch.testing.assert_close(one(longer), module(longer), atol=1e-4, rtol=1e-4)
    assert len(names(tmp_path)) == 1
