"""The database of runs, results, corrections, colors and sets of own actions: a file of SQLite, or PostgreSQL by URL.

Everything that touches a table goes through ``Database.reading`` or ``Database.transaction``. Each is one transaction
that belongs to its caller, so any thread may use the database.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from recognizer.errors import StoreError
from recognizer.service import engines, schema
from recognizer.service.storage_faults import problem_of

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

DATABASE_VARIABLE: Final = "RECOGNIZER_DATABASE"
"""Environment variable with the URL of a PostgreSQL database, which replaces the file in the data folder."""

_MOST_VALUES: Final = 1000
"""A statement takes 32,766 values in SQLite, 65,535 in PostgreSQL."""

_log = logging.getLogger(__name__)


class Database:
    """A database whose tables have the current version.

    Attributes:
        path: the file of SQLite; None for PostgreSQL.
    """

    def __init__(self, place: Path | str) -> None:
        """Open the database, create its tables if there are none, and migrate them if they are older.

        Args:
            place: path of a SQLite file, or URL of a PostgreSQL database.

        Raises:
            StoreError: the database cannot be used, or a later version of this program wrote it.
        """
        self.path: Final = place if isinstance(place, Path) else None
        self._engines: Final = engines.of_file(place) if isinstance(place, Path) else engines.of_server(place)
        self._faults: Final = _Faults()
        self._prepare()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees all tables as they were at one time, and writes nothing.

        Raises:
            StoreError: the database cannot be read.
        """
        if self.path is not None and _is_gone(self.path):
            self._begin_empty(self.path)
            raise StoreError(
                f"the database '{self.path.name}' was deleted from the data folder and an empty one was begun; to get "
                "back what it held, stop the server and put a copy there."
            )
        with self._faults.explained("what is stored could not be read"), engines.reading(self._engines) as connection:
            yield connection

    @contextmanager
    def transaction(self, what: str) -> Iterator[Connection]:
        """Yield a connection that no other transaction on the same things can interrupt between its first read and its
        end; the end of the block saves everything or nothing.

        Args:
            what: what is saved, such as "corrections": for the message and, in PostgreSQL, the name of the lock.

        Raises:
            StoreError: the database cannot be written to.
        """
        if self.path is not None and _is_gone(self.path):
            self._begin_empty(self.path)
        with (
            self._faults.explained(f"the {what} could not be saved"),
            engines.writing(self._engines, what) as connection,
        ):
            yield connection

    def close(self) -> None:
        """Close the idle connections to a database server."""
        self._engines.writer.dispose()

    def _prepare(self) -> None:
        with self._faults.explained("the stored results cannot be used"):
            schema.prepare(self._engines, self.path)

    def _begin_empty(self, path: Path) -> None:
        _log.error("the database %s is gone; an empty one is begun", path)
        self._prepare()


class _Faults:
    """Turns faults of a database into sentences; the log has the details of each once, until it is over."""

    def __init__(self) -> None:
        self._present: dict[str, str] = {}

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Raise ``StoreError`` for a fault; ``what`` says what it keeps from working."""
        try:
            yield
        except (DBAPIError, NoConnectionError, sqlite3.Error) as error:
            problem = problem_of(error)
            if problem is None:  # a mistake in this program's SQL
                raise
            if self._present.get(what) != problem:  # a run tries every few seconds
                self._present[what] = problem
                _log.error("%s: %s", what, getattr(error, "orig", error))
            raise StoreError(f"{what}, because {problem}", problem) from error
        if self._present.pop(what, None) is not None:
            _log.warning("that is over: %s", what)


def _is_gone(path: Path) -> bool:
    """Return whether somebody removed the file, or everything in it."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return True


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an insert that knows what to do where there is a row; only a database that is used is imported."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def put(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], update: Collection[str] | None = None
) -> None:
    """Insert rows; where there is one with the same key, change it instead.

    Args:
        connection: within a transaction.
        table: where to.
        rows: values by column; all with the same columns.
        update: the columns that change of a row that is there; None for all.
    """
    if not rows:
        return
    inserted = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = [name for name in (rows[0] if update is None else update) if name not in keys]
    statement = (
        inserted.on_conflict_do_update(index_elements=keys, set_={name: inserted.excluded[name] for name in changed})
        if changed
        else inserted.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, list(rows))


def batched(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield the values in parts that are short enough for one statement."""
    rest = iter(values)
    while part := list(islice(rest, _MOST_VALUES)):
        yield part
