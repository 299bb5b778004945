"""Sets of own actions as rows of the database. Every function takes a connection within a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, delete, func, insert, select, update

from recognizer.actions.model import ActionSet, Background, ClipSettings, Example, OwnAction
from recognizer.actions.posture import POSTURE
from recognizer.errors import ActionsError, StoreError
from recognizer.service import tables
from recognizer.service.database import put
from recognizer.timeline.features import FeatureSpace

MOST_CHANGES: Final = 100
"""Changes of a set that can be undone."""

_set: Final = tables.action_set.c
_example: Final = tables.example.c
_picture: Final = tables.example_picture.c
_background: Final = tables.background.c
_change: Final = tables.action_set_change.c


def examples_of(set_id: str) -> Select[Any]:
    """Return the query for all examples of a set, in their order, with the number of their pictures."""
    pictures = (
        select(func.count()).select_from(tables.example_picture).where(_picture.example_id == _example.example_id)
    )
    return (
        select(tables.example, pictures.scalar_subquery().label("pictures"))
        .where(_example.set_id == set_id)
        .order_by(_example.position)
    )


class Before(Struct):
    """The state before a change, which undo brings back. ``examples`` are id, action, and whether it was removed."""

    words: str
    title: str
    actions: list[OwnAction]
    examples: list[tuple[str, str | None, bool]]


def loaded(connection: Connection, set_id: str) -> ActionSet:
    """Return a set.

    Raises:
        ActionsError: there is no such set, or this version cannot use its examples.
        StoreError: it is damaged, or a later version of this program wrote it.
    """
    found = load(connection, set_id)
    if found is None:
        raise ActionsError("this set of actions is not on this machine; load the page again.")
    return found


def load(connection: Connection, set_id: str) -> ActionSet | None:
    """Return a set at its latest revision, without pictures; None if there is none.

    Raises:
        ActionsError: another version described its examples, so that this one cannot compare them with anything.
        StoreError: it is damaged, or a later version of this program wrote it.
    """
    row = connection.execute(select(tables.action_set).where(_set.set_id == set_id)).one_or_none()
    if row is None:
        return None
    examples = connection.execute(examples_of(set_id).where(_example.removed_at.is_(None)))
    backgrounds = connection.execute(
        select(tables.background).where(_background.set_id == set_id).order_by(_background.position)
    )
    try:
        found = ActionSet(
            set_id,
            row.title,
            None if row.space is None else msgspec.json.decode(row.space, type=FeatureSpace),
            None if row.clips is None else msgspec.json.decode(row.clips, type=ClipSettings),
            actions_of(row.actions),
            tuple(map(example_of, examples)),
            row.revision,
            tuple(Background(one.video_key, _numbers(one.features)) for one in backgrounds),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreError(
            f"the stored set '{row.title}' cannot be read; install the latest version of this program."
        ) from error
    if not _is_comparable(found):
        raise ActionsError(
            f"the examples of '{row.title}' were marked with another version of this program and cannot be used; begin "
            "a new set and mark them again."
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


def example_of(row: Row[Any]) -> Example:
    """Return the example of a row of ``examples_of``."""
    return Example(
        row.example_id,
        row.action,
        row.video_sha256,
        row.video_name,
        row.person_id,
        row.start_s,
        row.end_s,
        _numbers(row.features),
        np.frombuffer(row.posture, "<f8"),
        row.added_at,
        picture_count=row.pictures,
    )


def _numbers(blob: bytes) -> NDArray[np.float32]:
    shape, values = msgspec.msgpack.decode(blob, type=tuple[list[int], bytes])
    return np.frombuffer(values, "<f4").reshape(shape)


def _blob(numbers: NDArray[np.float32]) -> bytes:
    return msgspec.msgpack.encode((numbers.shape, numbers.astype("<f4").tobytes()))


def pictures_of(connection: Connection, example_id: str) -> tuple[bytes, ...]:
    """Return the pictures of an example."""
    stored = select(_picture.jpeg).where(_picture.example_id == example_id).order_by(_picture.number)
    return tuple(bytes(jpeg) for jpeg in connection.scalars(stored))


def actions_of(text: str) -> tuple[OwnAction, ...]:
    """Return the actions of a row."""
    return tuple(msgspec.json.decode(text, type=list[OwnAction]))


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return msgspec.json.encode(value).decode()


def last_change(connection: Connection, set_id: str) -> tuple[int, Before] | None:
    """Return the revision of the latest change that can be undone, and what it found; None if there is none."""
    latest = select(tables.action_set_change).where(_change.set_id == set_id).order_by(_change.revision.desc()).limit(1)
    row = connection.execute(latest).one_or_none()
    return None if row is None else (row.revision, msgspec.json.decode(row.change, type=Before))


def write(connection: Connection, before: ActionSet, after: ActionSet, words: str) -> ActionSet:
    """Write what differs, remember what was before, and return the set with its new revision."""
    after = replace(after, revision=before.revision + 1)
    old = {one.example_id: one for one in before.examples}
    new = {one.example_id: one for one in after.examples}
    added = [one for one in after.examples if one.example_id not in old]
    gone = [one for one in before.examples if one.example_id not in new]
    renamed = [one for one in before.examples if one.example_id in new and new[one.example_id].action != one.action]
    _add(connection, after.set_id, added)
    change_examples(connection, after.set_id, [{"id": one.example_id, "removed_at": after.revision} for one in gone])
    change_examples(
        connection,
        after.set_id,
        [{"id": one.example_id, "action": new[one.example_id].action} for one in renamed],
    )
    change_set(
        connection,
        after.set_id,
        revision=after.revision,
        title=after.title,
        actions=json_text(after.actions),
        space=None if after.space is None else json_text(after.space),
        clips=None if after.clips is None else json_text(after.clips),
    )
    was_of, is_of = ((some.space, some.clips and some.clips.views) for some in (before, after))
    if before.space is not None and was_of != is_of:
        _forget(connection, after)  # removed examples of another network cannot come back
    write_backgrounds(connection, before, after)
    was = [(one.example_id, one.action, True) for one in added]
    was += [(one.example_id, one.action, False) for one in (*gone, *renamed)]
    change = Before(words, before.title, list(before.actions), was)
    row = {"set_id": after.set_id, "revision": after.revision, "change": json_text(change)}
    connection.execute(insert(tables.action_set_change), row)
    _trim(connection, after)
    tell_analyses(connection, after.set_id)
    return after


def change_set(connection: Connection, set_id: str, **values: Any) -> None:
    """Change columns of a set."""
    connection.execute(update(tables.action_set).where(_set.set_id == set_id).values(values))


def change_examples(connection: Connection, set_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change examples of a set; each row has an example's ``id`` and the same columns."""
    if rows:
        changed = update(tables.example).where(_example.example_id == bindparam("id"), _example.set_id == set_id)
        connection.execute(changed.values({name: bindparam(name) for name in rows[0] if name != "id"}), list(rows))


