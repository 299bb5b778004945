"""The SQLite database of analyses, comparisons, corrections, colors and sets of own actions.

One file. Every connection is short and belongs to its caller, so any thread may use the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recognizer.errors import StoreError

_BUSY_TIMEOUT_S = 30.0

_MIGRATIONS: Final = (
    # 1: databases from before versions were counted already have some or all of these tables
    (
        """
        CREATE TABLE IF NOT EXISTS run (
            run_id TEXT PRIMARY KEY,
            created_at TEXT NOT NULL,
            video_name TEXT NOT NULL,
            video_path TEXT NOT NULL,
            timeline_zlib BLOB NOT NULL
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS action_colour (
            action TEXT PRIMARY KEY,
            slot INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS comparison (
            comparison_id TEXT PRIMARY KEY,
            created_at TEXT NOT NULL,
            video_name TEXT NOT NULL,
            video_path TEXT NOT NULL,
            video_sha256 TEXT NOT NULL,
            entries_zlib BLOB NOT NULL,
            truth_name TEXT,
            truth BLOB
        )
        """,
    ),
    # 2: what the user said about their own labels, as JSON
    ("ALTER TABLE comparison ADD COLUMN truth_answers TEXT",),
    # 3: corrections of an analysis; ``applied`` counts the edits that are not undone
    (
        """
        CREATE TABLE correction (
            analysis_id TEXT PRIMARY KEY,
            revision INTEGER NOT NULL,
            applied INTEGER NOT NULL,
            label_groups TEXT
        )
        """,
        """
        CREATE TABLE edit (
            analysis_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            edit TEXT NOT NULL,
            PRIMARY KEY (analysis_id, position)
        ) WITHOUT ROWID
        """,
    ),
    # 4: sets of own actions, and the one that an analysis is shown with. ``features`` are MessagePack of a shape and
    # little-endian float32, ``posture`` is float64. ``removed_at`` is the revision that removed an example. The number
    # of a chosen set grows with each change of what is shown of the analysis.
    (
        """
        CREATE TABLE action_set (
            set_id TEXT PRIMARY KEY,
            created_at TEXT NOT NULL,
            revision INTEGER NOT NULL,
            title TEXT NOT NULL,
            actions TEXT NOT NULL,
            space TEXT,
            clips TEXT
        )
        """,
        """
        CREATE TABLE example (
            example_id TEXT PRIMARY KEY,
            set_id TEXT NOT NULL,
            action TEXT,
            video_sha256 TEXT,
            video_name TEXT NOT NULL,
            person_id INTEGER NOT NULL,
            start_s REAL NOT NULL,
            end_s REAL NOT NULL,
            added_at TEXT NOT NULL,
            features BLOB NOT NULL,
            posture BLOB NOT NULL,
            removed_at INTEGER
        )
        """,
        "CREATE INDEX example_of_set ON example (set_id)",
        """
        CREATE TABLE example_picture (
            example_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            jpeg BLOB NOT NULL,
            PRIMARY KEY (example_id, number)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE background (
            set_id TEXT NOT NULL,
            video_key TEXT NOT NULL,
            features BLOB NOT NULL,
            PRIMARY KEY (set_id, video_key)
        )
        """,
        """
        CREATE TABLE action_set_change (
            set_id TEXT NOT NULL,
            revision INTEGER NOT NULL,
            change TEXT NOT NULL,
            PRIMARY KEY (set_id, revision)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE chosen_set (
            analysis_id TEXT PRIMARY KEY,
            set_id TEXT,
            mode TEXT NOT NULL,
            number INTEGER NOT NULL
        )
        """,
        "CREATE INDEX chosen_set_by_set ON chosen_set (set_id)",
    ),
)
"""The statements that migrate each version to the next. Only append: ``PRAGMA user_version`` counts them."""

VERSION: Final = len(_MIGRATIONS)
"""Version of the tables that this program reads and writes."""


class Database:
    """A database file whose tables have the current version."""

    def __init__(self, path: Path) -> None:
        """Open the database, create it if it is missing, and migrate its tables if they are older.

        Raises:
            sqlite3.Error: the file cannot be used as a database.
            StoreError: a later version of this program wrote the database.
        """
        self.path = path
        with self.connection() as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # the setting persists in the file
        with self.connection() as connection:
            if _version(connection) != VERSION:
                connection.execute("BEGIN IMMEDIATE")  # if two processes start at once, only one migrates
                self._migrate(connection)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for one transaction: the end of the block saves everything or nothing."""
        connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self, what: str) -> Iterator[sqlite3.Connection]:
        """Yield a connection that no other writer can interrupt between its first read and its end.

        Args:
            what: what is saved, in the plural, for the message.

        Raises:
            StoreError: the database cannot be written to.
        """
        try:
            with self.connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        except sqlite3.Error as error:
            raise StoreError(f"the {what} could not be saved ({error}); make room on the disk.") from error

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if version > VERSION:
            raise StoreError(
                f"'{self.path}' has version {version}, and this program reads versions up to {VERSION}; "
                "install the latest version of this program."
            )
        for statements in _MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")  # a pragma takes no parameters


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
