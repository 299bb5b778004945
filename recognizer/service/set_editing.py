"""Edit sets of own actions: titles, names, examples, files. Every edit is stored at once and can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recognizer.actions.model import (
    NONE_OF_THESE,
    ActionSet,
    Example,
    OwnAction,
    checked_name,
    checked_title,
    merged,
    with_action,
    with_examples,
)
from recognizer.actions.set_file import read_set, write_set
from recognizer.errors import ActionsError
from recognizer.service.action_sets import SetSummary
from recognizer.service.own_names import Naming
from recognizer.service.store import AnalysisStore

FIRST_TITLE: Final = "My actions"
"""The title of a set that nobody has named."""


class SetEditing:
    """Everybody's sets of own actions. Safe to call from any thread; who knows a set's id may change it.

    Attributes:
        sets: the stored sets.
        naming: what they teach.
    """

    def __init__(self, store: AnalysisStore, naming: Naming) -> None:
        self._store = store
        self.sets = naming.sets
        self.naming = naming

    def create(self, title: str = FIRST_TITLE) -> str:
        """Make an empty set and return its id, which cannot be guessed.

        Raises:
            ActionsError: the title is no title.
            StoreError: the database cannot be written to.
        """
        return self.sets.create(checked_title(title))

    def load(self, set_id: str) -> ActionSet | None:
        """Return a set at its latest revision, without pictures; None if there is none."""
        return self.naming.set(set_id)

    def summaries(self, set_ids: Sequence[str]) -> list[SetSummary]:
        """Return summaries of the stored ones among these sets, in this order."""
        return self.sets.summaries(set_ids)

    def set_title(self, set_id: str, title: str) -> ActionSet:
        """Give a set another title.

        Raises:
            ActionsError: the title is no title, or there is no such set.
        """
        title = checked_title(title)
        return self.sets.change(
            set_id,
            f"call the set {title}",
            lambda before: before if before.title == title else replace(before, title=title),
        )

    def export(self, set_id: str, *, with_pictures: bool = False) -> bytes:
        """Return a set as a file; with pictures only on request, since they show people.

        Raises:
            ActionsError: there is no such set.
        """
        actions = self.sets.load(set_id, with_pictures=with_pictures)
        if actions is None:
            raise ActionsError("this set of actions is not on this machine; load the page again.")
        slots = self._store.action_slots()
        colored = (one if one.slot is not None else OwnAction(one.name, slots.get(one.name)) for one in actions.actions)
        return write_set(replace(actions, actions=tuple(colored)), self.naming.head(actions))

    def import_set(self, content: bytes, name: str) -> str:
        """Store the set of a file and return its id, which is a new one.

        Raises:
            ActionsError: it is no such file.
            StoreError: the database cannot be written to.
        """
        read = read_set(content, name)
        set_id = self.sets.create(read.title)
        self.sets.change(set_id, f"read {name}", lambda before: merged(before, read))
        return set_id

    def merge(self, set_id: str, content: bytes, name: str) -> int:
        """Add the actions and examples of a file to a set; return how many examples were new.

        Raises:
            ActionsError: it is no such file, or does not fit the set.
            StoreError: the database cannot be written to.
        """
        read, added = read_set(content, name), [0]

        def merge(before: ActionSet) -> ActionSet:
            after = merged(before, read)
            added[0] = len(after.examples) - len(before.examples)
            return after

        self.sets.change(set_id, f"add {name}", merge)
        return added[0]

    def move_example(self, set_id: str, example_id: str, action: str | None) -> ActionSet:
        """Make an example one of another action, or of none of these.

        Raises:
            ActionsError: the name is no name, or there is no such set or example.
        """
        name = None if action is None else checked_name(action)

        def move(before: ActionSet) -> ActionSet:
            example = example_in(before, example_id)
            if example.action == name:
                return before
            others = tuple(one for one in before.examples if one is not example)
            return with_examples(replace(before, examples=others), [replace(example, action=name)])

        return self.sets.change(set_id, f"move an example to {name or NONE_OF_THESE}", move)

    def remove_example(self, set_id: str, example_id: str) -> ActionSet:
        """Remove an example; ``restore_example`` and ``undo`` bring it back. Nothing changes if it is gone.

        Raises:
            ActionsError: there is no such set.
        """

        def remove(before: ActionSet) -> ActionSet:
            left = tuple(one for one in before.examples if one.example_id != example_id)
            return before if len(left) == len(before.examples) else replace(before, examples=left)

        return self.sets.change(set_id, "remove an example", remove)

    def restore_example(self, set_id: str, example_id: str) -> ActionSet:
        """Bring a removed example back.

        Raises:
            ActionsError: there is no such set or example.
        """
        return self.sets.restore(set_id, example_id)

    def picture(self, set_id: str, example_id: str, number: int) -> bytes | None:
        """Return one picture of an example as JPEG; None if there is none."""
        return self.sets.picture(set_id, example_id, number)

    def add_action(self, set_id: str, name: str) -> ActionSet:
        """Add a name without examples; nothing changes if it is there.

        Raises:
            ActionsError: the name is no name, or the set is full.
        """
        name = checked_name(name)
        return self.sets.change(set_id, f"add {name}", lambda before: with_action(before, name)[0])

    def rename_action(self, set_id: str, old: str, new: str) -> ActionSet:
        """Give an action another name; if there is an action of that name, the two become one.

        Raises:
            ActionsError: the new name is no name, or there is no such action.
        """
        new = checked_name(new)

        def rename(before: ActionSet) -> ActionSet:
            action = _action(before, old)
            if old == new:
                return before
            others = tuple(one for one in before.actions if one is not action)
            other = next((one.name for one in others if one.name.casefold() == new.casefold()), None)
            name = new if other is None else other
            actions = tuple(replace(one, name=new) if one is action else one for one in before.actions)
            examples = tuple(replace(one, action=name) if one.action == old else one for one in before.examples)
            return replace(before, actions=actions if other is None else others, examples=examples)

        return self.sets.change(set_id, f"rename {old} to {new}", rename)

    def recolor(self, set_id: str, name: str, slot: int) -> ActionSet:
        """Give an action another slot of the palette, in this set and for everything on this machine.

        Raises:
            ActionsError: there is no such action.
        """

        def recolor(before: ActionSet) -> ActionSet:
            action = _action(before, name)
            actions = (replace(one, slot=slot) if one is action else one for one in before.actions)
            return replace(before, actions=tuple(actions))

        after = self.sets.change(set_id, f"recolor {name}", recolor)
        self._store.replace_action_slot(name, slot)
        return after

    def remove_action(self, set_id: str, name: str) -> ActionSet:
        """Remove an action with its examples; ``undo`` brings them back.

        Raises:
            ActionsError: there is no such action.
        """

        def remove(before: ActionSet) -> ActionSet:
            action = _action(before, name)
            return replace(
                before,
                actions=tuple(one for one in before.actions if one is not action),
                examples=tuple(one for one in before.examples if one.action != name),
            )

        return self.sets.change(set_id, f"remove {name}", remove)

    def undo_words(self, set_id: str) -> str | None:
        """Return what undo takes back; None if there is nothing."""
        return self.sets.undo_words(set_id)

    def undo(self, set_id: str) -> ActionSet:
        """Take the last change of a set back; nothing changes if there is none.

        Raises:
            ActionsError: there is no such set.
        """
        return self.sets.undo(set_id)


def _action(actions: ActionSet, name: str) -> OwnAction:
    found = next((one for one in actions.actions if one.name == name), None)
    if found is None:
        raise ActionsError(f"there is no action called '{name}' in this set; load the page again.")
    return found


def example_in(actions: ActionSet, example_id: str) -> Example:
    """Return an example of a set.

    Raises:
        ActionsError: there is no such example.
    """
    found = next((one for one in actions.examples if one.example_id == example_id), None)
    if found is None:
        raise ActionsError("this example is not in this set any more; load the page again.")
    return found
