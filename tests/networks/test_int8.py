"""int8: tables of ranges, rounding inside the converted network, and when it is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.quantize import quantize, ranges_of, write
from recognizer.classifier_specs import SPECS
from recognizer.networks.backends import int8, openvino
from recognizer.networks.backends import ways as ways_module
from recognizer.networks.backends.autotune import Backends, TunableNetwork, relative_difference
from recognizer.networks.backends.choice_store import Choice, Measured, choice_key
from recognizer.networks.backends.int8 import (
    PUBLISHED,
    ConvolutionRange,
    Ranges,
    convolutions_of,
    find_ranges,
    quantized,
    rewritten,
    rewritten_where_heavy,
)
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks, UnavailableError
from recognizer.networks.backends.runner import ByLength
from recognizer.networks.backends.ways import REFERENCE, Rewritten, SpecialFormat, Way, ways
from recognizer.networks.bounds import CLASSIFIER_BOUND
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.once import Once
from recognizer.settings import Settings, recommended

CPU = torch.device("cpu")
INT8 = Way("openvino", "int8")
MIXED = Way("openvino", "mixed")
BFLOAT16 = Way("openvino", "bfloat16")
SHA256 = "a" * 64

needs_openvino = pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")


class Branches(nn.Module):
    """Two branches that are joined, padded and pooled, as in I3D, and a head at a single place."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv3d(3, 8, 3)
        self.left, self.right = nn.Conv3d(8, 8, 1), nn.Conv3d(8, 8, 1)
        self.after = nn.Conv3d(16, 8, 3)
        self.head = nn.Conv3d(8, 5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.stem(x - 0.5))
        x = torch.cat((functional.relu(self.left(x)), functional.relu(self.right(x))), dim=1)
        x = functional.max_pool3d(functional.pad(x, (0, 1, 0, 1, 0, 1)), 2, 2)
        x = functional.relu(self.after(x))
        return torch.as_tensor(self.head(x.mean(dim=(2, 3, 4), keepdim=True)).flatten(1))


