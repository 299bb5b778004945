"""Sets of own actions as rows of the database. Every function takes a connection within a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from recognizer.actions.model import ActionSet, Background, ClipSettings, Example, OwnAction
from recognizer.actions.posture import POSTURE
from recognizer.errors import ActionsError, StoreError
from recognizer.timeline.features import FeatureSpace

MOST_CHANGES: Final = 100
"""Changes of a set that can be undone."""

EXAMPLE: Final = (
    "SELECT example_id, action, video_sha256, video_name, person_id, start_s, end_s, added_at, features, posture,"
    " (SELECT count(*) FROM example_picture WHERE example_picture.example_id = example.example_id)"
    " FROM example WHERE set_id = ?"
)


class Before(Struct):
    """What a change found: what undo brings back. ``examples`` are id, action, and whether it was removed."""

    words: str
    title: str
    actions: list[OwnAction]
    examples: list[tuple[str, str | None, bool]]


def loaded(connection: sqlite3.Connection, set_id: str) -> ActionSet:
    """Return a set.

    Raises:
        ActionsError: there is no such set, or this version cannot use its examples.
        StoreError: it is damaged, or a later version of this program wrote it.
    """
    found = load(connection, set_id)
    if found is None:
        raise ActionsError("this set of actions is not on this machine; load the page again.")
    return found


def load(connection: sqlite3.Connection, set_id: str) -> ActionSet | None:
    """Return a set at its latest revision, without pictures; None if there is none.

    Raises:
        ActionsError: another version described its examples, so that this one cannot compare them with anything.
        StoreError: it is damaged, or a later version of this program wrote it.
    """
    row = connection.execute(
        "SELECT revision, title, actions, space, clips FROM action_set WHERE set_id = ?", (set_id,)
    ).fetchone()
    if row is None:
        return None
    revision, title, actions, space, clips = row
    examples = connection.execute(f"{EXAMPLE} AND removed_at IS NULL ORDER BY rowid", (set_id,))
    backgrounds = connection.execute(
        "SELECT video_key, features FROM background WHERE set_id = ? ORDER BY rowid", (set_id,)
    )
    try:
        found = ActionSet(
            set_id,
            title,
            None if space is None else msgspec.json.decode(space, type=FeatureSpace),
            None if clips is None else msgspec.json.decode(clips, type=ClipSettings),
            actions_of(actions),
            tuple(map(example_of, examples)),
            revision,
            tuple(Background(key, _numbers(features)) for key, features in backgrounds),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreError(
            f"the stored set '{title}' cannot be read; install the latest version of this program."
        ) from error
    if not _is_comparable(found):
        raise ActionsError(
            f"the examples of '{title}' were marked with another version of this program and cannot be used; begin a "
            "new set and mark them again."
        )
    return found


def _is_comparable(found: ActionSet) -> bool:
    """Return whether everything has the shapes that heads are learned from."""
    if found.space is None or found.clips is None:
        return True  # there is nothing to compare with yet
    shape = (2 * found.clips.views, found.space.size)
    return all(one.features.shape == shape and one.posture.shape == (len(POSTURE),) for one in found.examples) and all(
        one.features.shape[1:] == shape for one in found.backgrounds
    )


def example_of(row: Sequence[Any]) -> Example:
    """Return the example of a row of ``EXAMPLE``."""
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


def pictures_of(connection: sqlite3.Connection, example_id: str) -> tuple[bytes, ...]:
    """Return the pictures of an example."""
    rows = connection.execute("SELECT jpeg FROM example_picture WHERE example_id = ? ORDER BY number", (example_id,))
    return tuple(bytes(jpeg) for (jpeg,) in rows)


def actions_of(text: str) -> tuple[OwnAction, ...]:
    """Return the actions of a row."""
    return tuple(msgspec.json.decode(text, type=list[OwnAction]))


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()


def last_change(connection: sqlite3.Connection, set_id: str) -> tuple[int, Before] | None:
    """Return the revision of the latest change that can be undone, and what it found; None if there is none."""
    row = connection.execute(
        "SELECT revision, change FROM action_set_change WHERE set_id = ? ORDER BY revision DESC LIMIT 1", (set_id,)
    ).fetchone()
    return None if row is None else (int(row[0]), msgspec.json.decode(row[1], type=Before))


def write(connection: sqlite3.Connection, before: ActionSet, after: ActionSet, words: str) -> ActionSet:
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
            json_text(after.actions),
            None if after.space is None else json_text(after.space),
            None if after.clips is None else json_text(after.clips),
            after.set_id,
        ),
    )
    was_of, is_of = ((some.space, some.clips and some.clips.views) for some in (before, after))
    if before.space is not None and was_of != is_of:
        _forget(connection, after)  # removed examples of another network cannot come back
    write_backgrounds(connection, before, after)
    was = [(one.example_id, one.action, True) for one in added]
    was += [(one.example_id, one.action, False) for one in (*gone, *renamed)]
    change = Before(words, before.title, list(before.actions), was)
    connection.execute(
        "INSERT INTO action_set_change VALUES (?, ?, ?)", (after.set_id, after.revision, json_text(change))
    )
    _trim(connection, after)
    tell_analyses(connection, after.set_id)
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


def write_backgrounds(connection: sqlite3.Connection, before: ActionSet, after: ActionSet) -> None:
    """Write which backgrounds a set has after a change."""
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
        (after.set_id, after.set_id, MOST_CHANGES),
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


def tell_analyses(connection: sqlite3.Connection, set_id: str) -> None:
    """Give the analyses that are shown with a set another number."""
    connection.execute("UPDATE chosen_set SET number = number + 1 WHERE set_id = ?", (set_id,))
