"""A read-only view of a batch's manifest; 100,000 videos cost little.

Counts are made by the database, and rows are read a page at a time. A command may write meanwhile.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import msgspec
from filelock import FileLock, Timeout

from recognizer.batch.manifest import VERSION
from recognizer.batch.messages import State
from recognizer.batch.places import Batch
from recognizer.batch.recipe import Recipe
from recognizer.batch.results import LOCK, BatchFolder
from recognizer.batch.tally import NEWS, News
from recognizer.errors import StoreError

Order = Literal["id", "group", "longest", "slowest", "latest"]

_ORDERS: Final[dict[Order, str]] = {
    "id": "id, place, recipe",
    "group": '"group", id, place, recipe',
    "longest": "video_s DESC, id, place, recipe",
    "slowest": "video_s / nullif(took_s, 0) IS NULL, video_s / nullif(took_s, 0), id, place, recipe",
    "latest": "ended_at DESC, id, place, recipe",
}

_BUSY_S: Final = 2.0
"""A command's writes take milliseconds; a network folder may take longer."""

_probing: Final = threading.Lock()
"""Two threads that look at a lock at once would each take the other for a command."""


_FITTING: Final = """
FROM video WHERE is_listed AND (:state IS NULL OR state = :state) AND (:group IS NULL OR "group" = :group)
    AND (:text = '' OR instr(casefold(id || char(10) || "group" || char(10) || error), :text))
"""


class VideoRow(NamedTuple):
    """One video of a batch.

    Attributes:
        id: the user's, or the file's name.
        group: the user's group; empty if there is none.
        state: ``done``, ``failed`` or ``waiting``.
        video_s: seconds of video; None until it is known.
        took_s: seconds of work.
        speed: times real time.
        people: how many were found.
        segments: how many they have.
        error: a sentence; empty if there is none.
        result: the name of its result; empty without one.
        ended_at: when it ended last, ISO 8601 in UTC.
    """

    id: str
    group: str
    state: State
    video_s: float | None
    took_s: float | None
    speed: float | None
    people: int | None
    segments: int | None
    error: str
    result: str
    ended_at: str | None


_ROW: Final = (
    'id, "group", state, video_s, took_s, round(video_s / nullif(took_s, 0), 3), people, segments, error, '
    "result, ended_at"
)


@dataclass(frozen=True)
class RowQuery:
    """A query: which videos, in which order.

    Attributes:
        state: only these; None for all.
        text: only those whose id, group or error holds it, in capitals or not.
        group: only this group; None for all.
        order: by what they are sorted.
    """

    state: State | None = None
    text: str = ""
    group: str | None = None
    order: Order = "id"

    @property
    def values(self) -> dict[str, str | None]:
        """The values for ``_FITTING``."""
        return {"state": self.state, "group": self.group, "text": self.text.strip().casefold()}


@dataclass(frozen=True)
class Progress:
    """The progress of a batch.

    Attributes:
        done, failed, waiting: how many videos; ``again`` of those that wait have failed for a reason that may be over.
        done_s: seconds of video that are done.
        expected_s: seconds of all videos that are done or wait, guessed from their size; None until one is done.
        news: what the latest command said last; None if there was none yet.
    """

    done: int
    failed: int
    waiting: int
    again: int
    done_s: float
    expected_s: float | None
    news: News | None

    @property
    def total(self) -> int:
        """The number of videos."""
        return self.done + self.failed + self.waiting

    @property
    def ended(self) -> int:
        """The number of videos that need nothing more."""
        return self.done + self.failed


class Result(NamedTuple):
    """A finished video, as it is counted.

    Attributes:
        result: the name of its result.
        id, group: see ``VideoRow``.
        sha256: of its bytes.
        settings: digest of the recipe.
    """

    result: str
    id: str
    group: str
    sha256: str
    settings: str


@dataclass(frozen=True)
class Finished:
    """A video with a result, and how it was read.

    Attributes:
        id, group: see ``VideoRow``.
        place: its path, or address.
        sha256: of its bytes.
        size_bytes: None if unknown.
        changed: see ``sources.Entry``.
        result: the name of the result.
        recipe: how it was analyzed.
    """

    id: str
    group: str
    place: str
    sha256: str
    size_bytes: int | None
    changed: str
    result: str
    recipe: Recipe


