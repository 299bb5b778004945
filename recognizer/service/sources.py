"""Videos that are more than one stored file: the parts of a recording, a file with the user's choices about it, or a
file of a batch, which stays where it is.

A small file of this program's own names the files and the choices. It has a name of its own among the stored videos, so
that everything that refers to a video by its path works with it. An upload never has its suffix.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recognizer.errors import StoreError
from recognizer.files import write_text
from recognizer.video.source import VideoSource

SOURCE_SUFFIX: Final = ".source"

STORED_NAME: Final = re.compile(r"[0-9a-f]{64}(\.[A-Za-z0-9]{1,7})?")
"""The name of a stored upload: its hash and its suffix. Besides those, only files of batches are read."""


@dataclass(frozen=True)
class StoredPart:
    """One file of a source.

    Attributes:
        path: its path: a stored file, or one that stays where it is.
        name: the user's name for it.
        sha256: hash of its bytes.
        state: size (bytes) and time of change (ns) with which a file that stays where it is has these bytes; None for
            those that it has now.
    """

    path: Path
    name: str
    sha256: str
    state: tuple[int, int] | None = None


def write_source(folder: Path, parts: Sequence[StoredPart], stream: int | None, frame_rate_hz: float | None) -> Path:
    """Write the file of a source and return its path; equal sources share one file.

    Raises:
        OSError: it cannot be written.
    """
    values = {
        "parts": [{**_where(part, folder), "name": part.name, "sha256": part.sha256} for part in parts],
        "stream": stream,
        "frame_rate_hz": frame_rate_hz,
    }
    text = json.dumps(values)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()}{SOURCE_SUFFIX}"
    write_text(path, text)
    return path


def _where(part: StoredPart, folder: Path) -> dict[str, Any]:
    if part.path.parent == folder:
        return {"file": part.path.name}
    size_bytes, changed_ns = part.state or _state_of(part.path)
    return {"place": str(part.path), "size_bytes": size_bytes, "changed_ns": changed_ns}


def _state_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def read_source(path: Path) -> VideoSource:
    """Return what to read for a stored path: the file itself, or the parts and choices that a source's file names.

    Raises:
        StoreError: a source's file is missing or damaged, or a file that stayed where it was is gone or has changed.
    """
    if path.suffix != SOURCE_SUFFIX:
        return VideoSource((path,))
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        parts = values["parts"]
        return VideoSource(
            paths=tuple(_path_of(part, path.parent) for part in parts),
            names=tuple(str(part["name"]) for part in parts),
            sha256s=tuple(str(part["sha256"]) for part in parts),
            stream=values["stream"],
            frame_rate_hz=values["frame_rate_hz"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError("the list of a recording's files cannot be read; drop the files in again.") from error


def _path_of(part: dict[str, Any], folder: Path) -> Path:
    if "place" not in part:
        if not STORED_NAME.fullmatch(part["file"]):
            raise ValueError("a part is not a stored file")
        return folder / str(part["file"])
    path = Path(part["place"])
    try:
        found = _state_of(path)
    except OSError:  # it is gone, or a network folder is away
        found = None
    if found != (part["size_bytes"], part["changed_ns"]):
        raise StoreError(
            f"the video '{part['name']}' is not where its batch found it, or has changed; put it back, or run the "
            "batch's command again."
        )
    return path


def stored_names(path: Path) -> set[str]:
    """Return the names of a video's own file and of its parts in the folder of videos; a damaged list has no parts."""
    names = {path.name}
    if path.suffix == SOURCE_SUFFIX:
        with suppress(StoreError):  # the parts of a file that stays elsewhere are not in the folder either
            names |= {part.name for part in read_source(path).paths if part.parent == path.parent}
    return names


def is_here(path: Path) -> bool:
    """Return whether a stored video, with all its files, is on the disk; a damaged list is as good as none."""
    try:
        return path.is_file() and all(one.is_file() for one in read_source(path).paths)
    except StoreError:
        return False