RANGES = Ranges(
    weights_sha256=SHA256,
    frames=8,
    least_frames=6,
    convolutions=(
        ConvolutionRange((8, 3, 3, 3, 3), 0.5, signed=True),
        ConvolutionRange((8, 8, 1, 1, 1), 1.0),
        ConvolutionRange((8, 8, 1, 1, 1), 1.0),
        ConvolutionRange((8, 16, 3, 3, 3), 1.0),
        ConvolutionRange((5, 8, 1, 1, 1), None),
    ),
)
EXAMPLE = torch.rand(1, 3, 8, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ConvertedNetworks(tmp_path_factory.mktemp("converted")).network("k", lambda: (Branches().eval(), EXAMPLE))


def with_range(k: int, one: ConvolutionRange) -> Ranges:
    changed = list(RANGES.convolutions)
    changed[k] = one
    return msgspec.structs.replace(RANGES, convolutions=tuple(changed))


class TestTables:
    @pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.json")), ids=lambda path: path.stem)
    def test_each_table_fits_its_network_and_the_clips_that_presets_make(self, path: Path) -> None:
        ranges = msgspec.json.decode(path.read_bytes(), type=Ranges)
        spec = SPECS[path.stem]
        with torch.device("meta"):
            network = build(spec, 400)
        of_network = Counter(tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Conv3d))
        assert Counter(one.shape for one in ranges.convolutions) == of_network
        assert ranges.frames == spec.frames_fed(spec.recommended_samples)
        for rate_hz in (24, 25, 30, 50, 60):
            samples = recommended(Settings(video_classifier_model=path.stem), rate_hz).num_video_sequence_samples
            assert spec.frames_fed(samples) >= ranges.least_frames
        assert spec.frames_fed(Settings.num_video_sequence_samples) < ranges.least_frames

    def test_a_table_is_for_one_file_of_weights(self, tmp_path: Path) -> None:
        assert find_ranges("i3d", SHA256, tmp_path) is None
        (tmp_path / f"{SHA256}.json").write_bytes(msgspec.json.encode(RANGES))
        assert find_ranges("i3d", SHA256, tmp_path) == RANGES
        assert find_ranges("s3d", SHA256, tmp_path) == RANGES, "a checkpoint of any network can have one"
        (tmp_path / f"{'b' * 64}.json").write_bytes(msgspec.json.encode(RANGES))
        assert find_ranges("i3d", "b" * 64, tmp_path) is None, "renamed, but made for other weights"

    @pytest.mark.parametrize(
        "content",
        [
            b"{",
            b"[]",
            b'{"weights_sha256": "%s", "frames": 8}' % SHA256.encode(),
            msgspec.json.encode(RANGES).replace(b"0.5", b"-0.5"),
            msgspec.json.encode(RANGES).replace(b"0.5", b'"wide"'),
        ],
    )
    def test_a_damaged_table_is_not_used_and_a_warning_says_so(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
    ) -> None:
        (tmp_path / f"{SHA256}.json").write_bytes(content)
        assert find_ranges("i3d", SHA256, tmp_path) is None
        assert "cannot be read, so they are not used" in caplog.text

    def test_a_processor_without_vnni_or_amx_has_no_int8(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / f"{SHA256}.json").write_bytes(msgspec.json.encode(RANGES))
        monkeypatch.setattr(int8, "has_int8", lambda: False)
        assert int8.int8_formats("i3d", SHA256, tmp_path) == {}
        monkeypatch.setattr(int8, "has_int8", lambda: True)
        assert int8.int8_formats("i3d", "b" * 64, tmp_path) == {}, "no table"
        found = int8.int8_formats("i3d", SHA256, tmp_path)
        assert {name: one.least_length for name, one in found.items()} == {"mixed": 0, "int8": RANGES.least_frames}

    def test_where_int8_is_not_allowed_a_table_changes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Regression: other ways were measured on long clips, and ``doctor`` said that these were of eight samples."""
        monkeypatch.setattr(int8, "has_int8", lambda: True)
        (tmp_path / "ranges").mkdir()
        (tmp_path / "ranges" / f"{SHA256}.json").write_bytes(msgspec.json.encode(RANGES))
        assert list(Backends(tmp_path).special_formats("i3d", SHA256, CPU)) == ["mixed", "int8"]
        for backend, precision, device in (
            ("pytorch", "auto", "cpu"),
            ("openvino", "float32", "cpu"),
            ("auto", "auto", "cuda"),
        ):
            backends = Backends(tmp_path, backend, precision)
            assert not backends.special_formats("i3d", SHA256, torch.device(device))

    @pytest.mark.parametrize(
        ("capabilities", "expected"),
        [
            ({"avx512_vnni": True}, True),
            ({"avx512_vnni": False, "avx_vnni": True}, True),
            ({"amx_int8": True}, True),
            ({"avx2": True, "avx512_bw": True, "avx512_vnni": False}, False),
            ({"architecture": "aarch64"}, False),
        ],
    )
    def test_vnni_and_amx_are_recognized(
        self, monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, Any], expected: bool
    ) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
        assert ways_module.has_int8.__wrapped__() is expected


@needs_openvino
class TestRounding:
    def test_outputs_are_close_and_every_convolution_with_a_range_is_rounded(self, converted: Any) -> None:
        rounded = quantized(converted, RANGES)
        kinds = Counter(one.get_type_name() for one in rounded.get_ordered_ops())
        # the input, what both branches take, each branch's output; and the weights of four convolutions
        assert kinds["FakeQuantize"] == 4 + 4
        assert "FakeQuantize" not in {one.get_type_name() for one in converted.get_ordered_ops()}, "a copy is changed"
        exact = Compiled(converted, Way("openvino", "float32"))(EXAMPLE.numpy())
        close = Compiled(rounded, INT8)(EXAMPLE.numpy())
        assert 0 < relative_difference(exact, close) < 0.1

    def test_mixed_rounds_only_where_most_of_the_work_is(self, converted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(openvino, "has_bfloat16", lambda: False)
        monkeypatch.setattr(int8, "_HEAVY_SHARE", 0.4)
        mixed = rewritten_where_heavy(converted, RANGES)
        rounded = [
            convolution.input_value(1).get_node().get_type_name() == "FakeQuantize"
            for convolution in convolutions_of(mixed.model)
        ]
        assert rounded == [True, False, False, False, False], "the stem has three quarters of it"
        assert mixed.options == {"INFERENCE_PRECISION_HINT": "f32"}
        monkeypatch.setattr(openvino, "has_bfloat16", lambda: True)
        assert rewritten_where_heavy(converted, RANGES).options == {"INFERENCE_PRECISION_HINT": "bf16"}
        exact = Compiled(converted, Way("openvino", "float32"))(EXAMPLE.numpy())
        close = Compiled(mixed.model, MIXED, changed_options=mixed.options)(EXAMPLE.numpy())
        all_of_it = Compiled(quantized(converted, RANGES), INT8)(EXAMPLE.numpy())
        assert 0 < relative_difference(exact, close) < relative_difference(exact, all_of_it)

    def test_a_table_serves_another_length_of_the_kernels(self, converted: Any) -> None:
        """Where samples repeat, the first layer's kernel is shorter than the one the table was made with."""
        longer = with_range(0, ConvolutionRange((8, 3, 7, 3, 3), 0.5, signed=True))
        names = Counter(one.get_type_name() for one in quantized(converted, longer).get_ordered_ops())
        assert names["FakeQuantize"] == 4 + 4

    def test_ranges_of_another_network_are_refused(self, converted: Any) -> None:
        other = msgspec.structs.replace(RANGES, convolutions=RANGES.convolutions[:-1])
        for wrong in (other, with_range(0, ConvolutionRange((8, 3, 3, 3, 5), 1.0))):
            with pytest.raises(UnavailableError, match="are those of another network"):
                quantized(converted, wrong)

    def test_two_ranges_for_one_value_are_refused(self, converted: Any) -> None:
        with pytest.raises(UnavailableError, match="give one value two ranges"):
            quantized(converted, with_range(2, ConvolutionRange((8, 8, 1, 1, 1), 2.0)))


