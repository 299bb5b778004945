"""Malicious pickles are refused, and copies are converted once."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from recognizer import weights
from recognizer.errors import WeightsError

pytestmark = pytest.mark.usefixtures("empty_cache")


class RunsACommand:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch '{self.mark}'",)


def write_pickle(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_in_plain_containers_are_read(tmp_path: Path, protocol: int) -> None:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    tree = {"params": {"kernel": kernel}, "steps": [np.int64(3), 2.5, "x", None]}
    read = weights.load_numpy_pickle(write_pickle(tmp_path / "a.ckpt", tree, protocol))
    assert np.array_equal(read["params"]["kernel"], kernel)
    assert read["steps"] == [3, 2.5, "x", None]


def test_an_ordered_dictionary_comes_as_a_plain_one(tmp_path: Path) -> None:
    read = weights.load_numpy_pickle(write_pickle(tmp_path / "a.ckpt", OrderedDict(a=1)))
    assert type(read) is dict
    assert read == {"a": 1}


def test_a_pickle_that_runs_a_command_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = write_pickle(tmp_path / "evil.ckpt", {"params": RunsACommand(mark)})
    with pytest.raises(WeightsError, match=r"evil\.ckpt' is refused because it names (posix|nt)\.system"):
        weights.load_numpy_pickle(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        b"\x80\x04\x8c\x16numpy._core.multiarray\x8c\x15_reconstruct.__self__\x93.",
        b"P1\n.",
    ],
)
def test_other_names_are_refused(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "evil.ckpt"
    path.write_bytes(program)
    with pytest.raises(WeightsError, match="is refused because"):
        weights.load_numpy_pickle(path)


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "a.ckpt", {"params": np.array([{}, []], dtype=object)})
    with pytest.raises(WeightsError, match="an array of Python objects"):
        weights.load_numpy_pickle(path)


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps(np.zeros(1000))[:500]])
def test_a_file_that_is_no_whole_pickle_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ckpt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is not a readable file of NumPy arrays"):
        weights.load_numpy_pickle(path)


def test_a_file_is_converted_once_and_again_only_when_it_changes(tmp_path: Path) -> None:
    calls: list[Path] = []
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1)

    def convert(path: Path) -> dict[str, Any]:
        calls.append(path)
        return {"kernel": kernel, "count": np.array(7, dtype=np.int64)}

    source = tmp_path / "a.ckpt"
    source.write_bytes(b"one")
    first = weights.convert_once(source, convert, "net")
    assert weights.convert_once(source, convert, "net") == first
    assert calls == [source]
    read = load_file(first)
    assert np.array_equal(read["kernel"], kernel)
    assert read["count"].shape == ()
    first.write_bytes(first.read_bytes()[:-10])
    assert weights.convert_once(source, convert, "net") == first
    assert np.array_equal(load_file(first)["kernel"], kernel)
    save_file({"kernel": kernel[:0]}, first)
    assert weights.convert_once(source, convert, "net") == first, "a whole file, but not as it was written"
    assert np.array_equal(load_file(first)["kernel"], kernel)
    source.write_bytes(b"another")
    assert weights.convert_once(source, convert, "net") != first
    assert len(calls) == 4


def test_tensors_are_converted_like_arrays(tmp_path: Path) -> None:
    import torch

    source = tmp_path / "a.ckpt"
    source.write_bytes(b"one")
    tensor = torch.arange(6, dtype=torch.float32).reshape(2, 3).T
    copy = weights.convert_once(source, lambda _: {"kernel": tensor}, "net")
    assert np.array_equal(load_file(copy)["kernel"], tensor.numpy())


def test_a_conversion_that_fails_leaves_no_file(tmp_path: Path) -> None:
    source = tmp_path / "a.ckpt"
    source.write_bytes(b"one")

    def fail(_: Path) -> dict[str, Any]:
        raise WeightsError("the file lacks an array.")

    with pytest.raises(WeightsError, match="lacks an array"):
        weights.convert_once(source, fail, "net")
    assert not list(weights.cache_dir().glob("*.safetensors"))
    assert not list(weights.cache_dir().glob(".*.part"))
