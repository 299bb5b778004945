"""The manifest: one row for each video of a batch, in one SQLite file that other programs can read meanwhile."""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from recognizer.batch.messages import Outcome
from recognizer.batch.recipe import Recipe
from recognizer.batch.sources import Entry
from recognizer.errors import OutputError, StoreError
from recognizer.files import staged

VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE recipe (digest TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE video (
    number INTEGER PRIMARY KEY,
    place TEXT NOT NULL,
    recipe TEXT NOT NULL REFERENCES recipe,
    id TEXT NOT NULL,
    "group" TEXT NOT NULL,
    size_bytes INTEGER,
    changed TEXT NOT NULL,
    is_listed INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    result TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL DEFAULT '',
    video_s REAL,
    took_s REAL,
    people INTEGER,
    segments INTEGER,
    error TEXT NOT NULL DEFAULT '',
    ended_at TEXT,
    UNIQUE (place, recipe)
);
CREATE INDEX video_result ON video (result);
CREATE INDEX video_waiting ON video (state, is_listed, size_bytes);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIEW videos AS SELECT
    id, "group", place AS path, sha256, state, video_s, took_s, round(video_s / nullif(took_s, 0), 3) AS speed,
    people, segments, error, result,
    CASE state WHEN 'done' THEN 'videos/' || substr(result, 1, 2) || '/' || result ELSE '' END AS outputs,
    recipe AS settings, ended_at
FROM video WHERE is_listed ORDER BY place, recipe;
"""
"""``video.is_listed``: whether the sources of the latest command name it. ``fact``: what a command leaves for later
ones. ``videos`` is for people."""

_LIST: Final = """
CREATE TEMP TABLE listed (
    place TEXT, recipe TEXT, id TEXT, "group" TEXT, size_bytes INTEGER, changed TEXT, PRIMARY KEY (place, recipe)
);
"""

_TAKE_OVER: Final = """
INSERT INTO video (place, recipe, id, "group", size_bytes, changed, is_listed)
    SELECT place, recipe, id, "group", size_bytes, changed, 1 FROM listed WHERE true
ON CONFLICT (place, recipe) DO UPDATE SET
    id = excluded.id, "group" = excluded."group", is_listed = 1,
    size_bytes = excluded.size_bytes, changed = excluded.changed,
    state = CASE
        WHEN state = 'done' AND changed <> '' AND size_bytes IS excluded.size_bytes AND changed = excluded.changed
            THEN 'done'
        WHEN state = 'failed' AND changed <> '' AND size_bytes IS excluded.size_bytes AND changed = excluded.changed
            AND NOT :retry THEN 'failed'
        ELSE 'waiting' END
"""

_RECORD: Final = """
UPDATE video SET state = :state, result = :key, sha256 = :sha256, video_s = :video_s, took_s = :took_s,
    people = :people, segments = :segments, error = :error, ended_at = :ended_at
WHERE number = :number
"""


@dataclass(frozen=True)
class Due:
    """A video that waits.

    Attributes:
        number: its row.
        place: where it is.
        recipe: how it is analyzed.
        digest: of the recipe.
        size_bytes: 0 if unknown.
    """

    number: int
    place: str
    recipe: Recipe
    digest: str
    size_bytes: int


@dataclass(frozen=True)
class Counts:
    """The videos of a batch.

    Attributes:
        done, failed, waiting: how many.
        waiting_bytes: of those that wait.
    """

    done: int
    failed: int
    waiting: int
    waiting_bytes: int


class Manifest:
    """The rows of a batch. One process writes it at a time; use it in a ``with`` block.

    Args:
        path: the file; created if it is missing.

    Raises:
        StoreError: the file is no manifest, or one of a later version.
        OutputError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recipes: dict[str, Recipe] = {}
        with self._sentences():
            self._connection = sqlite3.connect(path, isolation_level=None)
            # a table for each connection, in memory: of 100,000 rows it has 20 MB
            self._connection.execute("PRAGMA temp_store = MEMORY")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise StoreError(f"'{path}' is of a later version of this program; install the latest version.")
            if version < VERSION:
                with self._transaction():
                    for statement in filter(str.strip, _TABLES.split(";")):
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # a full disk, a folder that is gone, a lock
            raise OutputError(
                f"the manifest '{self._path}' cannot be written ({error}); make room or mend it, and run the command "
                "again."
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"the manifest '{self._path}' is damaged ({error}); move it away, and run the command again: finished "
                "results are found."
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._sentences():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def list(self, entries: Iterable[Entry], *, retry: bool) -> None:
        """Take over the sources of a command: what is new or has changed waits, what is done stays done.

        Args:
            entries: the sources; errors that they raise change nothing.
            retry: whether failed videos wait again.
        """
        recipes: dict[int, tuple[Recipe, str]] = {}

        def rows() -> Iterator[tuple[Any, ...]]:
            for one in entries:
                # the recipe is kept, so that no other has its id
                _, digest = recipes.setdefault(id(one.recipe), (one.recipe, one.recipe.digest))
                yield one.place, digest, one.name, one.group, one.size_bytes, one.changed

        with self._transaction() as connection:
            connection.execute("DROP TABLE IF EXISTS temp.listed")
            connection.execute(_LIST)
            connection.executemany("INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?, ?, ?)", rows())
            documents = [(digest, msgspec.json.encode(recipe).decode()) for recipe, digest in recipes.values()]
            connection.executemany("INSERT OR REPLACE INTO recipe VALUES (?, ?)", documents)
            connection.execute("UPDATE video SET is_listed = 0 WHERE is_listed")
            connection.execute(_TAKE_OVER, {"retry": retry})
            connection.execute("DROP TABLE temp.listed")

    def check_results(self, is_there: Callable[[str], bool]) -> None:
        """Let videos wait again whose results are gone.

        Args:
            is_there: says it of the name of a result.
        """
        with self._transaction() as connection:
            found = connection.execute("SELECT number, result FROM video WHERE is_listed AND state = 'done'")
            gone = [(number,) for number, result in found if not is_there(result)]
            connection.executemany("UPDATE video SET state = 'waiting' WHERE number = ?", gone)

    def due(self) -> Iterator[Due]:
        """Yield what waits: the largest first, so that no worker is left alone with it at the end."""
        with self._sentences():
            numbers = self._connection.execute(
                "SELECT number FROM video WHERE is_listed AND state = 'waiting' ORDER BY size_bytes DESC, place, recipe"
            ).fetchall()
        for (number,) in numbers:
            with self._sentences():
                place, digest, size_bytes = self._connection.execute(
                    "SELECT place, recipe, size_bytes FROM video WHERE number = ?", (number,)
                ).fetchone()
            yield Due(number, place, self.recipe(digest), digest, size_bytes or 0)

    def recipe(self, digest: str) -> Recipe:
        """Return a recipe that a video has."""
        if digest not in self._recipes:
            with self._sentences():
                query = "SELECT document FROM recipe WHERE digest = ?"
                (document,) = self._connection.execute(query, (digest,)).fetchone()
            self._recipes[digest] = msgspec.json.decode(document, type=Recipe)
        return self._recipes[digest]

    def record(self, outcome: Outcome) -> None:
        """Store what came of a video. What was found of the same result before is not lost: a result is made once."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        values = msgspec.structs.asdict(outcome) | {"ended_at": now}
        if outcome.state != "done":  # unknown, not zero
            values |= dict.fromkeys(("video_s", "people", "segments"))
        with self._transaction() as connection:
            if outcome.state == "done" and not outcome.took_s:
                query = "SELECT max(took_s) FROM video WHERE result = ?"
                (values["took_s"],) = connection.execute(query, (outcome.key,)).fetchone()
            connection.execute(_RECORD, values)

    def counts(self) -> Counts:
        """Return how many videos of the latest command are done, failed and wait."""
        with self._sentences():
            found = self._connection.execute(
                "SELECT state, count(*), sum(size_bytes) FROM video WHERE is_listed GROUP BY state"
            )
            by_state = {state: (count, size_bytes or 0) for state, count, size_bytes in found}
        nothing = (0, 0)
        done, failed, waiting = (by_state.get(state, nothing) for state in ("done", "failed", "waiting"))
        return Counts(done[0], failed[0], *waiting)

    def results(self, beginning: str = "") -> Iterator[str]:
        """Yield the names of the results of the latest command that begin so, each once, in order."""
        with self._sentences():
            query = (
                "SELECT DISTINCT result FROM video WHERE is_listed AND state = 'done' AND result BETWEEN ? AND ? "
                "ORDER BY result"
            )
            found = self._connection.execute(query, (beginning, beginning + chr(0x10FFFF)))
            yield from (result for (result,) in found)

    def fact(self, name: str) -> str | None:
        """Return what an earlier command stored; None if none did."""
        with self._sentences():
            found = self._connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def set_fact(self, name: str, value: str) -> None:
        """Store something for later commands."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the view ``videos`` row by row, by column."""
        with self._sentences():
            cursor = self._connection.execute("SELECT * FROM videos")
            names = [column[0] for column in cursor.description]
            yield from (dict(zip(names, row, strict=True)) for row in cursor)

    def write_table(self, path: Path) -> None:
        """Write the view ``videos`` as CSV.

        Raises:
            OSError: it cannot be written.
        """
        from recognizer.export.csv_file import harmless_cell

        with staged(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for number, row in enumerate(self.rows()):
                if number == 0:
                    writer.writerow(row)
                writer.writerow([harmless_cell(cell) if isinstance(cell, str) else cell for cell in row.values()])
