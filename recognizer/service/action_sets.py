"""Store sets of own actions across restarts, in the database of analyses.

Every change reads, changes and writes within one transaction, as corrections do. A removed example stays until the
change that removed it can no longer be undone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, delete, distinct, func, insert, select

from recognizer.actions.model import ActionSet, Background, OwnAction, with_background
from recognizer.actions.provenance import Mode
from recognizer.errors import ActionsError
from recognizer.service import tables
from recognizer.service.action_set_rows import (
    actions_of,
    change_examples,
    change_set,
    example_of,
    examples_of,
    json_text,
    last_change,
    load,
    loaded,
    pictures_of,
    tell_analyses,
    write,
    write_backgrounds,
)
from recognizer.service.database import Database, batched, put
from recognizer.service.store import now

_WHAT: Final = "own actions"


class SetSummary(NamedTuple):
    """A set in a list of sets.

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
    """The chosen names of an analysis.

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
            row = {"set_id": set_id, "created_at": now(), "revision": 1, "title": title, "actions": "[]"}
            connection.execute(insert(tables.action_set), row)
        return set_id

    def revision(self, set_id: str) -> int | None:
        """Return the number of a set's latest revision; None if there is no such set."""
        stored = tables.action_set.c
        with self._database.reading() as connection:
            return connection.scalar(select(stored.revision).where(stored.set_id == set_id))

    def load(self, set_id: str, *, with_pictures: bool = False) -> ActionSet | None:
        """Return a set at its latest revision; None if there is none.

        Raises:
            ActionsError: another version described its examples, so that this one cannot use them.
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        with self._database.reading() as connection:
            found = load(connection, set_id)
            if found is None or not with_pictures:
                return found
            examples = (replace(one, pictures=pictures_of(connection, one.example_id)) for one in found.examples)
            return replace(found, examples=tuple(examples))

    def picture(self, set_id: str, example_id: str, number: int) -> bytes | None:
        """Return one picture of an example as JPEG; None if there is none."""
        example, picture = tables.example.c, tables.example_picture.c
        with self._database.reading() as connection:
            jpeg = connection.scalar(
                select(picture.jpeg)
                .join(tables.example, example.example_id == picture.example_id)
                .where(example.set_id == set_id, example.example_id == example_id, picture.number == number)
            )
        return None if jpeg is None else bytes(jpeg)

    def summaries(self, set_ids: Sequence[str]) -> list[SetSummary]:
        """Return summaries of the stored ones among these sets, in this order."""
        own, example = tables.action_set.c, tables.example.c
        columns = (
            select(
                own.set_id,
                own.title,
                own.actions,
                func.count(example.example_id),
                func.count(distinct(func.coalesce(example.video_sha256, example.video_name))),
            )
            .outerjoin(tables.example, and_(example.set_id == own.set_id, example.removed_at.is_(None)))
            .group_by(own.set_id, own.title, own.actions)
        )
        with self._database.reading() as connection:
            rows = [row for part in batched(set_ids) for row in connection.execute(columns.where(own.set_id.in_(part)))]
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
            row = connection.execute(examples_of(set_id).where(tables.example.c.example_id == example_id)).one_or_none()
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
                change_set(connection, set_id, revision=before.revision + 1)
                tell_analyses(connection, set_id)

    def undo_words(self, set_id: str) -> str | None:
        """Return what undo takes back; None if there is nothing."""
        with self._database.reading() as connection:
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
            rows = [
                {"id": one, "action": action, "removed_at": revision if removed else None}
                for one, action, removed in before.examples
            ]
            change_examples(connection, set_id, rows)
            change_set(connection, set_id, revision=revision, title=before.title, actions=json_text(before.actions))
            change = tables.action_set_change.c
            connection.execute(
                delete(tables.action_set_change).where(change.set_id == set_id, change.revision == number)
            )
            tell_analyses(connection, set_id)
            return loaded(connection, set_id)

    def chosen(self, analysis_id: str) -> Chosen:
        """Return what an analysis is shown with."""
        with self._database.reading() as connection:
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
            put(connection, tables.chosen_set, [{"analysis_id": analysis_id, **after._asdict()}])
        return after


def _chosen(connection: Connection, analysis_id: str) -> Chosen:
    chosen = tables.chosen_set.c
    columns = select(chosen.set_id, chosen.mode, chosen.number).where(chosen.analysis_id == analysis_id)
    row = connection.execute(columns).one_or_none()
    return Chosen() if row is None else Chosen(*row)
