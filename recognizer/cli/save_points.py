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

from recognizer.analysis.save_point_folder import FolderSavePoints
from recognizer.errors import StoreError
from recognizer.files import prune_lru
from recognizer.settings import Settings
from recognizer.weights import cache_dir

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES: Final = 4 * 2**30
"""If the save points of all commands together exceed this, those of the least recently killed ones are removed."""

_LOCK_TIMEOUT_S: Final = 0.1

_ENTRIES: Final = "entries.bin"


class _Reports(Protocol):
    """The part of an analysis's progress that matters here."""

    @property
    def resumed(self) -> bool: ...

    @property
    def analysed_s(self) -> float: ...


class CommandSavePoints(FolderSavePoints):
    """The save points of one command, and what a comparison has finished."""

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


@contextlib.contextmanager
def save_points(
    video_sha256: str | None, settings: Sequence[Settings], *, fresh: bool
) -> Iterator[CommandSavePoints | None]:
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
        lock = FileLock(_lock_of(folder))
        # not at once: between our opening and locking the file, another command may remove it as left over
        lock.acquire(timeout=_LOCK_TIMEOUT_S, poll_interval=_LOCK_TIMEOUT_S / 2)
    except (OSError, Timeout) as error:
        _log.info("no save points: %s", error)
        yield None
        return
    try:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        _remove_left_locks(root, folder)
        others = [(path,) for path in root.iterdir() if path.is_dir()]
        prune_lru(others, MAX_FOLDER_BYTES, keep={folder})
        yield CommandSavePoints(folder)
    finally:
        _remove_held(lock)


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _remove_held(lock: FileLock) -> None:
    """Remove a lock's file and release the lock, in this order: whoever holds it next has another file.

    Who has opened the file and then locks it sees that it is gone, and makes another one: ``filelock`` looks. Windows
    refuses to remove an open file; there ``filelock`` itself removes it.
    """
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _remove_left_locks(root: Path, own: Path) -> None:
    """Remove the locks of commands that were killed, and whose save points are gone."""
    for path in root.glob("*.lock"):
        if path == _lock_of(own) or path.with_suffix("").exists():
            continue
        lock = FileLock(path)
        with contextlib.suppress(OSError, Timeout):  # one that is held is of a command that has saved nothing yet
            lock.acquire(blocking=False)
            _remove_held(lock)


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
