"""int8 for transformers: rounded weights of linear layers, and when it is offered."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recognizer.classifier_specs import SPECS
from recognizer.networks.backends import int8, int8_linear, openvino
from recognizer.networks.backends.autotune import Backends, TunableNetwork, relative_difference
from recognizer.networks.backends.int8_linear import rewritten
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks
from recognizer.networks.backends.ways import SpecialFormat, Way
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.once import Once

pytestmark = pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")

CPU = torch.device("cpu")
INT8 = Way("openvino", "int8")
SHA256 = "a" * 64
EXAMPLE = torch.randn(1, 40, 96, generator=torch.Generator().manual_seed(1))


class Layers(nn.Module):
    """Linear layers as a transformer has them: a narrow one, two that are rounded, and the scores."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.narrow, self.up, self.down = nn.Linear(96, 192), nn.Linear(192, 384), nn.Linear(384, 192)
        self.head = nn.Linear(192, 5)
        with torch.no_grad():
            self.up.weight[3] = 0.0  # an output that nothing changes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.narrow(x)
        x = x + self.down(nn.functional.gelu(self.up(x)))
        return torch.as_tensor(self.head(x.mean(dim=1)))


class Normed(nn.Module):
    """Two layers that take what a normalization gives, whose channels differ as trained ones do, and the scores."""

    def __init__(self, taken_elsewhere: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.one, self.other = nn.LayerNorm(192), nn.Linear(192, 192), nn.Linear(192, 192, bias=False)
        self.head = nn.Linear(192, 5)
        self.taken_elsewhere = taken_elsewhere
        with torch.no_grad():
            self.norm.weight.copy_(torch.exp(1.5 * torch.randn(192)))
            self.norm.bias.copy_(torch.randn(192))
            for layer in (self.one, self.other):  # as important as the others, whatever their gain
                layer.weight.div_(self.norm.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.norm(x)
        x = self.one(normed) * self.other(normed)
        return torch.as_tensor(self.head((x + normed if self.taken_elsewhere else x).mean(dim=1)))


class Small(nn.Module):
    """A network without a layer that int8 speeds up."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3, 4))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ConvertedNetworks(tmp_path_factory.mktemp("converted")).network("k", lambda: (Layers().eval(), EXAMPLE))


def constants(model: Any) -> list[Any]:
    return [one for one in model.get_ordered_ops() if one.get_type_name() == "Constant"]


def test_wide_layers_are_rounded_but_for_the_scores(converted: Any) -> None:
    changed = rewritten(converted)
    rounded = [one.get_data() for one in constants(changed.model) if one.get_element_type().get_type_name() == "i8"]
    assert sorted(one.shape for one in rounded) == [(192, 384), (384, 192)]
    assert all(np.abs(one).max() == 127 for one in rounded)
    assert not any(one.get_element_type().get_type_name() == "i8" for one in constants(converted)), "a copy is changed"
    assert changed.options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] == 192, "divides 192 and 384"
    exact = Compiled(converted, Way("openvino", "float32"))(EXAMPLE.numpy())
    close = Compiled(changed.model, INT8, changed_options=changed.options)(EXAMPLE.numpy())
    assert 0 < relative_difference(exact, close) < 0.05


@pytest.mark.parametrize("taken_elsewhere", [False, True])
def test_gains_of_a_normalization_are_moved_into_the_layers_that_alone_take_it(
    taken_elsewhere: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = torch.randn(1, 40, 192, generator=torch.Generator().manual_seed(1))
    model = ConvertedNetworks(tmp_path).network("k", lambda: (Normed(taken_elsewhere).eval(), example))
    exact = Compiled(model, Way("openvino", "float32"))(example.numpy())

    def rounded() -> float:
        changed = rewritten(model)
        return relative_difference(
            exact, Compiled(changed.model, INT8, changed_options=changed.options)(example.numpy())
        )

    with_moved = rounded()
    with monkeypatch.context() as patch:
        patch.setattr(int8_linear, "_move_gains", lambda _layers: None)
        with_kept = rounded()
    monkeypatch.setattr(int8_linear, "_round_weights", lambda _layer: None)
    moved = rewritten(model).model
    np.testing.assert_allclose(
        Compiled(moved, Way("openvino", "float32"))(example.numpy()), exact, rtol=1e-4, atol=1e-4
    )
    multiplied = Counter(one.get_type_name() for one in moved.get_ordered_ops())["Multiply"]
    if taken_elsewhere:
        assert multiplied == 2, "others take what has been multiplied"
        assert with_moved == with_kept
    else:
        assert multiplied == 1
        assert 0 < with_moved < with_kept / 4


@pytest.mark.parametrize(("has_bfloat16", "hint"), [(True, "bf16"), (False, "f32")])
def test_what_is_not_rounded_runs_in_the_best_format_of_the_processor(
    converted: Any, monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool, hint: str
) -> None:
    monkeypatch.setattr(openvino, "has_bfloat16", lambda: has_bfloat16)
    assert rewritten(converted).options["INFERENCE_PRECISION_HINT"] == hint


def test_a_network_without_such_layers_keeps_the_other_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.networks.backends.autotune._RUNS", 1)
    special = {"int8": SpecialFormat(rewritten, "1")}
    module: Once[nn.Module] = Once(lambda: Small().eval())
    example = torch.rand(1, 3, 4, 8, 8)
    network = TunableNetwork("n", SHA256, module, example, relative_difference, 0.05, special)
    choice = Backends(tmp_path, "openvino").tune(network, CPU).choice
    (found,) = [one for one in choice.measured if one.way == INT8.name]
    assert found.problem == "the network has no linear layers to run in int8"


def test_every_transformer_has_it_without_a_table_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "has_int8", lambda: True)
    for name, spec in SPECS.items():
        with torch.device("meta"):
            kinds = Counter(type(module) for module in build(spec, 400).modules())
        assert spec.is_transformer == (kinds[nn.Linear] > 10), name
        formats = int8.int8_formats(name, SHA256, tmp_path)
        assert list(formats) == (["int8"] if spec.is_transformer else []), name
        assert all(one.least_length == 0 for one in formats.values()), "clips of any length"
    monkeypatch.setattr(int8, "has_int8", lambda: False)
    assert not int8.int8_formats("mvit_v2_s", SHA256, tmp_path)