class Watcher:
    """Reads a batch's manifest; every method opens it anew.

    Args:
        batch: the batch.

    Every method raises ``StoreError`` if the manifest cannot be read.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def progress(self) -> Progress:
        """Return how far the batch is."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT state, count(*), total(video_s), total(size_bytes), sum(error <> '') FROM video "
                "WHERE is_listed GROUP BY state"
            )
            by_state = {state: numbers for state, *numbers in found}
            told = connection.execute("SELECT value FROM fact WHERE name = ?", (NEWS,)).fetchone()
        nothing = (0, 0.0, 0.0, 0)
        done, failed, waiting = (by_state.get(state, nothing) for state in ("done", "failed", "waiting"))
        expected_s = done[1] * (1 + waiting[2] / done[2]) if done[2] else None
        news = None if told is None else msgspec.json.decode(told[0], type=News)
        return Progress(done[0], failed[0], waiting[0], waiting[3], done[1], expected_s, news)

    def count(self, query: RowQuery) -> int:
        """Return how many videos fit a query."""
        with self._reading() as connection:
            return int(connection.execute(f"SELECT count(*) {_FITTING}", query.values).fetchone()[0])

    def rows(self, query: RowQuery, most: int | None = None, skipped: int = 0) -> list[VideoRow]:
        """Return the videos that fit a query.

        Args:
            query: which.
            most: no more than these; None for all.
            skipped: how many to leave out at the beginning.
        """
        # no part of the statement comes from outside
        statement = f"SELECT {_ROW} {_FITTING} ORDER BY {_ORDERS[query.order]} LIMIT :most OFFSET :skipped"
        page = {"most": -1 if most is None else most, "skipped": skipped}
        with self._reading() as connection:
            return list(map(VideoRow._make, connection.execute(statement, {**query.values, **page})))

    def groups(self) -> list[str]:
        """Return the groups that videos have, in order; an empty name for those without one."""
        with self._reading() as connection:
            found = connection.execute('SELECT DISTINCT "group" FROM video WHERE is_listed ORDER BY 1')
            return [group for (group,) in found]

    def results(self) -> list[Result]:
        """Return each video that is done, the latest first."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT result, id, \"group\", sha256, recipe FROM video WHERE is_listed AND state = 'done' "
                "ORDER BY ended_at DESC, number"
            )
            return list(map(Result._make, found))

    def recipes(self) -> dict[str, Recipe]:
        """Return all recipes by their digests."""
        with self._reading() as connection:
            found = connection.execute("SELECT digest, document FROM recipe")
            return {digest: msgspec.json.decode(document, type=Recipe) for digest, document in found}

    def facts(self, beginning: str) -> dict[str, str]:
        """Return what earlier commands stored under names that begin so."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT name, value FROM fact WHERE substr(name, 1, ?) = ?", (len(beginning), beginning)
            )
            return dict(found.fetchall())

    def finished(self, result: str) -> Finished | None:
        """Return the first video that has this result; None if none has."""
        with self._reading() as connection:
            row = connection.execute(
                'SELECT id, "group", place, sha256, size_bytes, changed, result, document FROM video '
                "JOIN recipe ON recipe = digest WHERE result = ? AND is_listed AND state = 'done' ORDER BY number",
                (result,),
            ).fetchone()
        if row is None:
            return None
        *facts, document = row
        recipe = msgspec.json.decode(document, type=Recipe)
        return Finished(*facts, recipe)  # type: ignore[call-arg]  # as many as were asked for

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # a killed command may have left half a write, which only a connection that may write takes back
        address = f"{self._batch.folder.manifest.as_uri()}?mode=rw"
        try:
            connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.create_function("casefold", 1, str.casefold, deterministic=True)
                if connection.execute("PRAGMA user_version").fetchone()[0] > VERSION:
                    raise StoreError(f"the batch '{self._batch.name}' is of a later version; install that.")
                yield connection
            finally:
                connection.close()
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise StoreError(
                f"the manifest of the batch '{self._batch.name}' cannot be read now ({error}); load the page again, or "
                "run the batch's command again."
            ) from error


def is_at_work(folder: BatchFolder) -> bool:
    """Return whether a command works in a folder now; False if that cannot be asked, as in a folder of others."""
    lock = FileLock(folder.root / LOCK)
    with _probing:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        except OSError:
            return False
        lock.release()
    return False
