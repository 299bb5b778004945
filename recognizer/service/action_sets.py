"""Store sets of own actions across restarts, in the database of analyses.

Every change reads, changes and writes within one transaction, as corrections do. A removed example stays until the
change that removed it can no longer be undone.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from recognizer.actions.model import ActionSet, Background, OwnAction, with_background
from recognizer.actions.provenance import Mode
from recognizer.errors import ActionsError
from recognizer.service.action_set_rows import (
    EXAMPLE,
    actions_of,
    example_of,
    json_text,
    last_change,
    load,
    loaded,
    pictures_of,
    tell_analyses,
    write,
    write_backgrounds,
)
from recognizer.service.database import Database
from recognizer.service.store import now

_WHAT: Final = "own actions"


class SetSummary(NamedTuple):
    """What a list of sets says of one.

    Attributes:
        set_id: identifies it.
        title: the user's name for it.
        names: its actions.
        examples: number of its examples.
        videos: number of the videos that they are from.
    """

    set_id: str
    title: str
    names: tuple[str, ...]
    examples: int
    videos: int


class Chosen(NamedTuple):
    """What an analysis is shown with.

    Attributes:
        set_id: the set; None for the network's labels.
        mode: how own names are shown.
        number: grows with each change of the choice and of the set.
    """

    set_id: str | None = None
    mode: Mode = "instead"
    number: int = 0


class ActionSetStore:
    """Stores sets of own actions, and which one an analysis is shown with. Safe to call from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, title: str) -> str:
        """Store an empty set and return its id, which cannot be guessed."""
        set_id = secrets.token_urlsafe(16)
        with self._database.transaction(_WHAT) as connection:
            connection.execute(
                "INSERT INTO action_set VALUES (?, ?, 1, ?, '[]', NULL, NULL)", (set_id, now().isoformat(), title)
            )
        return set_id

    def revision(self, set_id: str) -> int | None:
        """Return the number of a set's latest revision; None if there is no such set."""
        with self._database.connection() as connection:
            row = connection.execute("SELECT revision FROM action_set WHERE set_id = ?", (set_id,)).fetchone()
        return None if row is None else int(row[0])

    def load(self, set_id: str, *, with_pictures: bool = False) -> ActionSet | None:
        """Return a set at its latest revision; None if there is none.

        Raises:
            ActionsError: another version described its examples, so that this one cannot use them.
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        with self._database.connection() as connection:
            connection.execute("BEGIN")  # all tables are read as they were at one time
            found = load(connection, set_id)
            if found is None or not with_pictures:
                return found
            examples = (replace(one, pictures=pictures_of(connection, one.example_id)) for one in found.examples)
            return replace(found, examples=tuple(examples))

    def picture(self, set_id: str, example_id: str, number: int) -> bytes | None:
        """Return one picture of an example as JPEG; None if there is none."""
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT jpeg FROM example_picture JOIN example USING (example_id)"
                " WHERE set_id = ? AND example_id = ? AND number = ?",
                (set_id, example_id, number),
            ).fetchone()
        return None if row is None else bytes(row[0])

    def summaries(self, set_ids: Sequence[str]) -> list[SetSummary]:
        """Return summaries of the stored ones among these sets, in this order."""
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT action_set.set_id, title, actions, count(example_id),"
                " count(DISTINCT coalesce(video_sha256, video_name)) FROM action_set"
                " LEFT JOIN example ON example.set_id = action_set.set_id AND removed_at IS NULL"
                " WHERE action_set.set_id IN (SELECT value FROM json_each(?)) GROUP BY action_set.set_id",
                (json.dumps(list(set_ids)),),
            ).fetchall()
        found = {
            set_id: SetSummary(set_id, title, tuple(one.name for one in actions_of(actions)), examples, videos)
            for set_id, title, actions, examples, videos in rows
        }
        return [found[set_id] for set_id in dict.fromkeys(set_ids) if set_id in found]

    def change(self, set_id: str, words: str, alter: Callable[[ActionSet], ActionSet]) -> ActionSet:
        """Change a set and return it as it is now.

        Args:
            set_id: the set.
            words: what undo says it takes back.
            alter: returns the set as it should be; if it raises, or returns the set itself, nothing is stored.

        Raises:
            ActionsError: there is no such set.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            before = loaded(connection, set_id)
            after = alter(before)
            return before if after is before else write(connection, before, after, words)

    def restore(self, set_id: str, example_id: str) -> ActionSet:
        """Bring a removed example back; nothing changes if it is there.

        Raises:
            ActionsError: there is no such set or example.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            before = loaded(connection, set_id)
            if any(one.example_id == example_id for one in before.examples):
                return before
            row = connection.execute(f"{EXAMPLE} AND example_id = ?", (set_id, example_id)).fetchone()
            if row is None:
                raise ActionsError("this example is no longer stored; mark the moment again.")
            example = example_of(row)
            actions = before.actions
            if example.action is not None and example.action not in before.names:
                actions = (*actions, OwnAction(example.action))
            after = replace(before, actions=actions, examples=(*before.examples, example))
            return write(connection, before, after, "restore an example")

    def know_background(self, set_id: str, background: Background) -> None:
        """Add the background of a video to a set, unless it is there; that is not undone.

        Raises:
            ActionsError: there is no such set.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            before = loaded(connection, set_id)
            after = before if before.space is None else with_background(before, background)
            if after is not before:
                write_backgrounds(connection, before, after)
                connection.execute("UPDATE action_set SET revision = revision + 1 WHERE set_id = ?", (set_id,))
                tell_analyses(connection, set_id)

    def undo_words(self, set_id: str) -> str | None:
        """Return what undo takes back; None if there is nothing."""
        with self._database.connection() as connection:
            found = last_change(connection, set_id)
        return None if found is None else found[1].words

    def undo(self, set_id: str) -> ActionSet:
        """Take the last change of a set back and return the set; nothing changes if there is none.

        Raises:
            ActionsError: there is no such set.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            now_ = loaded(connection, set_id)
            last = last_change(connection, set_id)
            if last is None:
                return now_
            number, before = last
            revision = now_.revision + 1
            connection.executemany(
                "UPDATE example SET action = ?, removed_at = ? WHERE example_id = ? AND set_id = ?",
                [(action, revision if removed else None, one, set_id) for one, action, removed in before.examples],
            )
            connection.execute(
                "UPDATE action_set SET revision = ?, title = ?, actions = ? WHERE set_id = ?",
                (revision, before.title, json_text(before.actions), set_id),
            )
            connection.execute("DELETE FROM action_set_change WHERE set_id = ? AND revision = ?", (set_id, number))
            tell_analyses(connection, set_id)
            return loaded(connection, set_id)

    def chosen(self, analysis_id: str) -> Chosen:
        """Return what an analysis is shown with."""
        with self._database.connection() as connection:
            return _chosen(connection, analysis_id)

    def choose(self, analysis_id: str, set_id: str | None, mode: Mode) -> Chosen:
        """Show an analysis with a set, or with the network's labels.

        Raises:
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            before = _chosen(connection, analysis_id)
            if (before.set_id, before.mode) == (set_id, mode):
                return before
            after = Chosen(set_id, mode, before.number + 1)
            connection.execute("INSERT OR REPLACE INTO chosen_set VALUES (?, ?, ?, ?)", (analysis_id, *after))
        return after


def _chosen(connection: sqlite3.Connection, analysis_id: str) -> Chosen:
    row = connection.execute(
        "SELECT set_id, mode, number FROM chosen_set WHERE analysis_id = ?", (analysis_id,)
    ).fetchone()
    return Chosen() if row is None else Chosen(*row)