@needs_openvino
@pytest.mark.real
def test_a_table_is_made_of_what_nncf_finds(converted: Any, tmp_path: Path) -> None:
    shown = [torch.rand(EXAMPLE.shape, generator=torch.Generator().manual_seed(seed)).numpy() for seed in range(3)]
    found = ranges_of(quantize(converted, shown))
    assert [one.shape for one in found] == [one.shape for one in RANGES.convolutions]
    assert [one.signed for one in found] == [True, False, False, False, False]
    assert found[1].largest == found[2].largest, "both branches take the same values"
    assert found[-1].largest is None, "the scores stay in float"
    write(msgspec.structs.replace(RANGES, convolutions=found), tmp_path / f"{SHA256}.json")
    table = find_ranges("n", SHA256, tmp_path)
    assert table is not None
    exact = Compiled(converted, Way("openvino", "float32"))(EXAMPLE.numpy())
    close = Compiled(quantized(converted, table), INT8)(EXAMPLE.numpy())
    assert 0 < relative_difference(exact, close) < 0.1


def subject(
    rewrite: Callable[[Any], Rewritten], bound: float = CLASSIFIER_BOUND, least_length: int = 0
) -> TunableNetwork:
    special = {"int8": SpecialFormat(rewrite, "1", least_length)}
    module: Once[nn.Module] = Once(lambda: Branches().eval())
    return TunableNetwork("n", SHA256, module, EXAMPLE, relative_difference, bound, special)


