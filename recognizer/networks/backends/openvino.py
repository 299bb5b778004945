"""OpenVINO: networks are converted from PyTorch, kept on disk, and compiled for this processor when they are loaded.

It is optional. Where it has no wheel, or does not load, PyTorch serves.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from recognizer.files import prune_lru, staged
from recognizer.networks.backends.ways import Way
from recognizer.weights.cache import file_sha256, locked

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES = 2 * 2**30
"""Converted networks beyond this go, the least recently used first."""

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


class UnavailableError(Exception):
    """OpenVINO cannot be used here, or not for this network; ``str(error)`` says why."""


@cache
def library() -> Any:
    """The module ``openvino``.

    Raises:
        UnavailableError: it is not installed or does not load.
    """
    # Its import sends statistics of use to the makers through this module, and keeps quiet where the module cannot be
    # had. Nothing leaves the machine (docs/decisions/010-backends.md).
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise UnavailableError(f"it does not load here: {error}") from error
    return openvino


@cache
def _core() -> Any:
    return library().Core()


def problem() -> str | None:
    """Why OpenVINO cannot be used on this machine; None where it can."""
    try:
        library()
    except UnavailableError as error:
        return str(error)
    return None


class ConvertedNetworks:
    """A size-limited folder of converted networks. Safe to share between processes."""

    def __init__(self, folder: Path, max_folder_bytes: int = MAX_FOLDER_BYTES) -> None:
        self._folder = folder
        self._max_folder_bytes = max_folder_bytes

    def network(self, key: str, build: Callable[[], tuple[nn.Module, torch.Tensor]]) -> Any:
        """The converted network of this key; converted where it is not kept, or what is kept is damaged.

        Args:
            key: names all that decides what comes out: weights, shape, versions. Fit for a file name.
            build: gives the module and an example of its input, whose shape it is converted for.

        Raises:
            UnavailableError: OpenVINO does not load, or cannot convert this network.
        """
        library()
        path = self._folder / f"{key}.xml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with locked(path):
                found = self._read(path)
                if found is None:
                    self._write(path, _converted(*build()))
                    self._prune(path)
                    found = self._read(path)
        except OSError as error:
            _log.warning("converted networks cannot be kept, so each start takes longer: %s", error)
            found = None
        return _converted(*build()) if found is None else found

    def _read(self, path: Path) -> Any:
        try:
            digests = json.loads(_note(path).read_text(encoding="utf-8"))
            for file in (path, _weights(path)):
                if file_sha256(file) != digests[file.suffix]:
                    raise ValueError(f"'{file.name}' is not what was written")
            model = _core().read_model(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            # a crash, a full disk: it can be made again
            _log.warning("the converted network %s is damaged (%s); it is made again", path.name, error)
            return None
        _note(path).touch()  # the most recently used is the last to go
        return model

    def _write(self, path: Path, model: Any) -> None:
        _note(path).unlink(missing_ok=True)  # it comes last: without it the rest does not count
        library().save_model(model, path, compress_to_fp16=False)
        digests = {file.suffix: file_sha256(file) for file in (path, _weights(path))}
        with staged(_note(path)) as part:
            part.write_text(json.dumps(digests), encoding="utf-8")

    def _prune(self, keep: Path) -> None:
        # the note goes first: without it the rest does not count
        networks = [(note, note.with_suffix(".xml"), _weights(note)) for note in self._folder.glob("*.json")]
        prune_lru(networks, self._max_folder_bytes, keep={_note(keep)})


def _weights(path: Path) -> Path:
    return path.with_suffix(".bin")


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _converted(module: nn.Module, example: torch.Tensor) -> Any:
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # sizes become constants, of which tracing warns: one shape is all that the result is for
            warnings.simplefilter("ignore")
            # traced here, because OpenVINO traces a second time to compare, which takes as long again
            traced = torch.jit.trace(module.eval(), example, check_trace=False)  # type: ignore[no-untyped-call]
            model = library().convert_model(traced, example_input=example)
            model.reshape(list(example.shape))
    except Exception as error:  # what tracing and converting raise is not documented; PyTorch serves then
        _log.info("OpenVINO cannot convert the network", exc_info=True)
        raise UnavailableError(f"the network cannot be converted: {str(error).splitlines()[0]}") from error
    return model


class Compiled:
    """A converted network, compiled for this processor. One caller at a time.

    Args:
        model: as ``ConvertedNetworks.network`` gives it.
        way: whose number format is computed in.

    Raises:
        UnavailableError: it cannot be compiled.
    """

    def __init__(self, model: Any, way: Way) -> None:
        # one clip, one picture at a time, on all cores; callers take turns
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[way.number_format],
            "NUM_STREAMS": 1,
        }
        try:
            self._request = _core().compile_model(model, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise UnavailableError(f"the network cannot be compiled: {str(error).splitlines()[0]}") from error

    def __call__(self, one: NDArray[Any]) -> NDArray[np.float32]:
        """The output for one input of the shape that the network was converted for, in memory of its own."""
        outputs = self._request.infer([one], share_inputs=True, share_outputs=True)
        return np.array(outputs[0], np.float32)
