"""Videos that are more than one stored file: the parts of a recording, or a file with the user's choices about it.

A small file of this program's own names the stored files and the choices. It has a name of its own among the stored
videos, so that everything that refers to a video by its path works with it. An upload never has its suffix.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recognizer.errors import StoreError
from recognizer.files import write_text
from recognizer.video.source import VideoSource

SOURCE_SUFFIX: Final = ".source"

STORED_NAME: Final = re.compile(r"[0-9a-f]{64}(\.[A-Za-z0-9]{1,7})?")
"""The name of a stored upload: its hash and its suffix. No other file is ever read."""


@dataclass(frozen=True)
class StoredPart:
    """One stored file of a source.

    Attributes:
        path: its path.
        name: the user's name for it.
        sha256: hash of its bytes.
    """

    path: Path
    name: str
    sha256: str


def write_source(folder: Path, parts: Sequence[StoredPart], stream: int | None, frame_rate_hz: float | None) -> Path:
    """Write the file of a source and return its path; equal sources share one file.

    Raises:
        OSError: it cannot be written.
    """
    values = {
        "parts": [{"file": part.path.name, "name": part.name, "sha256": part.sha256} for part in parts],
        "stream": stream,
        "frame_rate_hz": frame_rate_hz,
    }
    text = json.dumps(values)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()}{SOURCE_SUFFIX}"
    write_text(path, text)
    return path


def read_source(path: Path) -> VideoSource:
    """Return what to read for a stored path: the file itself, or the parts and choices that a source's file names.

    Raises:
        StoreError: a source's file is missing or damaged.
    """
    if path.suffix != SOURCE_SUFFIX:
        return VideoSource((path,))
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        parts = values["parts"]
        if not all(STORED_NAME.fullmatch(part["file"]) for part in parts):
            raise ValueError("a part is not a stored file")
        return VideoSource(
            paths=tuple(path.with_name(part["file"]) for part in parts),
            names=tuple(str(part["name"]) for part in parts),
            sha256s=tuple(str(part["sha256"]) for part in parts),
            stream=values["stream"],
            frame_rate_hz=values["frame_rate_hz"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError("the list of a recording's files cannot be read; drop the files in again.") from error