def _add(connection: Connection, set_id: str, added: Sequence[Example]) -> None:
    """Add examples, or some that were removed again; those keep their place."""
    first = _next_position(connection, tables.example)
    rows = [
        {
            "example_id": one.example_id,
            "set_id": set_id,
            "action": one.action,
            "video_sha256": one.video_sha256,
            "video_name": one.video_name,
            "person_id": one.person_id,
            "start_s": one.start_s,
            "end_s": one.end_s,
            "added_at": one.added_at,
            "features": _blob(one.features),
            "posture": one.posture.astype("<f8").tobytes(),
            "removed_at": None,
            "position": first + k,
        }
        for k, one in enumerate(added)
    ]
    put(connection, tables.example, rows, update=["action", "removed_at"])
    pictures = [
        {"example_id": one.example_id, "number": number, "jpeg": jpeg}
        for one in added
        for number, jpeg in enumerate(one.pictures)
    ]
    put(connection, tables.example_picture, pictures)


def _next_position(connection: Connection, table: Table) -> int:
    return (connection.scalar(select(func.max(table.c.position))) or 0) + 1


def write_backgrounds(connection: Connection, before: ActionSet, after: ActionSet) -> None:
    """Write which backgrounds a set has after a change."""
    old, new = ({one.video_key for one in some.backgrounds} for some in (before, after))
    gone = delete(tables.background).where(_background.set_id == after.set_id)
    connection.execute(gone.where(_background.video_key.in_(old - new)))
    first = _next_position(connection, tables.background)
    added = [one for one in after.backgrounds if one.video_key not in old]
    rows = [
        {
            "set_id": after.set_id,
            "video_key": one.video_key,
            "features": _blob(one.features),
            "position": first + k,
        }
        for k, one in enumerate(added)
    ]
    put(connection, tables.background, rows)


def _forget(connection: Connection, after: ActionSet) -> None:
    connection.execute(delete(tables.action_set_change).where(_change.set_id == after.set_id))
    _delete(connection, after.set_id, _example.removed_at.is_not(None))


def _trim(connection: Connection, after: ActionSet) -> None:
    """Forget the oldest changes, and the examples that only they could bring back."""
    revisions = select(_change.revision).where(_change.set_id == after.set_id)
    kept = list(connection.scalars(revisions.order_by(_change.revision.desc()).limit(MOST_CHANGES)))
    if kept:
        oldest = delete(tables.action_set_change).where(_change.set_id == after.set_id)
        connection.execute(oldest.where(_change.revision < kept[-1]))
        _delete(connection, after.set_id, _example.removed_at < kept[-1])


def _delete(connection: Connection, set_id: str, which: ColumnElement[bool]) -> None:
    gone = select(_example.example_id).where(_example.set_id == set_id, which)
    connection.execute(delete(tables.example_picture).where(_picture.example_id.in_(gone)))
    connection.execute(delete(tables.example).where(_example.set_id == set_id, which))


def tell_analyses(connection: Connection, set_id: str) -> None:
    """Give the analyses that are shown with a set another number."""
    chosen = tables.chosen_set.c
    connection.execute(update(tables.chosen_set).where(chosen.set_id == set_id).values(number=chosen.number + 1))
