"""Videos that are not in a local folder: whatever ``fsspec`` opens by its address (s3://, gs://, https://, …)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from recognizer.errors import VideoError, one_line

_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_BLOCK_BYTES: Final = 2**20
_VERSIONS: Final = ("ETag", "etag", "LastModified", "last_modified", "mtime", "updated", "Last-Modified")
"""What file systems call the version or the time of a file; the first that there is counts."""


def is_remote(place: str) -> bool:
    """Return whether a place is an address, and not a local path."""
    return _ADDRESS.match(place) is not None and not place.startswith("file://")


def shown_address(place: str) -> str:
    """Return an address for messages, without user, password and query."""
    scheme, _, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


class RemoteFile:
    """A file at an address, as its server describes it.

    Attributes:
        place: the address.
        size_bytes: None if the server does not say.
        changed: the server's version or time of the file; empty if it names none.
    """

    def __init__(self, place: str, facts: dict[str, Any]) -> None:
        self.place = place
        size = facts.get("size")
        self.size_bytes = size if isinstance(size, int) else None
        self.changed = next((str(facts[name]) for name in _VERSIONS if facts.get(name)), "")


def remote_files(place: str, wanted: re.Pattern[str]) -> Iterator[RemoteFile]:
    """Yield the file at an address, or the videos in a folder or of a pattern there, in the order of their names.

    Args:
        place: the address.
        wanted: which files of a folder are taken; the others of a pattern are too.

    Raises:
        VideoError: the address cannot be listed.
    """
    try:
        file_system, path = _file_system(place)
        if any(sign in path for sign in "*["):
            found = file_system.glob(path, detail=True)
        elif place.endswith("/") or (file_system.protocol not in _WITHOUT_FOLDERS and file_system.isdir(path)):
            found = file_system.find(path, detail=True)
            found = {name: facts for name, facts in found.items() if wanted.search(name)}
        else:
            yield RemoteFile(place, file_system.info(path))
            return
        files = [(name, facts) for name, facts in sorted(found.items()) if facts.get("type") != "directory"]
        if not files:
            raise FileNotFoundError("nothing there")
        yield from (RemoteFile(file_system.unstrip_protocol(name), facts) for name, facts in files)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise _unreachable(place, error) from error


_WITHOUT_FOLDERS: Final = (("http", "https"), "http", "https")


def fetched(place: str, target: Path, follow: Callable[[], None] = lambda: None) -> str:
    """Copy the file at an address to a local one, and return its SHA-256.

    Args:
        place: the address.
        target: the local file.
        follow: called after each block; it may raise.

    Raises:
        VideoError: it cannot be fetched.
    """
    digest = hashlib.sha256()
    try:
        file_system, path = _file_system(place)
        # read in order and once: nothing of it is cached
        opened = file_system.open(path, "rb", block_size=_BLOCK_BYTES, cache_type="readahead")
        with opened as source, target.open("wb") as copy:
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
                copy.write(block)
                follow()
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise _unreachable(place, error) from error
    return digest.hexdigest()


def _file_system(place: str) -> tuple[Any, str]:
    import fsspec.core

    file_system, path = fsspec.core.url_to_fs(place)
    return file_system, str(path)


def _unreachable(place: str, error: Exception) -> VideoError:
    shown = shown_address(place)
    if isinstance(error, ImportError):
        name = place.partition(":")[0]
        return VideoError(
            f"'{shown}' needs a package that is not installed ({one_line(str(error)).rstrip('.')}); "
            f"run pip install '.[remote]', or install the package of fsspec for {name}."
        )
    reason = one_line(str(error)).rstrip(".")[:200] or type(error).__name__
    return VideoError(f"'{shown}' cannot be fetched ({reason}); check the address, the network and your access.")
