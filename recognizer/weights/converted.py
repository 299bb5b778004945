"""Store a converted copy of a file, so that it is converted only once, not at every start."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save

from recognizer.files import staged
from recognizer.weights.cache import locked, make_cache_dir, unwritable, verified_sha256

_log = logging.getLogger(__name__)


def convert_once(source_path: Path, convert: Callable[[Path], Mapping[str, Any]], name: str) -> Path:
    """Return the safetensors file that ``convert`` creates from ``source_path``; create it if it is missing.

    The copy is named after ``name`` and the hash of the source, so each source has its own. If the output of
    ``convert`` changes, pass another ``name``.

    Args:
        source_path: a verified file.
        convert: reads the file and returns arrays by name: NumPy arrays, or CPU tensors without gradients.
        name: start of the copy's file name.

    Raises:
        WeightsError: the cache cannot be written to, or ``convert`` raises it.
    """
    digest = verified_sha256(source_path)
    destination = make_cache_dir() / f"{name}-{digest[:16]}.safetensors"
    if _is_whole(destination):
        return destination
    with locked(destination):
        if not _is_whole(destination):
            # safetensors writes memory unchanged, so copy a transposed view into C order first
            arrays = {key: np.asarray(value, order="C") for key, value in convert(source_path).items()}
            try:
                with staged(destination) as part:
                    part.write_bytes(save(arrays, metadata={"source_sha256": digest}))
            except OSError as error:
                raise unwritable(error) from error
    return destination


def _is_whole(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        # opening compares the header with the length of the file
        with safetensors.safe_open(path, framework="numpy"):
            return True
    except (safetensors.SafetensorError, OSError) as error:
        _log.warning("%s is damaged (%s); converting again", path, error)
        return False
