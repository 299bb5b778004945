"""Store a converted copy of a file, so that it is converted only once, not at every start."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from recognizer.files import staged, write_text
from recognizer.weights.cache import file_sha256, locked, make_cache_dir, unwritable, verified_sha256

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
    if _is_ours(destination):
        return destination
    with locked(destination):
        if not _is_ours(destination):
            # safetensors writes memory unchanged, so copy a transposed view into C order first
            arrays = {key: np.asarray(value, order="C") for key, value in convert(source_path).items()}
            try:
                with staged(destination) as part:
                    part.write_bytes(save(arrays, metadata={"source_sha256": digest}))
                write_text(_note_of(destination), file_sha256(destination))
            except OSError as error:
                raise unwritable(error) from error
    return destination


def _is_ours(path: Path) -> bool:
    """Return whether a copy is there and as it was written."""
    try:
        written = _note_of(path).read_text(encoding="ascii")
        if verified_sha256(path) == written:
            return True
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read (%s); converting again", path, error)
        return False
    _log.warning("%s is not as it was written; converting again", path)
    return False


def _note_of(path: Path) -> Path:
    """Return the file that holds the hash of a copy."""
    return path.with_suffix(".sha256")
