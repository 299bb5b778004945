"""Choosing how a network is run: measured once, within a bound, kept, and made again when it is damaged."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from recognizer.cli import doctor
from recognizer.errors import SettingsError
from recognizer.networks.backends import openvino, run_pytorch
from recognizer.networks.backends.autotune import Backends, Subject
from recognizer.networks.backends.choice import Choices, Measured, choice_key, measure, relative_difference
from recognizer.networks.backends.cuda import how_many_fit
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks, UnavailableError
from recognizer.networks.backends.run_pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE, Way, has_bfloat16, ways
from recognizer.networks.classifiers.network import BOUND, CLOSE_CALL, NetworkClassifier
from recognizer.networks.classifiers.specs import SPECS
from recognizer.networks.detector import BOUND_PX
from recognizer.settings import BACKEND_NAMES

CPU = torch.device("cpu")
OPENVINO = Way("openvino", "float32")

needs_openvino = pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 5)).eval()


def subject(module: nn.Module | None = None, *, weights_sha256: str = "a" * 64, bound: float = 0.05) -> Subject:
    example = torch.rand(1, 3, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    return Subject("small", weights_sha256, module or small_network(), example, relative_difference, bound)


class TestWays:
    def test_float32_is_pytorch_unless_openvino_is_asked_for(self) -> None:
        assert ways(CPU, "auto", "float32") == (REFERENCE,)
        assert ways(CPU, "openvino", "float32") == (OPENVINO,)

    def test_auto_tries_both_libraries_and_bfloat16_only_where_the_processor_has_it(self) -> None:
        possible = ways(CPU, "auto", "auto")
        assert {way.library for way in possible} == {"pytorch", "openvino"}
        assert ("bfloat16" in {way.number_format for way in possible}) == has_bfloat16()

    def test_a_gpu_is_pytorchs(self) -> None:
        assert ways(torch.device("cuda"), "auto", "auto") == (REFERENCE, Way("pytorch", "float16"))
        assert ways(torch.device("cuda"), "pytorch", "float32") == (REFERENCE,)
        with pytest.raises(SettingsError, match=r"does not run on cuda; choose device cpu\.$"):
            ways(torch.device("cuda"), "openvino", "auto")

    def test_every_name_of_the_settings_is_known_and_others_are_refused(self) -> None:
        for backend in BACKEND_NAMES:
            assert ways(CPU, backend, "auto")
        with pytest.raises(SettingsError, match="backend is 'tensorrt'; choose one of auto, openvino, pytorch"):
            ways(CPU, "tensorrt", "auto")

    def test_a_way_goes_through_its_name(self) -> None:
        assert Way.named(OPENVINO.name) == OPENVINO


class TestMeasuring:
    REFERENCE_OUTPUT = np.array([[0.0, 1.0, 2.0, 5.0]], np.float32)

    def prepare(self, outputs: dict[Way, np.ndarray | Exception], took_s: dict[Way, float]):
        def prepared(way: Way):
            output = outputs[way]
            if isinstance(output, Exception):
                raise output

            def run() -> np.ndarray:
                time.sleep(took_s.get(way, 0.0))
                return output

            return run

        return prepared

    def test_the_quickest_within_the_bound_is_taken(self) -> None:
        bfloat16 = Way("openvino", "bfloat16")
        outputs: dict[Way, np.ndarray | Exception] = {
            REFERENCE: self.REFERENCE_OUTPUT,
            OPENVINO: self.REFERENCE_OUTPUT + np.float32([[0.01, -0.01, 0.01, -0.01]]),
            bfloat16: self.REFERENCE_OUTPUT + np.float32([[0.5, -0.5, 0.5, -0.5]]),
        }
        choice = measure(
            (REFERENCE, OPENVINO, bfloat16),
            self.prepare(outputs, {REFERENCE: 0.02, OPENVINO: 0.005}),
            relative_difference,
            0.05,
        )
        assert choice.way == OPENVINO
        by_way = {one.way: one for one in choice.measured}
        assert by_way[REFERENCE.name].difference == 0
        assert by_way[bfloat16.name].problem == "differs from pytorch-float32 by more than 0.05"
        assert choice.taken == by_way[OPENVINO.name]

    def test_what_does_not_run_is_passed_over_and_its_reason_kept(self) -> None:
        outputs: dict[Way, np.ndarray | Exception] = {
            REFERENCE: self.REFERENCE_OUTPUT,
            OPENVINO: UnavailableError("it does not load here"),
        }
        choice = measure((REFERENCE, OPENVINO), self.prepare(outputs, {}), relative_difference, 0.05)
        assert choice.way == REFERENCE
        assert choice.measured[1] == Measured(OPENVINO.name, None, None, "it does not load here")

    def test_an_output_that_is_no_number_is_not_chosen(self) -> None:
        outputs: dict[Way, np.ndarray | Exception] = {
            REFERENCE: self.REFERENCE_OUTPUT,
            OPENVINO: self.REFERENCE_OUTPUT * np.float32("nan"),
        }
        choice = measure((REFERENCE, OPENVINO), self.prepare(outputs, {REFERENCE: 0.01}), relative_difference, 0.05)
        assert choice.way == REFERENCE

    def test_the_bounds_that_doctor_tells_are_those_that_are_kept(self) -> None:
        assert float(doctor._BOUNDS["classifier_bound"]) == BOUND
        assert float(doctor._BOUNDS["detector_bound"]) == BOUND_PX


class TestChoices:
    def test_a_network_is_measured_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        backends = Backends(tmp_path)
        assert not backends.is_measured("small", "a" * 64, CPU)
        first = backends.quickest(subject(), CPU).choice
        assert backends.is_measured("small", "a" * 64, CPU)
        monkeypatch.setattr("recognizer.networks.backends.autotune.measure", None)
        assert backends.quickest(subject(), CPU).choice == first

    def test_other_weights_libraries_or_machines_are_measured_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        possible = ways(CPU, "auto", "auto")
        key = choice_key("small", "a" * 64, possible)
        assert key == choice_key("small", "a" * 64, possible)
        assert key != choice_key("small", "b" * 64, possible)
        assert key != choice_key("small", "a" * 64, possible[:1])
        assert key != choice_key("small", "a" * 64, possible, "a GPU")
        monkeypatch.setattr("recognizer.networks.backends.choice.library_versions", lambda: {"torch": "3"})
        assert key != choice_key("small", "a" * 64, possible)

    def test_a_damaged_choice_is_made_again(self, tmp_path: Path) -> None:
        choices = Choices(tmp_path)
        (tmp_path / "k.json").write_text('{"way": "openvino-float32"', encoding="utf-8")
        assert choices.find("k") is None
        assert choices.find("never made") is None

    def test_a_backend_that_cannot_run_is_said_with_the_remedy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> None:
            raise UnavailableError("it does not load here: no wheel")

        monkeypatch.setattr(openvino, "library", fail)
        with pytest.raises(
            SettingsError, match=r"'openvino', which cannot run small .*no wheel.*choose auto or pytorch"
        ):
            Backends(tmp_path, "openvino").quickest(subject(), CPU)
        assert Backends(tmp_path, "auto").quickest(subject(), CPU).choice.way.library == "pytorch"


@needs_openvino
class TestOpenVino:
    def test_it_computes_what_pytorch_computes(self, tmp_path: Path) -> None:
        one = subject()
        quickest = Backends(tmp_path, "openvino", "float32").quickest(one, CPU)
        batch = torch.rand(3, 3, 4, 16, 16)
        with torch.inference_mode():
            expected = one.module(batch)
        torch.testing.assert_close(quickest.runner(batch), expected, atol=1e-5, rtol=1e-5)
        longer = torch.rand(1, 3, 6, 16, 16)  # another shape is converted when it comes
        with torch.inference_mode():
            torch.testing.assert_close(quickest.runner(longer), one.module(longer), atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("suffix", [".xml", ".bin", ".json"])
    def test_a_damaged_network_is_converted_again(self, tmp_path: Path, suffix: str) -> None:
        module, example = small_network(), torch.rand(1, 3, 4, 16, 16)
        built: list[int] = []

        def build() -> tuple[nn.Module, torch.Tensor]:
            built.append(1)
            return module, example

        kept = ConvertedNetworks(tmp_path)
        kept.network("k", build)
        kept.network("k", build)
        assert len(built) == 1
        file = (tmp_path / "k").with_suffix(suffix)
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
        again = Compiled(kept.network("k", build), OPENVINO)(example.numpy())
        assert len(built) == 2
        with torch.inference_mode():
            np.testing.assert_allclose(again, module(example).numpy(), atol=1e-5)

    def test_the_least_recently_used_networks_go_first(self, tmp_path: Path) -> None:
        module = small_network()
        kept = ConvertedNetworks(tmp_path, max_folder_bytes=1)
        for key in ("a", "b"):
            kept.network(key, lambda: (module, torch.rand(1, 3, 4, 16, 16)))
        assert {path.stem for path in tmp_path.glob("*.xml")} == {"b"}
        assert json.loads((tmp_path / "b.json").read_text(encoding="utf-8")).keys() == {".xml", ".bin"}

    def test_a_folder_that_cannot_be_written_to_only_costs_time(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder", encoding="utf-8")
        network = ConvertedNetworks(tmp_path / "file").network(
            "k", lambda: (small_network(), torch.rand(1, 3, 4, 16, 16))
        )
        assert Compiled(network, OPENVINO)(np.zeros((1, 3, 4, 16, 16), np.float32)).shape == (1, 5)

    def test_what_cannot_be_converted_is_left_to_pytorch(self, tmp_path: Path) -> None:
        class Untraceable(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if torch.jit.is_tracing():
                    raise RuntimeError("no graph of this")
                return x.mean(dim=(2, 3, 4))

        choice = Backends(tmp_path).quickest(subject(Untraceable()), CPU).choice
        assert choice.way.library == "pytorch"
        assert any("no graph of this" in (one.problem or "") for one in choice.measured)

    def test_a_later_shape_that_cannot_be_converted_is_left_to_pytorch(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = subject()
        runner = Backends(tmp_path, "openvino", "float32").quickest(one, CPU).runner

        def fail(*_: object) -> None:
            raise UnavailableError("no memory")

        monkeypatch.setattr(openvino, "_converted", fail)
        longer = torch.rand(2, 3, 7, 16, 16)
        with torch.inference_mode():
            torch.testing.assert_close(runner(longer), one.module(longer))

    def test_its_statistics_of_use_are_never_loaded(self) -> None:
        """Regression: importing OpenVINO sends events to its makers, unless this module cannot be had."""
        code = (
            "import sys; from recognizer.networks.backends import openvino; openvino.library();"
            "print([name for name, module in sys.modules.items() if 'openvino_telemetry' in name and module])"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "[]"


class Tight(nn.Module):
    """Means of clips; has memory for so many at once."""

    def __init__(self, room_for: int) -> None:
        super().__init__()
        self.room_for = room_for
        self.asked: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(x))
        if len(x) > self.room_for:
            raise torch.OutOfMemoryError("out of memory")
        return x.mean(dim=(2, 3, 4))


class TestPyTorchRunner:
    @pytest.fixture(autouse=True)
    def eight_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As many as a GPU would take, on this processor."""
        monkeypatch.setitem(run_pytorch._MOST_AT_ONCE, "cpu", 8)

    def test_where_memory_runs_out_it_goes_on_in_smaller_batches(self) -> None:
        tight = Tight(room_for=2)
        runner = PyTorchRunner(tight, 5, CPU, REFERENCE)
        batch = torch.rand(7, 3, 2, 4, 4)
        torch.testing.assert_close(runner(batch), batch.mean(dim=(2, 3, 4)))
        assert tight.asked == [7, 4, 2, 2, 2, 1]
        tight.asked.clear()
        runner(batch)
        assert tight.asked == [2, 2, 2, 1], "what does not fit is not tried a second time"
        tight.asked.clear()
        runner(torch.rand(3, 3, 1, 4, 4))
        assert tight.asked[0] == 3, "other shapes need other memory"

    def test_where_not_even_one_fits_it_is_said(self) -> None:
        with pytest.raises(torch.OutOfMemoryError):
            PyTorchRunner(Tight(room_for=0), 5, CPU, REFERENCE)(torch.rand(3, 3, 2, 4, 4))

    def test_a_batch_is_bounded_in_number_and_in_memory(self) -> None:
        runner = PyTorchRunner(Tight(room_for=8), 5, CPU, REFERENCE)
        assert [runner.most_at_once((frames, 224, 224, 3)) for frames in (8, 16, 17, 64, 200)] == [8, 8, 7, 2, 1]
        assert runner.most_at_once((384, 640, 3)) == 8

    @pytest.mark.parametrize(
        ("free_mb", "one_mb", "fit"), [(1000, 100, 5), (1000, 0, 64), (100_000, 100, 64), (100, 60, 1), (0, 100, 1)]
    )
    def test_a_pass_takes_half_of_a_gpus_free_memory_and_at_least_one(
        self, free_mb: int, one_mb: int, fit: int
    ) -> None:
        assert how_many_fit(free_mb * 10**6, one_mb * 10**6, most=64) == fit


