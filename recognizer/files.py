"""Where users' data is; write files completely or not at all; limit the size of folders.

Independent of the files' content.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from platformdirs import user_data_dir

DATA_VARIABLE = "RECOGNIZER_DATA"
"""Environment variable that names another folder for users' data."""

BYTES_PER_MB = 10**6
"""Megabytes in texts and tables are decimal, like those of downloads and disks."""

_SUFFIX = ".part"

ABANDONED_AFTER_S = 24 * 3600.0
"""No write takes longer: an unfinished file or folder this old was left behind by a crash."""

_LONGEST_PREFIX_BYTES = 160
"""Most file systems allow 255 bytes for a name; the random part and the suffix need 38."""


def data_dir() -> Path:
    """Return the folder of users' data: analyses and uploaded videos."""
    return Path(os.environ.get(DATA_VARIABLE) or user_data_dir("who-does-what-when", appauthor=False))


def size_text(size_bytes: int) -> str:
    """Return a number of bytes in readable form, such as ``3.3 MB`` (1 MB is 10**6 bytes)."""
    for unit, unit_bytes in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return f"{size_bytes} bytes"


class StagedFile:
    """A temporary file that takes its final name when it is complete.

    It is created in the folder of its final name, because a rename within a file system is atomic.

    Attributes:
        path: where to write; hidden, and does not exist yet. ``tempfile`` is unsuitable: other users cannot read its
            files, and caches may be shared.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        self.path = folder / f"{_prefix(name)}{uuid.uuid4().hex}{_SUFFIX}"

    def commit(self, destination: Path) -> None:
        """Sync the file to the disk and rename it to ``destination``, keeping the mode of a replaced file.

        Without the sync, a power cut could leave an empty file under the final name.

        Raises:
            OSError: the disk is full, or the destination is not writable; then call ``discard``.
        """
        with self.path.open("rb+") as file:  # Windows syncs only files that are open for writing
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            mode = stat.S_IMODE(destination.stat().st_mode)
            if mode != stat.S_IMODE(self.path.stat().st_mode):
                self.path.chmod(mode)
        self.path.replace(destination)

    def discard(self) -> None:
        """Remove the temporary file; does nothing after ``commit``."""
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def staged(destination: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; the file is renamed if the block succeeds, else removed."""
    file = StagedFile(destination.parent, destination.name)
    try:
        yield file.path
        file.commit(destination)
    finally:
        file.discard()


def remove_leftovers(destination: Path) -> None:
    """Remove the files of killed processes from ``staged(destination)``; only its one writer may call this."""
    prefix = _prefix(destination.name)
    for path in destination.parent.iterdir():
        if path.name.startswith(prefix) and path.name.endswith(_SUFFIX):
            random_part = path.name[len(prefix) : -len(_SUFFIX)]
            if "." not in random_part:  # otherwise it belongs to a file with a longer name
                path.unlink(missing_ok=True)


def is_staged(path: Path) -> bool:
    """Return whether the path is a temporary one of ``StagedFile``."""
    return path.name.startswith(".") and path.name.endswith(_SUFFIX)


def is_abandoned(path: Path, after_s: float = ABANDONED_AFTER_S) -> bool:
    """Return whether an unfinished file or folder has not changed for so long that its writer must have died."""
    try:
        return path.stat().st_mtime < time.time() - after_s
    except FileNotFoundError:
        return False


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text like ``write_bytes``; line ends in ``text`` are not changed."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that ``path`` always holds either the old or the new content, never a part.

    A link is followed. A pipe or a device is written to, not replaced.

    Raises:
        OSError: the folder is missing, full or not writable; nothing is left behind.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    with staged(target) as part:
        part.write_bytes(content)


def prune_lru(entries: Iterable[Sequence[Path]], limit_bytes: int, *, keep: Collection[Path]) -> None:
    """Remove the least recently used entries of a folder until the rest fits into ``limit_bytes``.

    Other processes may add and remove entries at the same time.

    Args:
        entries: the files and folders of each; they are removed together, in this order. The modification time of the
            first is the time of the last use.
        limit_bytes: for all entries, including those in ``keep``.
        keep: the first path of each entry that must stay.
    """
    measured = []
    for paths in entries:
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            measured.append((paths[0].stat().st_mtime, sum(map(_size_bytes, paths)), paths))
    total_bytes = sum(size_bytes for _, size_bytes, _ in measured)
    for _, size_bytes, paths in sorted(measured, key=lambda entry: entry[0]):
        if total_bytes <= limit_bytes:
            break
        if paths[0] not in keep and _removed(paths):
            total_bytes -= size_bytes


def _removed(paths: Iterable[Path]) -> bool:
    """Remove an entry; return False if the system refuses, as Windows does for an open file."""
    try:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except FileNotFoundError:  # another process is removing the same folder
        return True
    except OSError:
        return False
    return True


def _size_bytes(path: Path) -> int:
    """Return the size of a file, or of all files in a folder; 0 if it has just been removed."""
    try:
        return sum(map(_size_bytes, path.iterdir())) if path.is_dir() else path.stat().st_size
    except FileNotFoundError:
        return 0


def _prefix(name: str) -> str:
    if not name:
        return "."
    if len(os.fsencode(name)) > _LONGEST_PREFIX_BYTES:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return f".{name}."
