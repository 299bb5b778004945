"""A user's checkpoint is read in another process, whose failure is one sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from recognizer import processes
from recognizer.classifier_specs import SPECS
from recognizer.errors import CheckpointError
from recognizer.limits import limits
from recognizer.networks.classifiers import checkpoint_process
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.checkpoint import fit, read_tensors
from recognizer.networks.classifiers.checkpoint_process import own_weights

SMALL = SPECS["mc3_18"]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(processes.WHERE_VARIABLE, "worker")


@pytest.mark.real
def test_weights_are_the_same_as_read_here(tmp_path: Path) -> None:
    path = tmp_path / "own.pth"
    torch.manual_seed(0)
    torch.save(build(SMALL, 3).half().state_dict(), path)
    there, here = own_weights(path, SMALL), fit(read_tensors(path), SMALL, path)
    assert there.num_classes == here.num_classes == 3
    assert there.state_dict.keys() == here.state_dict.keys()
    for name, tensor in here.state_dict.items():
        assert torch.equal(there.state_dict[name], tensor)
        assert there.state_dict[name].dtype == tensor.dtype


@pytest.mark.real
def test_refusal_is_the_same_as_here(tmp_path: Path) -> None:
    path = tmp_path / "own.pth"
    torch.save({"layer.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(CheckpointError) as there:
        own_weights(path, SMALL)
    with pytest.raises(CheckpointError) as here:
        fit(read_tensors(path), SMALL, path)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
        ("raise SystemExit(1)", "ended with code 1"),
        ("print('[1]'); raise SystemExit(3)", "said something wrong"),
        ('print(\'["SystemExit", "now"]\'); raise SystemExit(3)', "said something wrong"),
        ("import sys; open(sys.argv[3], 'w').write('no weights')", "wrote something else than weights"),
        ("pass", "wrote something else than weights"),
        ("import time; time.sleep(600)", "took longer than"),
    ],
)
def test_process_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, how: str
) -> None:
    path = tmp_path / "own.pth"
    path.write_bytes(b"anything")
    monkeypatch.setattr(processes, "command", lambda _module: [sys.executable, "-c", program])
    if "sleep" in program:
        monkeypatch.setattr(checkpoint_process, "_STARTS_WITHIN_S", 0.2 - limits().max_decoder_stall_s)
    with pytest.raises(CheckpointError) as caught:
        own_weights(path, SMALL)
    assert str(caught.value).startswith(f"the process that read checkpoint '{path}' {how}")
    assert str(caught.value).endswith(".")
