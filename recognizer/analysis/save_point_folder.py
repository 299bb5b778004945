"""Save points in a folder of their own."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from recognizer.errors import StoreError
from recognizer.files import write_bytes

_log = logging.getLogger(__name__)


class FolderSavePoints:
    """The save points of one analysis.

    Args:
        folder: holds them; created with the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = len(self._files())

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.chunk"))

    def chunks(self) -> Sequence[bytes]:
        """Return everything saved so far, in order."""
        try:
            return [path.read_bytes() for path in self._files()]
        except OSError as error:
            _log.warning("the save points cannot be read, so the analysis begins at the start: %s", error)
            return ()

    def save(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            StoreError: it cannot be written.
        """
        self._count += 1
        self._write(f"{self._count:08}.chunk", chunk)

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self._folder / name, content)
        except OSError as error:
            raise StoreError(f"'{self._folder}' cannot be written to ({error}); make room on the disk.") from error

    def remove(self) -> None:
        """Remove them all: the results are written."""
        shutil.rmtree(self._folder, ignore_errors=True)
