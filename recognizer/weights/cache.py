"""The folder of fetched files: where it is, what is verified in it, and who may write to it."""

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
"""Environment variable that names another folder in place of the person's cache."""

_APPLICATION = "who-does-what-when"
_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """The folder that fetched files are kept in; it may not exist yet.

    ``weights`` in the person's cache, or in the folder that the environment variable RECOGNIZER_CACHE names.
    """
    named = os.environ.get(CACHE_VARIABLE)
    root = Path(named).expanduser().absolute() if named else Path(platformdirs.user_cache_dir(_APPLICATION))
    return root / "weights"


def make_cache_dir() -> Path:
    """``cache_dir()``, made if it is not there.

    Raises:
        WeightsError: it cannot be made.
    """
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error) from error
    return folder


def unwritable(error: OSError) -> WeightsError:
    """The sentence for a cache that cannot be written to."""
    reason = error.strerror or type(error).__name__
    return WeightsError(
        f"Cannot write to the folder '{cache_dir()}' ({reason}); make room or name another folder in {CACHE_VARIABLE}."
    )


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 lower-case hexadecimal digits. Raises OSError where it cannot be read."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verified_sha256(path: Path) -> str:
    """``file_sha256``, remembered between runs until the file's size or time of modification changes.

    A big file takes seconds to hash; a start of the app should not.
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
        _log.info("the note %s cannot be read (%s); hashing %s again", note, error, path)
    digest = file_sha256(path)
    _remember(note, status, digest)
    return digest


def remember_sha256(path: Path, digest: str) -> None:
    """Spare ``verified_sha256`` the hashing of a file that has just been hashed."""
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
        # a cache that is read-only costs time at each start, nothing else
        _log.info("cannot write the note %s: %s", note, error)


@contextlib.contextmanager
def locked(destination: Path) -> Iterator[None]:
    """Only one thread of one process at a time is inside, for each ``destination``."""
    lock = FileLock(destination.with_name(f".{destination.name}.lock"))
    with lock:
        # whoever holds the lock is the only writer: what lies about was left by a process that was killed
        remove_leftovers(destination)
        yield