class TestCloseCalls:
    def test_two_labels_that_are_close_are_told_apart_in_float32(self) -> None:
        """Rounding may swap two labels that are nearly as probable; then float32 decides, and only then."""
        rounded = torch.tensor([[2.0, 2.03, -1.0], [5.0, 1.0, 0.0]])
        exact = torch.tensor([[2.02, 2.0, -1.0]])

        class Says:
            way = Way("openvino", "bfloat16")

            def __init__(self, scores: torch.Tensor) -> None:
                self.scores, self.asked = scores, 0

            def most_at_once(self, _shape: Sequence[int], /) -> int:
                return 8

            def __call__(self, batch: torch.Tensor) -> torch.Tensor:
                self.asked += len(batch)
                return self.scores.clone()

        from recognizer.networks.backends.autotune import Quickest
        from recognizer.networks.backends.choice import Choice

        quick, careful = Says(rounded), Says(exact)
        spec = SPECS["i3d"]
        classifier = NetworkClassifier(
            spec, nn.Identity(), ("a", "b", "c"), quickest=Quickest(quick, careful, Choice(quick.way))
        )
        scores = classifier.logits(torch.zeros(2, 3, 16, 4, 4))
        assert scores.argmax(dim=1).tolist() == [0, 0]
        assert careful.asked == 1
        assert 0 < CLOSE_CALL < 1
        classifier.warm_up(8)
        assert careful.asked == 2, "what only close labels need is set up too, not in the middle of a stream"