class TestChoosing:
    def test_it_is_one_of_the_ways_unless_the_user_asks_for_float32_or_pytorch(self) -> None:
        assert ways(CPU, "auto", "auto", ["int8"])[-1] == INT8
        assert ways(CPU, "openvino", "auto", ["int8"])[-1] == INT8
        for backend, precision in (("pytorch", "auto"), ("auto", "float32"), ("openvino", "float32")):
            assert INT8 not in ways(CPU, backend, precision, ["int8"])
        assert INT8 not in ways(torch.device("cuda"), "auto", "auto", ["int8"])
        assert INT8 not in ways(CPU, "auto", "auto")

    @needs_openvino
    def test_it_is_chosen_only_within_the_bound(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("recognizer.networks.backends.autotune._RUNS", 1)

        def measured(network: TunableNetwork, folder: str) -> Measured:
            choice = Backends(tmp_path / folder, "openvino").tune(network, CPU).choice
            return next(one for one in choice.measured if one.way == INT8.name)

        fits = measured(subject(lambda model: rewritten(model, RANGES), bound=0.1), "fits")
        assert fits.problem is None
        assert fits.difference is not None
        assert 0 < fits.difference < 0.1
        bound = fits.difference / 2
        tight = measured(subject(lambda model: rewritten(model, RANGES), bound=bound), "tight")
        assert tight.problem == f"differs from pytorch-float32 by more than {bound:g}"

    @needs_openvino
    def test_a_table_of_another_network_leaves_the_other_ways(self, tmp_path: Path) -> None:
        other = msgspec.structs.replace(RANGES, convolutions=())
        choice = Backends(tmp_path).tune(subject(lambda model: rewritten(model, other)), CPU).choice
        assert choice.way != INT8
        (found,) = [one for one in choice.measured if one.way == INT8.name]
        assert found.problem == "the ranges for int8 are those of another network"

    @needs_openvino
    @pytest.mark.parametrize(
        ("measured", "short", "long"),
        [
            ([Measured(INT8.name, 1.0, 0.046), Measured("openvino-float32", 4.0, 0.0)], "openvino-float32", INT8.name),
            ([Measured(INT8.name, 1.0, 0.046), Measured(MIXED.name, 2.0, 0.02)], MIXED.name, INT8.name),
            ([Measured(INT8.name, 3.0, 0.046), Measured(MIXED.name, 2.0, 0.02)], MIXED.name, MIXED.name),
            ([Measured(INT8.name, 3.0, 0.046), Measured(MIXED.name, 2.0, 0.04)], "openvino-float32", MIXED.name),
        ],
    )
    def test_short_clips_run_in_the_fastest_other_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: list[Measured], short: str, long: str
    ) -> None:
        monkeypatch.setattr("recognizer.networks.backends.autotune.measure", lambda *_, **__: Choice.fastest(measured))
        network = subject(lambda model: rewritten(model, RANGES), least_length=8)
        mixed = SpecialFormat(lambda model: rewritten_where_heavy(model, RANGES), "1")
        network = replace(network, special={"mixed": mixed, **network.special})
        tuned = Backends(tmp_path).tune(network, CPU)
        assert [tuned.way_for(length).name for length in (7, 8, 38)] == [short, long, long]
        assert isinstance(tuned.runner, ByLength) is (short != long)
        assert tuned.exact is not None, "close calls are decided in float32"

    def test_a_clips_length_decides_which_of_two_runners_runs_it(self) -> None:
        class Named:
            def __init__(self, way: Way, batch_size: int) -> None:
                self.way, self._batch_size = way, batch_size

            def max_batch_size(self, _shape: Sequence[int], /) -> int:
                return self._batch_size

            def __call__(self, batch: torch.Tensor) -> torch.Tensor:
                return torch.full((len(batch), 1), float(self._batch_size))

        both = ByLength(Named(BFLOAT16, 1), Named(INT8, 2), least_length=8)
        assert both.way == INT8
        for length, expected in ((7, 1), (8, 2)):
            assert both.max_batch_size((length, 4, 4, 3)) == expected
            assert both(torch.zeros(3, length, 4, 4, 3)).flatten().tolist() == [expected] * 3

    def test_the_way_of_short_clips_is_of_the_same_library_and_within_half_of_the_bound(self) -> None:
        measured = [
            Measured(INT8.name, 1.0, 0.04),
            Measured(BFLOAT16.name, 2.0, 0.01, "differs"),
            Measured(REFERENCE.name, 3.0, 0.0),
            Measured("openvino-float32", 4.0, 0.0),
        ]
        assert Choice.fastest(measured).for_short(["int8"], 0.05) == Way("openvino", "float32")
        measured[1] = replace(measured[1], problem=None)
        assert Choice.fastest(measured).for_short(["int8"], 0.05) == BFLOAT16
        measured[1] = replace(measured[1], difference=0.026)
        assert Choice.fastest(measured).for_short(["int8"], 0.05) == Way("openvino", "float32")
        assert Choice.fastest(measured[:1]).for_short(["int8"], 0.05) == Way("openvino", "float32")

    def test_another_table_is_measured_again(self) -> None:
        possible = ways(CPU, "auto", "auto", ["int8"])
        keys = {choice_key("n", SHA256, possible, None, {"int8": version}) for version in ("1", "2")}
        assert len(keys) == 2
        first, second = RANGES, with_range(0, ConvolutionRange((8, 3, 3, 3, 3), 0.6, signed=True))
        assert msgspec.json.encode(first) != msgspec.json.encode(second)
