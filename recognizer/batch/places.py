"""The batches of a server: those in the data folder, and those in folders that the operator names."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recognizer.batch.remote import is_remote
from recognizer.batch.results import BatchFolder
from recognizer.files import data_dir

_NAME_CHARACTERS: Final = 40
_NOT_IN_A_NAME: Final = re.compile(r"[^\w.-]+")
_ID_CHARACTERS: Final = 16


@dataclass(frozen=True)
class Batch:
    """A batch that is there.

    Attributes:
        batch_id: stands for its folder in addresses, which show no path.
        root: its folder.
    """

    batch_id: str
    root: Path

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.root.name

    @property
    def folder(self) -> BatchFolder:
        """The places in its folder."""
        return BatchFolder(self.root)


def batches_dir() -> Path:
    """Return the folder of batches for which nobody named another one."""
    return data_dir() / "batches"


def folder_for(sources: Sequence[str]) -> Path:
    """Return the folder of a batch of these sources: the same command goes on in the same folder."""
    places = [source if is_remote(source) else os.path.abspath(source) for source in sources]  # noqa: PTH100 (patterns)
    first = places[0].rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    return batches_dir() / f"{file_name(first) or 'batch'}-{_digest(' '.join(places), 6)}"


def file_name(text: str) -> str:
    """Return the beginning of a text as a name that every file system takes; it may be empty, and that of others."""
    return _NOT_IN_A_NAME.sub("-", text).strip("-.")[:_NAME_CHARACTERS]


def batches_in(folders: Iterable[str | Path]) -> list[Batch]:
    """Return the batches in these folders, the one that changed last first.

    Args:
        folders: folders of batches, or of folders of batches; missing ones have none.
    """
    found = {batch.batch_id: (changed, batch) for folder in folders for changed, batch in _in(Path(folder))}
    return [batch for _, batch in sorted(found.values(), key=lambda one: (-one[0], one[1].name))]


def _in(folder: Path) -> Iterator[tuple[float, Batch]]:
    own = _batch(folder)
    if own is not None:
        yield own
        return
    try:
        inner = sorted(folder.iterdir())
    except OSError:  # it is missing, or a network folder is away
        return
    yield from (one for path in inner if (one := _batch(path)) is not None)


def _batch(path: Path) -> tuple[float, Batch] | None:
    batch = Batch(_digest(str(path.absolute()), _ID_CHARACTERS), path.absolute())
    try:
        return batch.folder.manifest.stat().st_mtime, batch
    except OSError:
        return None


def _digest(text: str, characters: int) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:characters]
