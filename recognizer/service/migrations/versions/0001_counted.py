"""Bring the tables of the first versions, which counted themselves from 0 to 4 in SQLite, to the last of them."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0001"
down_revision: Final = None

_STEPS: Final = (
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
"""The statements from each version to the next."""


def upgrade() -> None:
    """Run the statements that the database lacks."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    for statements in _STEPS[version:]:
        for statement in statements:
            connection.exec_driver_sql(statement)
