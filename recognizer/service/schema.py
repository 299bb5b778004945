"""Bring a database to the tables of this program. Alembic is only imported for a database that is older."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from recognizer.errors import StoreError
from recognizer.service import engines, tables
from recognizer.service.engines import Engines

VERSION: Final = "0004"
"""The last migration in ``migrations/versions``."""

COUNTED_VERSION: Final = 5
"""SQLite's ``user_version``. Programs from before Alembic count versions there, and refuse one that is above 4."""

_FOLDER: Final = Path(__file__).parent / "migrations"
_OLD_TABLES: Final = {"run", "action_colour", "comparison"}

_alembic_version: Final = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True, nullable=False)
)
"""Alembic's own table."""


def prepare(database: Engines, path: Path | None) -> None:
    """Create the tables of a new database; migrate those of an older one.

    Raises:
        StoreError: a later version of this program wrote the database.
        DBAPIError: the database cannot be used.
    """
    if path is None or path.exists():
        with engines.reading(database) as connection:
            if _version(connection) == VERSION:
                return
    if path is not None:
        engines.prepare_file(path)
    with engines.writing(database, "tables") as connection:  # if two processes start at once, only one does it
        found = _version(connection)
        if found is None:
            _create(connection)
        elif found != VERSION:
            _migrate(connection)


def _version(connection: Connection) -> str | None:
    """Return the version of the tables: an empty text for one that Alembic does not know, None if there are none."""
    names = set(inspect(connection).get_table_names())
    if _counted(connection) > COUNTED_VERSION:
        raise _too_new()
    if _alembic_version.name in names:
        return connection.scalar(select(_alembic_version.c.version_num))
    return "" if names & _OLD_TABLES else None


def _counted(connection: Connection) -> int:
    if connection.dialect.name != "sqlite":
        return 0
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _create(connection: Connection) -> None:
    tables.metadata.create_all(connection)
    _alembic_version.create(connection)
    connection.execute(insert(_alembic_version).values(version_num=VERSION))
    _count(connection)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    try:
        command.upgrade(config, VERSION)
    except CommandError as error:
        raise _too_new() from error
    _count(connection)


def _count(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {COUNTED_VERSION}")  # a pragma takes no parameters


def _too_new() -> StoreError:
    return StoreError(
        "a later version of this program wrote the database; install the latest version of this program, or name "
        "another folder in RECOGNIZER_DATA."
    )
