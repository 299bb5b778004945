"""The engines of each kind of database: how they connect and begin transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from recognizer.errors import StoreError

BUSY_TIMEOUT_S: Final = 30.0
"""Longest wait of a transaction for another one."""

_AGAIN_AFTER_S: Final = 0.01
_CONNECT_TIMEOUT_S: Final = 10
_LOCK_SPACE: Final = 0x57_57_57
"""Keeps this program's locks in PostgreSQL apart from others'; any number would do."""

_WRITE: Final = "BEGIN IMMEDIATE"
"""Locks others out before the first read, so that what was read is still true when it is changed."""

_UNUSABLE_MAP: Final = ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_READONLY")
"""Without room or the right to write, SQLite cannot make the index of its write-ahead log, which readers use too."""


class Engines(NamedTuple):
    """The engines of one database: one that only reads, and one that also writes."""

    reader: Engine
    writer: Engine


def of_file(path: Path) -> Engines:
    """Return the engines of a file. A connection is made for each transaction: it sees a file that was put back."""
    return Engines(_sqlite_engine(partial(_readable, path), "BEGIN"), _sqlite_engine(partial(_opened, path), _WRITE))


def _sqlite_engine(connect: Callable[[], sqlite3.Connection], begin: str) -> Engine:
    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    # Python's own driver begins a transaction too late, after the first read
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def of_server(url: str) -> Engines:
    """Return the engines of a database on a server.

    Raises:
        StoreError: the URL is not one of PostgreSQL. The message does not hold it, because it may hold a password.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("postgresql", "postgres"):
            raise ValueError
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,  # a server that was restarted is reached again
            pool_timeout=BUSY_TIMEOUT_S,
            max_overflow=25,
            hide_parameters=True,
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "options": f"-c lock_timeout={1000 * BUSY_TIMEOUT_S:.0f}ms",
            },
        )
    except (SQLAlchemyError, ValueError, TypeError):
        raise StoreError(
            "RECOGNIZER_DATABASE is not the URL of a PostgreSQL database; write it like postgresql://user@host/name."
        ) from None

    # not postgresql_readonly: with SQLAlchemy 2.1.9 and psycopg 3.3.9, later transactions of the same connection then
    # write even where the server's default is to read only (findings/sqlalchemy-psycopg-read-only-stays.sh)
    return Engines(engine.execution_options(isolation_level="REPEATABLE READ"), engine)


@contextmanager
def reading(engines: Engines) -> Iterator[Connection]:
    """Yield a connection that sees all tables as they were at one time."""
    with engines.reader.begin() as connection:
        yield connection


@contextmanager
def writing(engines: Engines, what: str) -> Iterator[Connection]:
    """Yield a connection for a transaction that excludes others: in SQLite all, in PostgreSQL its namesakes."""
    with engines.writer.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK_SPACE, func.hashtext(what))))
        yield connection


def prepare_file(path: Path) -> None:
    """Create a file, unless it is there, and let people read it while others write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    until_s = monotonic() + BUSY_TIMEOUT_S
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")  # the setting persists in the file
                return
            except sqlite3.OperationalError as error:
                # two that switch at once would wait for each other: SQLite lets one fail without waiting (3.40.1: in 28
                # of 300 tries of eight threads)
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until_s:
                    raise
            sleep(_AGAIN_AFTER_S)


def _readable(path: Path) -> sqlite3.Connection:
    """Open a file to read it, also in a folder that is read-only, or on a disk that is full."""
    try:
        return _opened(path)
    except sqlite3.OperationalError as error:
        if not str(error.sqlite_errorname).startswith(_UNUSABLE_MAP) or not _is_settled(path):
            raise
        return _opened(path, "mode=ro&immutable=1")


def _opened(path: Path, mode: str = "mode=rw") -> sqlite3.Connection:
    """Open a file that is there; a new one would have no tables."""
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
