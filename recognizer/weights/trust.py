"""The SHA-256 that a file must have: the published one, the operator's, or the one that it had at its first use here.

Of nine of torchvision's files, only the first eight digits are published, in their names. The whole hash of such a
file is written down when it is first used, and every later file of that name must have it. A file that was wrong from
the start is not noticed; an operator who knows the hash from elsewhere lists it (``weights_sha256``).
"""

from __future__ import annotations

import logging
import re
from typing import Final, NamedTuple

from recognizer.errors import SettingsError
from recognizer.files import staged
from recognizer.limits import limits
from recognizer.weights.cache import cache_dir, locked, make_cache_dir
from recognizer.weights.published import PublishedFile

SEEN_NAME: Final = "first-seen.sha256"
"""File in the folder of downloaded files, as ``sha256sum`` writes and checks it."""

_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")
_PIN: Final = re.compile(r"([^=\s]+)\s*=\s*([0-9a-fA-F]{64})")
_log = logging.getLogger(__name__)


class KnownHash(NamedTuple):
    """A whole hash and where it is known from.

    Attributes:
        sha256: 64 lower-case hexadecimal digits.
        origin: ``published``, ``operator`` or ``first seen``.
    """

    sha256: str
    origin: str


_WORDS: Final = {
    "operator": "which the operator lists in weights_sha256",
    "first seen": f"which it had when it was first used here ({SEEN_NAME})",
}


def known_hash(item: PublishedFile) -> KnownHash | None:
    """Return the hash that a file must have; None if only its first digits are known and it was never used here.

    Raises:
        SettingsError: the operator's list is wrong.
    """
    pinned = _pinned().get(item.file_name)
    if pinned is not None:
        return KnownHash(pinned, "operator")
    if item.sha256 is not None:
        return KnownHash(item.sha256, "published")
    seen = _seen().get(item.file_name)
    return None if seen is None else KnownHash(seen, "first seen")


def refusal(item: PublishedFile, digest: str) -> str | None:
    """Return what the file should have instead of this SHA-256; None if it is the right one, which is remembered.

    Raises:
        SettingsError: the operator's list is wrong.
    """
    if not item.matches(digest):
        return item.hash_text
    known = known_hash(item)
    if known is None:
        _remember(item.file_name, digest)
        return None
    if known.sha256 != digest:
        return f"{known.sha256}, {_WORDS[known.origin]}"
    return None


def _pinned() -> dict[str, str]:
    found = {}
    for one in limits().weights_sha256:
        pin = _PIN.fullmatch(one.strip())
        if pin is None:
            raise SettingsError(f"weights_sha256 lists '{one}'; write a file's name, = and 64 hexadecimal digits.")
        found[pin[1]] = pin[2].lower()
    return found


def _seen() -> dict[str, str]:
    try:
        text = (cache_dir() / SEEN_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("the hashes seen first cannot be read: %s", error)
        return {}
    return {
        name: digest for digest, name in (line.groups() for line in map(_LINE.fullmatch, text.splitlines()) if line)
    }


def _remember(file_name: str, digest: str) -> None:
    try:
        path = make_cache_dir() / SEEN_NAME
        with locked(path):
            seen = {file_name: digest} | _seen()
            with staged(path) as part:
                part.write_text("".join(f"{one}  {name}\n" for name, one in sorted(seen.items())), encoding="utf-8")
    except OSError as error:
        # with a read-only cache, the first eight digits are all that is known
        _log.warning("cannot write down the hash of %s: %s", file_name, error)
    else:
        _log.info("%s is used for the first time; its SHA-256 from now on is %s", file_name, digest)
