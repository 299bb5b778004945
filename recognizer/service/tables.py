"""The tables of the database. ``migrations`` brings older databases to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""PostgreSQL orders text by the server's language unless it is told otherwise; times must sort by their digits."""

_NUMBER: Final[TypeEngine[float]] = Double().with_variant(REAL(), "sqlite")
"""Eight bytes in both."""


class Words(TypeDecorator[str]):
    """Text from outside. What a database cannot hold is replaced: a null character in PostgreSQL, half a surrogate pair
    in both. File names and ids from addresses may contain either."""

    impl = _TEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text that the database can hold."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        if dialect.name == "postgresql":
            value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return value.encode("utf-8", "replace").decode()


class Time(TypeDecorator[datetime]):
    """A time with its zone, as ISO 8601 text in UTC: text that sorts by time, and that both databases treat alike."""

    impl = _TEXT
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - their name
        """Return the time as text."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - their name
        """Return the time of a text; those from before version 5 are in whole seconds."""
        return None if value is None else datetime.fromisoformat(value)


metadata: Final = MetaData()

analysis: Final = Table(
    "analysis",
    metadata,
    Column("analysis_id", Words, primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("video_name", Words, nullable=False),
    Column("video_file", Words, nullable=False),
    Column("timeline", LargeBinary, nullable=False),
)
"""Finished analyses. ``video_file`` is a name in the folder of files."""

comparison: Final = Table(
    "comparison",
    metadata,
    Column("comparison_id", Words, primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("video_name", Words, nullable=False),
    Column("video_file", Words, nullable=False),
    Column("video_sha256", Words, nullable=False),
    Column("entries", LargeBinary, nullable=False),
    Column("truth_name", Words),
    Column("truth", LargeBinary),
    Column("truth_answers", Words),
)
"""Comparisons, with the user's own labels and, as JSON, what they said about them."""

run: Final = Table(
    "run",
    metadata,
    Column("run_id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("visitor_id", Words, nullable=False),
    Column("video_name", Words, nullable=False),
    Column("video_file", Words, nullable=False),
    Column("video_sha256", Words, nullable=False),
    Column("request", Words, nullable=False),
    Column("result_id", Words, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
    Column("server_id", Words, nullable=False),
    Column("heartbeat_at", Time),
    Column("progress", _NUMBER, nullable=False),
    Column("problem", Words, nullable=False),
    Column("opened_at", Time),
    Column("title", Words, nullable=False),
    Column("tags", Words, nullable=False),
    Column("removed_at", Time),
    Column("facts", Words, nullable=False),
    Index("run_by_visitor", "visitor_id"),
    Index("run_by_state", "state"),
)
"""See ``runs.Run``. ``request``, ``tags`` and ``facts`` are JSON."""

run_chunk: Final = Table(
    "run_chunk",
    metadata,
    Column("run_id", Words, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)
"""The save points of runs that have not ended, by number from 0."""

upload: Final = Table(
    "upload",
    metadata,
    Column("visitor_id", Words, primary_key=True),
    Column("video_file", Words, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
)
"""Who uploaded which file in the folder of files."""

action_colour: Final = Table(
    "action_colour",
    metadata,
    Column("action", Words, primary_key=True),
    Column("slot", Integer, nullable=False),
)

correction: Final = Table(
    "correction",
    metadata,
    Column("analysis_id", Words, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("applied", Integer, nullable=False),
    Column("label_groups", Words),
)
"""Corrections of an analysis; ``applied`` counts the edits that are not undone."""

edit: Final = Table(
    "edit",
    metadata,
    Column("analysis_id", Words, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("edit", Words, nullable=False),
    sqlite_with_rowid=False,
)

action_set: Final = Table(
    "action_set",
    metadata,
    Column("set_id", Words, primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("title", Words, nullable=False),
    Column("actions", Words, nullable=False),
    Column("space", Words),
    Column("clips", Words),
)
"""Sets of own actions."""

example: Final = Table(
    "example",
    metadata,
    Column("example_id", Words, primary_key=True),
    Column("set_id", Words, nullable=False),
    Column("action", Words),
    Column("video_sha256", Words),
    Column("video_name", Words, nullable=False),
    Column("person_id", Integer, nullable=False),
    Column("start_s", _NUMBER, nullable=False),
    Column("end_s", _NUMBER, nullable=False),
    Column("added_at", Time, nullable=False),
    Column("features", LargeBinary, nullable=False),
    Column("posture", LargeBinary, nullable=False),
    Column("removed_at", Integer),
    Column("position", Integer, nullable=False, server_default="0"),
    Index("example_of_set", "set_id"),
)
"""Examples of own actions, in order of ``position``. ``features`` are MessagePack of a shape and little-endian float32,
``posture`` is float64. ``removed_at`` is the revision that removed an example."""

example_picture: Final = Table(
    "example_picture",
    metadata,
    Column("example_id", Words, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

background: Final = Table(
    "background",
    metadata,
    Column("set_id", Words, primary_key=True),
    Column("video_key", Words, primary_key=True),
    Column("features", LargeBinary, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
)

action_set_change: Final = Table(
    "action_set_change",
    metadata,
    Column("set_id", Words, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("change", Words, nullable=False),
    sqlite_with_rowid=False,
)

chosen_set: Final = Table(
    "chosen_set",
    metadata,
    Column("analysis_id", Words, primary_key=True),
    Column("set_id", Words),
    Column("mode", Words, nullable=False),
    Column("number", Integer, nullable=False),
    Index("chosen_set_by_set", "set_id"),
)
"""What an analysis is shown with. The number grows with each change of what is shown of the analysis."""

batch_run: Final = Table(
    "batch_run",
    metadata,
    Column("result", Words, primary_key=True),
    Column("run_id", Words, nullable=False),
)
"""The run that a batch's result is opened as, by the name of the result."""
