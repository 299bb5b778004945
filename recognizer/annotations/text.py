"""Text, times and names as files of labels spell them."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

from recognizer.errors import TruthError

MAX_LABEL_BYTES: Final = 20_000_000
"""Larger than any file of labels, so that a video given by mistake is rejected early."""

_OPEN: Final = frozenset(("", "na", "n/a", "nan", "none", "null", "-", "–", "inf"))
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_CLOCK: Final = re.compile(r"([+-]?)(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:[.,]\d+)?)", re.ASCII)


def text_of(data: bytes, name: str) -> str:
    """Decode a file, UTF-8 or UTF-16.

    Raises:
        TruthError: it is neither, too large, or empty.
    """
    if len(data) > MAX_LABEL_BYTES:
        raise TruthError(f"'{name}' is {len(data):,} bytes long; give a file of labels, one for each stretch.")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"  # spreadsheets and Praat
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise TruthError(f"'{name}', row {row}: this is not UTF-8 text; save it as text in UTF-8.") from error
    if not text.strip():
        raise TruthError(f"'{name}' is empty; give a table with the columns action, start_s and end_s.")
    return text


def is_open(cell: str) -> bool:
    """Return whether a cell for a time says that there is none: empty, ``NA``, ``nan``."""
    return cell.casefold() in _OPEN


def time_in_s(cell: str) -> float | None:
    """Return seconds from ``12.5``, ``12,5``, ``1:02:03.5``, ``2:03`` or a date with a time; None if it is none.

    A date with a time becomes seconds since 1970; it is taken as UTC if it names no time zone.
    """
    cell = cell.strip()
    if _NUMBER.fullmatch(cell):
        value_s = float(cell.replace(",", "."))
        return value_s if math.isfinite(value_s) else None
    clock = _CLOCK.fullmatch(cell)
    if clock is not None:
        sign, hours, minutes, seconds = clock.groups()
        value_s = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
        return -value_s if sign == "-" else value_s
    if re.match(r"\d{4}-\d\d-\d\d[T ]", cell) is None:
        return None
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def label_text(cell: str) -> str:
    """Return a label, without the apostrophe that this program's tables put before formulas."""
    first = unicodedata.normalize("NFKC", cell[1:2]) if cell.startswith("'") else ""
    return " ".join((cell[1:] if first and first in "=+-@" else cell).split())


def subject_text(cell: str) -> str:
    """Return the name of a subject; empty for BORIS' words for nobody in particular."""
    name = label_text(cell)
    return "" if name.casefold() == "no focal subject" else name


def file_name(path: str) -> str:
    """Return the last part of a path or URL, with either kind of slash."""
    return re.split(r"[\\/]", path.strip())[-1]
