"""The faults of a database in words for users: the fact, the value, the remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from recognizer.service.engines import BUSY_TIMEOUT_S

_FULL: Final = "there is no room on the disk ({value}); make room and try again."
_BROKEN_DISK: Final = "the disk fails ({value}); make room, check the disk, and try again."
_READ_ONLY: Final = "the data folder cannot be written to ({value}); let this program write there and try again."
_BUSY: Final = f"another program keeps the database busy for over {BUSY_TIMEOUT_S:.0f} s ({{value}}); try again later."
_DAMAGED: Final = (
    "the database 'analyses.sqlite3' is damaged ({value}); put a copy in its place, or move it out of the data folder."
)

_NO_TABLE: Final = (
    "the database lacks a table that somebody removed ({value}); put a copy in its place, or move it away."
)

_SQLITE: Final = {
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR_SHMSIZE": _FULL,  # the index of the write-ahead log has no room
    "SQLITE_IOERR": _BROKEN_DISK,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_CANTOPEN": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_PROTOCOL": _BUSY,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_ERROR no such table": _NO_TABLE,
}
"""By the beginning of SQLite's name of the error, and its text."""

_UNREACHABLE: Final = "the database server cannot be reached ({value}); try again when its operator has started it."
_REFUSED: Final = "the database server refuses this program ({value}); correct RECOGNIZER_DATABASE or what it may do."
_POSTGRESQL: Final = {
    "08": _UNREACHABLE,
    "57P": _UNREACHABLE,
    "53100": "the database server has no room on its disk ({value}); make room there and try again.",
    "53": "the database server has no room for more work ({value}); try again later.",
    "28": _REFUSED,
    "3D": _REFUSED,
    "25006": "the database server lets this program only read ({value}); let it write and try again.",
    "42501": _REFUSED,
    "42P01": _NO_TABLE,
    "55P03": _BUSY,
    "40": _BUSY,
    "58": "the database server's disk does not work ({value}); repair it and try again.",
    "XX": "the database on the server is damaged ({value}); bring back a copy and try again.",
}
"""By the beginning of PostgreSQL's code of the error; the first that fits."""


def problem_of(error: Exception) -> str | None:
    """Return what is wrong with the database, as the rest of a sentence; None if this program is wrong.

    The value holds no path, no address and no password: SQLite reports none, and of PostgreSQL's errors only the code
    is given.
    """
    if isinstance(error, NoConnectionError):
        return _BUSY.format(value="no free connection")
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return _fitting(_SQLITE, f"{getattr(original, 'sqlite_errorname', '')} {original}", str(original))
    code = getattr(original, "sqlstate", None)
    if code is not None:
        return _fitting(_POSTGRESQL, code, f"code {code}")
    # without a code, there was no answer from the server
    return _UNREACHABLE.format(value="no answer") if isinstance(error, OperationalError) else None


def _fitting(texts: Mapping[str, str], name: str, value: str) -> str | None:
    return next((text.format(value=value) for start, text in texts.items() if name.startswith(start)), None)
