"""Save points of the command line: a folder in the cache for each video and each choice of settings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from filelock import FileLock, Timeout

from recognizer.errors import StoreError
from recognizer.files import prune_lru, write_bytes
from recognizer.settings import Settings
from recognizer.weights import cache_dir

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES: Final = 4 * 2**30
"""If the save points of all commands together exceed this, those of the least recently killed ones are removed."""

_ENTRIES: Final = "entries.bin"


class _Reports(Protocol):
    """What an analysis reports, as far as it matters here."""

    @property
    def resumed(self) -> bool: ...

    @property
    def analysed_s(self) -> float: ...


class FolderSavePoints:
    """The save points of one command.

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
            _log.warning("the save points cannot be read, so the command begins at the start: %s", error)
            return ()

    def save(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            StoreError: it cannot be written.
        """
        self._count += 1
        self._write(f"{self._count:08}.chunk", chunk)

    @property
    def crops(self) -> Path:
        """A folder for the crops of a comparison, so that people are found once however often it is killed."""
        crops = self._folder / "crops"
        for unfinished in crops.glob("writing-*"):  # nobody else writes here
            shutil.rmtree(unfinished, ignore_errors=True)
        return crops

    @property
    def entries(self) -> bytes | None:
        """The finished entries of a comparison; None if there are none."""
        try:
            return (self._folder / _ENTRIES).read_bytes()
        except OSError:
            return None

    def save_entries(self, entries: bytes) -> None:
        """Store the finished entries of a comparison, or go on without them."""
        with contextlib.suppress(StoreError):  # they run again, if it comes to that
            self._write(_ENTRIES, entries)

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self._folder / name, content)
        except OSError as error:
            raise StoreError(f"'{self._folder}' cannot be written to ({error}); make room on the disk.") from error

    def remove(self) -> None:
        """Remove them all: the results are written."""
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def save_points(
    video_sha256: str | None, settings: Sequence[Settings], *, fresh: bool
) -> Iterator[FolderSavePoints | None]:
    """Yield the save points of a command; None if the same command runs already in another process.

    Args:
        video_sha256: hash of the video.
        settings: those of the analysis, or of each entry of a comparison.
        fresh: whether to forget what an earlier run saved.
    """
    root = cache_dir().parent / "commands"
    what: list[Any] = [video_sha256, [one.as_dict() for one in settings]]
    folder = root / hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_suffix(".lock"))
        lock.acquire(blocking=False)
    except (OSError, Timeout) as error:
        _log.info("no save points: %s", error)
        yield None
        return
    try:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        others = [(path,) for path in root.iterdir() if path.is_dir()]
        prune_lru(others, MAX_FOLDER_BYTES, keep={folder})
        yield FolderSavePoints(folder)
    finally:
        lock.release()


class ResumeRemark:
    """Says once that a command goes on where an earlier one ended."""

    def __init__(self) -> None:
        self.text: str | None = None

    def look(self, progress: _Reports) -> str | None:
        """Return the sentence with the first report of an analysis that goes on; None otherwise."""
        if self.text is not None or not progress.resumed:
            return None
        self.text = "an earlier run of this command did not end; this one goes on where it was (--fresh begins anew)."
        return self.text
