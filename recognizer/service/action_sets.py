"""Store sets of own actions across restarts, in the database of analyses.

Every change reads, changes and writes within one transaction, as corrections do. A removed example stays until the
change that removed it can no longer be undone.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from recognizer.actions.model import ActionSet, Background, ClipSettings, Example, Mode, OwnAction, with_background
from recognizer.errors import ActionsError, StoreError
from recognizer.service.database import Database
from recognizer.service.store import now
from recognizer.timeline.features import FeatureSpace

_MOST_CHANGES: Final = 100
"""Changes of a set that can be undone."""

_WHAT: Final = "own actions"

_EXAMPLE: Final = (
    "SELECT example_id, action, video_sha256, video_name, person_id, start_s, end_s, added_at, features, posture,"
    " (SELECT count(*) FROM example_picture WHERE example_picture.example_id = example.example_id)"
    " FROM example WHERE set_id = ?"
)


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


class _Before(Struct):
    """What a change found: what undo brings back. ``examples`` are id, action, and whether it was removed."""

    words: str
    title: str
    actions: list[OwnAction]
    examples: list[tuple[str, str | None, bool]]


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
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        with self._database.connection() as connection:
            connection.execute("BEGIN")  # all tables are read as they were at one time
            found = _load(connection, set_id)
            if found is None or not with_pictures:
                return found
            examples = (replace(one, pictures=_pictures(connection, one.example_id)) for one in found.examples)
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
            set_id: SetSummary(set_id, title, tuple(one.name for one in _actions(actions)), examples, videos)
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
            before = _loaded(connection, set_id)
            after = alter(before)
            return before if after is before else _write(connection, before, after, words)

    def restore(self, set_id: str, example_id: str) -> ActionSet:
        """Bring a removed example back; nothing changes if it is there.

        Raises:
            ActionsError: there is no such set or example.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            before = _loaded(connection, set_id)
            if any(one.example_id == example_id for one in before.examples):
                return before
            row = connection.execute(f"{_EXAMPLE} AND example_id = ?", (set_id, example_id)).fetchone()
            if row is None:
                raise ActionsError("this example is no longer stored; mark the moment again.")
            example = _example(row)
            actions = before.actions
            if example.action is not None and example.action not in before.names:
                actions = (*actions, OwnAction(example.action))
            after = replace(before, actions=actions, examples=(*before.examples, example))
            return _write(connection, before, after, "restore an example")

    def know_background(self, set_id: str, background: Background) -> None:
        """Add the background of a video to a set, unless it is there; that is not undone.

        Raises:
            ActionsError: there is no such set.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            before = _loaded(connection, set_id)
            after = before if before.space is None else with_background(before, background)
            if after is not before:
                _write_backgrounds(connection, before, after)
                connection.execute("UPDATE action_set SET revision = revision + 1 WHERE set_id = ?", (set_id,))
                _tell_analyses(connection, set_id)

    def undo_words(self, set_id: str) -> str | None:
        """Return what undo takes back; None if there is nothing."""
        with self._database.connection() as connection:
            found = _last_change(connection, set_id)
        return None if found is None else found[1].words

    def undo(self, set_id: str) -> ActionSet:
        """Take the last change of a set back and return the set; nothing changes if there is none.

        Raises:
            ActionsError: there is no such set.
            StoreError: the database cannot be written to.
        """
        with self._database.transaction(_WHAT) as connection:
            now_ = _loaded(connection, set_id)
            last = _last_change(connection, set_id)
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
                (revision, before.title, _json(before.actions), set_id),
            )
            connection.execute("DELETE FROM action_set_change WHERE set_id = ? AND revision = ?", (set_id, number))
            _tell_analyses(connection, set_id)
            return _loaded(connection, set_id)

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


def _loaded(connection: sqlite3.Connection, set_id: str) -> ActionSet:
    found = _load(connection, set_id)
    if found is None:
        raise ActionsError("this set of actions is not on this machine; load the page again.")
    return found


def _load(connection: sqlite3.Connection, set_id: str) -> ActionSet | None:
    row = connection.execute(
        "SELECT revision, title, actions, space, clips FROM action_set WHERE set_id = ?", (set_id,)
    ).fetchone()
    if row is None:
        return None
    revision, title, actions, space, clips = row
    examples = connection.execute(f"{_EXAMPLE} AND removed_at IS NULL ORDER BY rowid", (set_id,))
    backgrounds = connection.execute(
        "SELECT video_key, features FROM background WHERE set_id = ? ORDER BY rowid", (set_id,)
    )
    try:
        return ActionSet(
            set_id,
            title,
            None if space is None else msgspec.json.decode(space, type=FeatureSpace),
            None if clips is None else msgspec.json.decode(clips, type=ClipSettings),
            _actions(actions),
            tuple(map(_example, examples)),
            revision,
            tuple(Background(key, _numbers(features)) for key, features in backgrounds),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreError(
            f"the stored set '{title}' cannot be read; install the latest version of this program."
        ) from error


def _example(row: Sequence[Any]) -> Example:
    example_id, action, sha256, name, person_id, start_s, end_s, added_at, features, posture, pictures = row
    return Example(
        example_id,
        action,
        sha256,
        name,
        person_id,
        start_s,
        end_s,
        _numbers(features),
        np.frombuffer(posture, "<f8"),
        datetime.fromisoformat(added_at),
        picture_count=pictures,
    )


def _numbers(blob: bytes) -> NDArray[np.float32]:
    shape, values = msgspec.msgpack.decode(blob, type=tuple[list[int], bytes])
    return np.frombuffer(values, "<f4").reshape(shape)


def _blob(numbers: NDArray[np.float32]) -> bytes:
    return msgspec.msgpack.encode((numbers.shape, numbers.astype("<f4").tobytes()))


def _pictures(connection: sqlite3.Connection, example_id: str) -> tuple[bytes, ...]:
    rows = connection.execute("SELECT jpeg FROM example_picture WHERE example_id = ? ORDER BY number", (example_id,))
    return tuple(bytes(jpeg) for (jpeg,) in rows)


def _actions(text: str) -> tuple[OwnAction, ...]:
    return tuple(msgspec.json.decode(text, type=list[OwnAction]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _last_change(connection: sqlite3.Connection, set_id: str) -> tuple[int, _Before] | None:
    row = connection.execute(
        "SELECT revision, change FROM action_set_change WHERE set_id = ? ORDER BY revision DESC LIMIT 1", (set_id,)
    ).fetchone()
    return None if row is None else (int(row[0]), msgspec.json.decode(row[1], type=_Before))


def _write(connection: sqlite3.Connection, before: ActionSet, after: ActionSet, words: str) -> ActionSet:
    """Write what differs, remember what was before, and return the set with its new revision."""
    after = replace(after, revision=before.revision + 1)
    old = {one.example_id: one for one in before.examples}
    new = {one.example_id: one for one in after.examples}
    added = [one for one in after.examples if one.example_id not in old]
    gone = [one for one in before.examples if one.example_id not in new]
    renamed = [one for one in before.examples if one.example_id in new and new[one.example_id].action != one.action]
    for one in added:
        _add(connection, after.set_id, one)
    connection.executemany(
        "UPDATE example SET removed_at = ? WHERE example_id = ?", [(after.revision, one.example_id) for one in gone]
    )
    connection.executemany(
        "UPDATE example SET action = ? WHERE example_id = ?",
        [(new[one.example_id].action, one.example_id) for one in renamed],
    )
    connection.execute(
        "UPDATE action_set SET revision = ?, title = ?, actions = ?, space = ?, clips = ? WHERE set_id = ?",
        (
            after.revision,
            after.title,
            _json(after.actions),
            None if after.space is None else _json(after.space),
            None if after.clips is None else _json(after.clips),
            after.set_id,
        ),
    )
    if (before.space, before.clips and before.clips.views) != (after.space, after.clips and after.clips.views):
        _forget(connection, after)  # removed examples of another network cannot come back
    _write_backgrounds(connection, before, after)
    was = [(one.example_id, one.action, True) for one in added]
    was += [(one.example_id, one.action, False) for one in (*gone, *renamed)]
    change = _Before(words, before.title, list(before.actions), was)
    connection.execute("INSERT INTO action_set_change VALUES (?, ?, ?)", (after.set_id, after.revision, _json(change)))
    _trim(connection, after)
    _tell_analyses(connection, after.set_id)
    return after


def _add(connection: sqlite3.Connection, set_id: str, one: Example) -> None:
    """Add an example, or one that was removed again."""
    connection.execute(
        "INSERT INTO example VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"
        " ON CONFLICT (example_id) DO UPDATE SET action = excluded.action, removed_at = NULL",
        (
            one.example_id,
            set_id,
            one.action,
            one.video_sha256,
            one.video_name,
            one.person_id,
            one.start_s,
            one.end_s,
            one.added_at.isoformat(),
            _blob(one.features),
            one.posture.astype("<f8").tobytes(),
        ),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO example_picture VALUES (?, ?, ?)",
        [(one.example_id, number, jpeg) for number, jpeg in enumerate(one.pictures)],
    )


def _write_backgrounds(connection: sqlite3.Connection, before: ActionSet, after: ActionSet) -> None:
    old, new = ({one.video_key for one in some.backgrounds} for some in (before, after))
    connection.executemany(
        "DELETE FROM background WHERE set_id = ? AND video_key = ?", [(after.set_id, key) for key in old - new]
    )
    connection.executemany(
        "INSERT INTO background VALUES (?, ?, ?)",
        [(after.set_id, one.video_key, _blob(one.features)) for one in after.backgrounds if one.video_key not in old],
    )


def _forget(connection: sqlite3.Connection, after: ActionSet) -> None:
    connection.execute("DELETE FROM action_set_change WHERE set_id = ?", (after.set_id,))
    rows = connection.execute(
        "SELECT example_id FROM example WHERE set_id = ? AND removed_at IS NOT NULL", (after.set_id,)
    )
    _delete(connection, [example_id for (example_id,) in rows.fetchall()])


def _trim(connection: sqlite3.Connection, after: ActionSet) -> None:
    """Forget the oldest changes, and the examples that only they could bring back."""
    connection.execute(
        "DELETE FROM action_set_change WHERE set_id = ? AND revision NOT IN"
        " (SELECT revision FROM action_set_change WHERE set_id = ? ORDER BY revision DESC LIMIT ?)",
        (after.set_id, after.set_id, _MOST_CHANGES),
    )
    rows = connection.execute(
        "SELECT example_id FROM example WHERE set_id = ? AND removed_at <"
        " (SELECT min(revision) FROM action_set_change WHERE set_id = ?)",
        (after.set_id, after.set_id),
    )
    _delete(connection, [example_id for (example_id,) in rows.fetchall()])


def _delete(connection: sqlite3.Connection, example_ids: Iterable[str]) -> None:
    ids = [(one,) for one in example_ids]
    connection.executemany("DELETE FROM example_picture WHERE example_id = ?", ids)
    connection.executemany("DELETE FROM example WHERE example_id = ?", ids)


def _tell_analyses(connection: sqlite3.Connection, set_id: str) -> None:
    """Give the analyses that are shown with a set another number."""
    connection.execute("UPDATE chosen_set SET number = number + 1 WHERE set_id = ?", (set_id,))
