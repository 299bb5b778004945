"""How transactions begin and connections are made, for each kind of database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from recognizer.errors import StoreError

BUSY_TIMEOUT_S: Final = 30.0
"""A transaction waits so long for another one."""

_CONNECT_TIMEOUT_S: Final = 10
_LOCK_SPACE: Final = 0x57_57_57
"""Keeps this program's locks in PostgreSQL apart from others'; any number would do."""

_UNUSABLE_MAP: Final = ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_READONLY")
"""Without room or the right to write, SQLite cannot make the index of its write-ahead log, which readers use too."""


def sqlite_engine(path: Path) -> Engine:
    """Return an engine for a file. A connection is made for each transaction: it sees a file that was put back."""
    engine = create_engine(
        "sqlite+pysqlite://", creator=partial(_connect, path), poolclass=NullPool, hide_parameters=True
    )
    event.listen(engine, "begin", _begin)
    return engine


def postgresql_engine(url: str) -> Engine:
    """Return an engine for a database server.

    Raises:
        StoreError: the URL is not one of PostgreSQL. The message does not hold it, because it may hold a password.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("postgresql", "postgres"):
            raise ValueError
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # a server that was restarted is reached again
            pool_timeout=BUSY_TIMEOUT_S,
            max_overflow=25,
            hide_parameters=True,
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "options": f"-c lock_timeout={BUSY_TIMEOUT_S:.0f}s",
            },
        )
    except (SQLAlchemyError, ValueError):
        raise StoreError(
            "RECOGNIZER_DATABASE is not the URL of a PostgreSQL database; write it like postgresql://user@host/name."
        ) from None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees all tables as they were at one time."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if _has_server(engine) else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, what: str) -> Iterator[Connection]:
    """Yield a connection for a transaction that excludes others: in SQLite all, in PostgreSQL its namesakes."""
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        if _has_server(engine):
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK_SPACE, func.hashtext(what))))
        yield connection


def prepare_file(path: Path) -> None:
    """Create a file, unless it is there, and let people read it while others write."""
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # the setting persists in the file


def _has_server(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def _begin(connection: Connection) -> None:
    """Begin a transaction: Python's own driver begins one too late, after the first read."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _connect(path: Path) -> sqlite3.Connection:
    """Open an existing file; where nothing can be written, also one in a folder that is read-only."""
    try:
        return _opened(path, "mode=rw" if os.access(path.parent, os.W_OK) else "mode=ro")
    except sqlite3.OperationalError as error:
        if not str(error.sqlite_errorname).startswith(_UNUSABLE_MAP) or not _is_settled(path):
            raise
        return _opened(path, "mode=ro&immutable=1")


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
    )
    try:
        connection.execute("PRAGMA schema_version").fetchone()  # opens everything that reading needs
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _is_settled(path: Path) -> bool:
    """Return whether everything is in the file itself, none of it in its write-ahead log."""
    log = path.with_name(f"{path.name}-wal")
    return not log.exists() or log.stat().st_size == 0
