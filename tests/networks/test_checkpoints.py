"""A user's own checkpoint and label file: which ones are accepted, and how wrong ones are reported."""

from __future__ import annotations

import argparse
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from recognizer.classifier_specs import SPECS
from recognizer.errors import CheckpointError
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.checkpoint import fit, load_into, read_tensors
from recognizer.networks.classifiers.labels import read_labels
from recognizer.networks.classifiers.network import load_classifier

pytestmark = pytest.mark.slow

State = dict[str, Tensor]
OUTPUTS = 3
SMALL = "mc3_18"


@pytest.fixture(scope="module")
def states() -> Callable[[str], State]:
    """Return the state dict of a network with random weights and three classes; each is made once."""
    made: dict[str, State] = {}

    def state(name: str) -> State:
        if name not in made:
            torch.manual_seed(0)
            made[name] = dict(build(SPECS[name], OUTPUTS).state_dict())
        return dict(made[name])

    return state


@pytest.fixture
def labels_file(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("fall\nsit\nstand\n", encoding="utf-8")
    return path


@pytest.fixture
def load(tmp_path: Path, labels_file: Path) -> Callable[..., State]:
    """Save ``content`` as a checkpoint, load it into ``name``, and return the loaded network's weights."""

    def save_and_load(content: Any, name: str = SMALL, **options: Any) -> State:
        path = tmp_path / "own.pth"
        torch.save(content, path, **options)
        fitted = fit(read_tensors(path), SPECS[name], path)
        module = build(SPECS[name], fitted.num_classes)
        load_into(module, fitted, name, path)
        return dict(module.state_dict())

    return save_and_load


def refused(call: Callable[[], object]) -> str:
    """Return the message of the CheckpointError, which must be one sentence on one line."""
    with pytest.raises(CheckpointError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message
    return message


def same(loaded: State, saved: State) -> bool:
    return loaded.keys() >= saved.keys() and all(
        torch.equal(loaded[key], value.to(loaded[key].dtype)) for key, value in saved.items()
    )


class TestAccepted:
    @pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state_dict", "model", "net"])
    def test_weights_are_found_in_the_usual_wrappers(
        self, states: Callable[[str], State], tmp_path: Path, wrapper: str | None
    ) -> None:
        state = states(SMALL)
        content = state if wrapper is None else {"epoch": 7, wrapper: state, "optimizer": {"lr": 0.1}}
        torch.save(content, tmp_path / "own.pth")
        assert same(read_tensors(tmp_path / "own.pth"), state)

    @pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "_orig_mod.module.", "backbone."])
    def test_prefixes_of_wrapped_networks_are_dropped(
        self, states: Callable[[str], State], tmp_path: Path, prefix: str
    ) -> None:
        state = states(SMALL)
        torch.save({prefix + key: value for key, value in state.items()}, tmp_path / "own.pth")
        assert same(read_tensors(tmp_path / "own.pth"), state)

    def test_the_old_file_format_and_half_precision_are_read(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = states(SMALL)
        halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
        loaded = load(halves, _use_new_zipfile_serialization=False)
        assert same(loaded, halves)
        assert loaded["fc.weight"].dtype == torch.float32

    def test_safetensors_are_read_whatever_the_file_is_called(
        self, states: Callable[[str], State], tmp_path: Path
    ) -> None:
        path = tmp_path / "own.bin"
        save_file(states(SMALL), path)
        assert same(read_tensors(path), states(SMALL))

    def test_batch_counters_may_be_missing(self, states: Callable[[str], State], load: Callable[..., State]) -> None:
        state = {key: value for key, value in states(SMALL).items() if not key.endswith("num_batches_tracked")}
        assert same(load(state), state)

    @pytest.mark.parametrize(
        ("name", "head"),
        [("mc3_18", "fc.1"), ("mc3_18", "fc.head.proj"), ("mvit_v2_s", "head"), ("swin3d_t", "head.0"), ("i3d", "fc")],
    )
    def test_a_replaced_last_layer_is_found_under_its_new_name(
        self, states: Callable[[str], State], load: Callable[..., State], name: str, head: str
    ) -> None:
        old = SPECS[name].head
        state = states(name)
        weight, bias = state.pop(f"{old}.weight"), state.pop(f"{old}.bias")
        loaded = load({**state, f"{head}.weight": weight, f"{head}.bias": bias}, name)
        assert torch.equal(loaded[f"{old}.weight"], weight)
        assert torch.equal(loaded[f"{old}.bias"], bias)

    def test_a_linear_layer_may_stand_for_a_1x1x1_convolution(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = states("s3d")
        weight = state.pop("classifier.1.weight")
        loaded = load({**state, "classifier.1.weight": weight.flatten(1)}, "s3d")
        assert torch.equal(loaded["classifier.1.weight"], weight)

    def test_a_last_layer_without_bias_has_a_bias_of_nought(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = states(SMALL)
        del state["fc.bias"]
        assert load(state)["fc.bias"].tolist() == [0.0] * OUTPUTS


class TestRefused:
    @pytest.mark.parametrize(
        ("chosen", "given"),
        [
            ("r3d_18", "mc3_18"),
            ("mc3_18", "r3d_18"),
            ("s3d", "i3d"),
            ("swin3d_t", "swin3d_s"),
            ("mvit_v1_b", "mvit_v2_s"),
        ],
    )
    def test_another_classifiers_checkpoint_is_named(
        self, states: Callable[[str], State], load: Callable[..., State], chosen: str, given: str
    ) -> None:
        message = refused(lambda: load(states(given), chosen))
        assert f"is for {given}, not for {chosen}; choose {given}" in message

    def test_an_unknown_network_is_reported_by_its_first_missing_weight(self, load: Callable[..., State]) -> None:
        message = refused(lambda: load(nn.Sequential(nn.Linear(4, 3)).state_dict()))
        assert "fits neither mc3_18 nor any other classifier" in message
        assert "'stem.0.weight' is missing and" in message

    def test_a_changed_layer_is_reported_with_both_shapes(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = states(SMALL)
        state["stem.0.weight"] = torch.zeros(64, 1, 3, 7, 7)
        assert "'stem.0.weight' is 64 x 1 x 3 x 7 x 7, not 64 x 3 x 3 x 7 x 7;" in refused(lambda: load(state))

    def test_a_last_part_of_two_layers_is_refused(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = {key: value for key, value in states(SMALL).items() if not key.startswith("fc.")}
        assert "expected one weight, found nothing" in refused(lambda: load(state))
        state |= {"fc.0.weight": torch.zeros(64, 512), "fc.2.weight": torch.zeros(OUTPUTS, 64)}
        assert "expected one weight, found 'fc.0.weight', 'fc.2.weight'; give one whose last layer" in refused(
            lambda: load(state)
        )

    @pytest.mark.parametrize(
        ("change", "odd"),
        [
            ({"fc.weight": torch.zeros(3, 99)}, "'fc.weight' is 3 x 99"),
            ({"fc.weight": torch.zeros(0, 512)}, "'fc.weight' is 0 x 512"),
            ({"fc.weight": torch.zeros(())}, "'fc.weight' is a single number"),
            ({"fc.bias": torch.zeros(4)}, "'fc.weight' is 3 x 512"),
            ({"temperature": torch.ones(1)}, "'temperature' is 1"),
        ],
    )
    def test_a_last_layer_that_does_not_fit_is_shown(
        self, states: Callable[[str], State], load: Callable[..., State], change: State, odd: str
    ) -> None:
        message = refused(lambda: load({**states(SMALL), **change}))
        assert (
            f"except for its last layer: {odd}; give one whose last layer is a single linear layer from 512 inputs."
            in message
        )

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_broken_numbers_are_refused(
        self, states: Callable[[str], State], load: Callable[..., State], value: float
    ) -> None:
        state = states(SMALL)
        state["layer2.0.conv1.0.weight"] = torch.full_like(state["layer2.0.conv1.0.weight"], value)
        assert "values in 'layer2.0.conv1.0.weight' that are not finite" in refused(lambda: load(state))

    def test_numbers_in_other_than_plain_form_are_refused(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = states(SMALL)
        state["fc.weight"] = state["fc.weight"].to_sparse()
        assert "holds 'fc.weight' in a special format" in refused(lambda: load(state))

    def test_a_table_of_indices_that_points_elsewhere_is_refused(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        state = states("swin3d_t")
        key = next(key for key in state if key.endswith("relative_position_index"))
        state[key] = state[key] + 10**6
        assert f"has another table '{key}' than swin3d_t" in refused(lambda: load(state, "swin3d_t"))

    @pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}, {"state_dict": {}}, torch.ones(3)])
    def test_a_file_without_weights_is_refused(self, load: Callable[..., State], content: object) -> None:
        assert "holds no weights; save the weights alone with" in refused(lambda: load(content))

    def test_a_wrapper_that_holds_itself_ends(self, load: Callable[..., State]) -> None:
        content: dict[str, Any] = {}
        content["state_dict"] = content
        assert "holds no weights" in refused(lambda: load(content))

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"fight\nnoFight\n",
            b"PK\x03\x04 and no archive",
            b"\x80\x02\xff\xff\xff",
            b"\x80",
            pickle.dumps({"a": 1}, protocol=4),
        ],
    )
    def test_files_that_are_no_checkpoint_are_refused(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "own.pth"
        path.write_bytes(data)
        assert f"'{path}' is not a PyTorch or safetensors checkpoint, or is damaged" in refused(
            lambda: read_tensors(path)
        )

    @pytest.mark.parametrize("new_format", [True, False])
    def test_a_file_cut_in_half_is_refused(
        self, states: Callable[[str], State], tmp_path: Path, new_format: bool
    ) -> None:
        path = tmp_path / "own.pth"
        torch.save(states(SMALL), path, _use_new_zipfile_serialization=new_format)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert "or is damaged; copy it again" in refused(lambda: read_tensors(path))

    def test_a_broken_safetensors_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "own.safetensors"
        path.write_bytes((10).to_bytes(8, "little") + b'{"a":xxxxx')
        assert "begins like a safetensors file but cannot be read" in refused(lambda: read_tensors(path))

    def test_a_path_to_nothing_or_to_a_folder_is_refused(self, tmp_path: Path) -> None:
        assert "cannot be read (No such file or directory)" in refused(lambda: read_tensors(tmp_path / "none.pth"))
        assert "cannot be read (Is a directory)" in refused(lambda: read_tensors(tmp_path))


class CreatesAFile:
    """Runs a command when it is unpickled, as a malicious pickle does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


class TestNothingIsExecuted:
    @pytest.mark.parametrize("new_format", [True, False])
    def test_a_malicious_checkpoint_is_refused_unread(self, tmp_path: Path, new_format: bool) -> None:
        path, trace = tmp_path / "evil.pth", tmp_path / "was_here"
        torch.save({"fc.weight": CreatesAFile(trace)}, path, _use_new_zipfile_serialization=new_format)
        message = refused(lambda: read_tensors(path))
        assert not trace.exists()
        assert f"it names '{os.system.__module__}.system'), and reading that could run code" in message

    def test_a_malicious_plain_pickle_is_refused_unread(self, tmp_path: Path) -> None:
        path, trace = tmp_path / "evil.pkl", tmp_path / "was_here"
        path.write_bytes(pickle.dumps(CreatesAFile(trace), protocol=2))
        refused(lambda: read_tensors(path))
        assert not trace.exists()
        pickle.loads(path.read_bytes())  # the trap is a real one
        assert trace.exists()

    @pytest.mark.parametrize("wrapped", [True, False])
    def test_a_whole_pickled_network_is_refused_with_the_remedy(
        self, load: Callable[..., State], wrapped: bool
    ) -> None:
        network = build(SPECS[SMALL], 2)
        message = refused(lambda: load({"model": network} if wrapped else network))
        assert "holds more than weights (it names 'torchvision.models.video.resnet.VideoResNet')" in message
        assert "save the weights alone with torch.save(model.state_dict(), FILE)" in message

    def test_a_training_scripts_own_objects_are_refused_by_name(
        self, states: Callable[[str], State], load: Callable[..., State]
    ) -> None:
        content = {"state_dict": states(SMALL), "hyper_parameters": argparse.Namespace(lr=0.1)}
        assert "(it names 'argparse.Namespace')" in refused(lambda: load(content))

    @pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
    def test_a_torchscript_program_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "program.pt"
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)
        assert "is a TorchScript program; save the weights alone" in refused(lambda: read_tensors(path))


class TestLabels:
    @pytest.mark.parametrize(
        "text",
        [
            "fight\nno fight\n",
            "\ufefffight\r\n\r\n  no fight  \r\n",
            '["fight", "no fight"]',
            '{"1": "no fight", "0": "fight"}',
            '{"no fight": 1, "fight": 0}',
        ],
    )
    def test_the_usual_forms_are_read(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "labels"
        path.write_text(text, encoding="utf-8", newline="")
        assert read_labels(path) == ("fight", "no fight")

    def test_a_label_may_begin_with_a_bracket(self, tmp_path: Path) -> None:
        path = tmp_path / "labels"
        path.write_text("[other]\nfight\n", encoding="utf-8")
        assert read_labels(path) == ("[other]", "fight")

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "holds no label; write one label a line"),
            (b"\n \n", "holds no label"),
            (b"[]", "holds no label"),
            (b"run\nwalk\nrun\n", "names 'run' twice"),
            (b'{"1": "a", "2": "b"}', "is JSON of another kind"),
            (b'["a", ""]', "is JSON of another kind"),
            (b'["a", {"b": 1}]', "is JSON of another kind"),
            (b'{"a": 0, "b": 0}', "is JSON of another kind"),
            (b"\xff\xfe\x00", "is not UTF-8 text"),
            (b"x" * 1_000_001, "is 1,000,001 bytes long"),
        ],
    )
    def test_other_files_are_answered_with_what_is_wrong(self, tmp_path: Path, data: bytes, words: str) -> None:
        path = tmp_path / "labels"
        path.write_bytes(data)
        assert words in refused(lambda: read_labels(path))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        assert "cannot be read (No such file or directory)" in refused(lambda: read_labels(tmp_path / "none"))

    def test_labels_must_be_as_many_as_classes(
        self, states: Callable[[str], State], tmp_path: Path, labels_file: Path
    ) -> None:
        path = tmp_path / "own.pth"
        torch.save(states(SMALL), path)
        labels_file.write_text("fall\nsit\n", encoding="utf-8")
        message = refused(lambda: load_classifier(SMALL, checkpoint_path=path, labels_path=labels_file))
        assert "has 3 classes but" in message
        assert "has 2 labels; give one label for each class" in message

    def test_an_upload_is_signed_with_the_first_digits_of_its_hash(
        self, states: Callable[[str], State], tmp_path: Path, labels_file: Path
    ) -> None:
        """Regression: 64 digits stood before every label and pushed it out of sight."""
        path = tmp_path / f"{'0123456789abcdef' * 4}.pth"
        torch.save(states(SMALL), path)
        classifier = load_classifier(SMALL, checkpoint_path=path, labels_path=labels_file)
        assert classifier.name == f"{SMALL}:01234567"

    def test_checkpoint_and_labels_go_together(self, tmp_path: Path, labels_file: Path) -> None:
        assert "has no label file" in refused(lambda: load_classifier(SMALL, checkpoint_path=tmp_path / "own.pth"))
        assert "has no checkpoint" in refused(lambda: load_classifier(SMALL, labels_path=labels_file))
