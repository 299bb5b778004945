"""The folder of downloaded files: its location, the hashes of its files, and locks for writing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
from filelock import FileLock

from recognizer.errors import WeightsError
from recognizer.files import remove_leftovers, staged

CACHE_VARIABLE = "RECOGNIZER_CACHE"
"""Environment variable with a folder to use instead of the user's cache."""

_APPLICATION = "who-does-what-when"
_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Return the folder of downloaded files, which may not exist yet.

    It is ``weights`` in the user's cache, or in the folder that the environment variable RECOGNIZER_CACHE names.
    """
    named = os.environ.get(CACHE_VARIABLE)
    root = Path(named).expanduser().absolute() if named else Path(platformdirs.user_cache_dir(_APPLICATION))
    return root / "weights"


def make_cache_dir() -> Path:
    """Create ``cache_dir()`` if it is missing, and return it.

    Raises:
        WeightsError: it cannot be created.
    """
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    return folder


def unwritable(error: OSError) -> WeightsError:
    """Return the error for a cache that cannot be written to."""
    reason = error.strerror or type(error).__name__
    return WeightsError(
        f"Cannot write to the folder '{cache_dir()}' ({reason}); "
        f"free some space or set {CACHE_VARIABLE} to another folder."
    )


def file_sha256(path: str | Path) -> str:
    """Return a file's SHA-256 as 64 lower-case hexadecimal digits. Raises OSError if it cannot be read."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_sha256(path: Path) -> str:
    """Return ``file_sha256``, stored between runs until the file's size or modification time changes.

    Hashing a large file takes seconds, which would slow down every start of the app.
    """
    path = path.absolute()
    status = path.stat()
    note = _note_of(path)
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["size"] == status.st_size and known["mtime_ns"] == status.st_mtime_ns:
            return str(known["sha256"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.info("the stored hash %s cannot be read (%s); hashing %s again", note, error, path)
    digest = file_sha256(path)
    _remember(note, status, digest)
    return digest


def check_unchanged(path: Path, sha256: str) -> None:
    """Check a file that was verified earlier, before it is read.

    Raises:
        WeightsError: it is another file by now, or gone.
    """
    try:
        if verified_sha256(path) == sha256:
            return
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WeightsError(f"'{path}' cannot be read any more ({reason}); put it back or start again.") from error
    raise WeightsError(f"'{path}' has changed since it was loaded; put the old file back or start again.")


def remember_sha256(path: Path, digest: str) -> None:
    """Store the hash of a file, so that ``verified_sha256`` need not compute it again."""
    _remember(_note_of(path.absolute()), path.stat(), digest)


def _note_of(path: Path) -> Path:
    return cache_dir() / "verified" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json"


def _remember(note: Path, status: os.stat_result, digest: str) -> None:
    text = json.dumps({"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest})
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with staged(note) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        # with a read-only cache, each start hashes again
        _log.info("cannot store the hash %s: %s", note, error)


@contextlib.contextmanager
def locked(destination: Path) -> Iterator[None]:
    """Admit one thread of one process at a time per ``destination``."""
    lock = FileLock(destination.with_name(f".{destination.name}.lock"))
    with lock:
        # the holder of the lock is the only writer, so killed processes left these behind
        remove_leftovers(destination)
        yield
