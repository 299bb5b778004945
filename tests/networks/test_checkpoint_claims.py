"""A file of weights that claims more than it holds gets its sentence before memory is asked for."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch

from recognizer.errors import CheckpointError, LimitError, RecognizerError
from recognizer.networks.classifiers.checkpoint import read_tensors

MOST_BYTES = 20_000_000
"""What a refusal may take: Python's own objects, and one small structure."""


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails if a tensor is made, or much memory is asked for, before the refusal."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a tensor was made")

    monkeypatch.setattr(torch, "load", never)
    monkeypatch.setattr(safetensors.torch, "load_file", never)
    tracemalloc.start()
    yield
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < MOST_BYTES


def refused(path: Path, kind: type[RecognizerError] = CheckpointError) -> str:
    with pytest.raises(kind) as caught:
        read_tensors(path)
    return str(caught.value)


def compressed(path: Path, content: bytes, values: bytes) -> None:
    """Write an archive as torch.save does, but compressed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("own/data.pkl", content)
        archive.writestr("own/data/0", values)
        archive.writestr("own/version", "3")


def test_small_file_that_unpacks_to_much_is_refused(tmp_path: Path, untouched: None) -> None:
    """Regression: a file of 306 kB took 0.8 GB before its sentence."""
    tracemalloc.stop()
    path = tmp_path / "own.pth"
    compressed(path, pickle.dumps({}), bytes(50_000_000))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    assert "unpacks to 50.0 MB, more than the file has; save the weights alone" in refused(path)


@pytest.mark.parametrize("new_format", [True, False])
def test_ten_to_the_eighth_classes_are_refused_by_their_shape(
    tmp_path: Path, new_format: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a last layer of 10**8 classes, all of them the same value, was read before it was refused."""
    claimed = torch.zeros(1, 1).expand(10**8, 512)
    path = tmp_path / "own.pth"
    torch.save({"fc.weight": claimed}, path, _use_new_zipfile_serialization=new_format)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(torch, "load", None)
    assert "claims a tensor of 100000000 x 512, 204.8 GB, but holds 4 bytes for it" in refused(path)


def test_expanded_tensor_inside_a_subclass_is_seen_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.nn.Parameter(torch.zeros(1).expand(10**9))
    path = tmp_path / "own.pth"
    torch.save({"state_dict": OrderedDict(weight=weight)}, path)
    monkeypatch.setattr(torch, "load", None)
    assert "claims a tensor of 1000000000, 4.0 GB, but holds 4 bytes" in refused(path)


class AsksForMemory:
    """Asks for a gigabyte when it is read."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return bytearray, (10**9,)


@pytest.mark.parametrize("new_format", [True, False])
def test_pickle_that_asks_for_memory_is_refused(tmp_path: Path, new_format: bool, untouched: None) -> None:
    path = tmp_path / "own.pth"
    torch.save({"extra": AsksForMemory()}, path, _use_new_zipfile_serialization=new_format)
    assert ".bytearray'), and reading that could run code" in refused(path)


def test_pickle_that_reserves_a_byte_array_is_refused(tmp_path: Path, untouched: None) -> None:
    path = tmp_path / "own.pth"
    path.write_bytes(b"\x80\x05" + pickle.BYTEARRAY8 + (10**9).to_bytes(8, "little") + b"short")
    assert "is not a PyTorch or safetensors checkpoint, or is damaged" in refused(path)


def test_old_format_that_claims_more_than_it_has_is_refused(tmp_path: Path, untouched: None) -> None:
    buffer = io.BytesIO()
    torch.save({"fc.weight": torch.zeros(1000)}, buffer, _use_new_zipfile_serialization=False)
    path = tmp_path / "own.pth"
    path.write_bytes(buffer.getvalue()[:-3000])
    assert "claims 4.0 kB of weights, more than the file has, or is damaged" in refused(path)


def test_long_header_is_refused(tmp_path: Path, untouched: None) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes((10**7).to_bytes(8, "little")[:7] + b"\0" + b"{" + b" " * 1000)
    assert "claims a header of 10.0 MB; copy or download it again" in refused(path)


def test_file_over_the_limit_is_refused(tmp_path: Path, set_limits: Callable[..., None], untouched: None) -> None:
    set_limits(max_checkpoint_bytes=1000)
    path = tmp_path / "own.pth"
    path.write_bytes(b"PK\x03\x04" + bytes(2000))
    said = refused(path, LimitError)
    assert "has 2.0 kB, the limit is 1.0 kB; save the weights alone" in said
    assert "max_checkpoint_bytes: whoever runs this server can raise it" in said


@pytest.mark.parametrize("new_format", [True, False])
def test_what_training_scripts_save_is_still_read(tmp_path: Path, new_format: bool) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(2, 4)).sum().backward()
    optimizer.step()
    content = {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "best": torch.nn.Parameter(torch.zeros(2)),
        "half": torch.zeros(3, dtype=torch.bfloat16),
        "view": torch.arange(12.0).reshape(3, 4).t()[1:],
        "kind": torch.float16,
        "shape": torch.Size((1, 2)),
        "device": torch.device("cpu"),
        "seen": {1, 2},
    }
    path = tmp_path / "own.pth"
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    tensors = read_tensors(path)
    assert tensors.keys() == model.state_dict().keys()
    assert all(torch.equal(tensors[key], value) for key, value in model.state_dict().items())


def test_safetensors_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    safetensors.torch.save_file({"fc.weight": torch.ones(2, 3)}, path, metadata={"made": json.dumps("by a test")})
    assert torch.equal(read_tensors(path)["fc.weight"], torch.ones(2, 3))
