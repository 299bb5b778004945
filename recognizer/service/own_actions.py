"""Own actions for the pages: sets and examples, what they teach, and what to mark next."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from recognizer.actions.head import Head
from recognizer.actions.model import (
    NONE_OF_THESE,
    ActionSet,
    Background,
    Example,
    Mode,
    OwnAction,
    background_of,
    checked_name,
    checked_title,
    clip_settings,
    merged,
    with_action,
    with_background,
    with_examples,
    with_network,
)
from recognizer.actions.moments import moment
from recognizer.actions.quality import Quality, quality, warnings
from recognizer.actions.set_file import read_set, write_set
from recognizer.errors import ActionsError
from recognizer.service.action_sets import Chosen, SetSummary
from recognizer.service.opened import Opened
from recognizer.service.own_names import Naming
from recognizer.service.stills import filmstrip
from recognizer.service.store import AnalysisStore, StoredAnalysis, now
from recognizer.service.suggestions import FoundMoment, Suggestions
from recognizer.service.workbench import Workbench
from recognizer.timeline.features import FeatureTable, feature_space

_Counted = TypeVar("_Counted")

FIRST_TITLE: Final = "My actions"
"""The title of a set that nobody has named."""


class Fit(NamedTuple):
    """Whether an analysis can be shown with a set.

    Attributes:
        fits: whether it can.
        why: one sentence that says why not; None if it can.
        remark: one sentence about how well; None if there is nothing to say.
    """

    fits: bool
    why: str | None = None
    remark: str | None = None


class OwnActions:
    """Everybody's own actions. Safe to call from any thread; who knows a set's id may change it.

    Attributes:
        sets: the stored sets.
        naming: what they teach.
    """

    def __init__(self, store: AnalysisStore, workbench: Workbench, naming: Naming) -> None:
        self._store = store
        self._workbench = workbench
        self.sets = naming.sets
        self.naming = naming
        self._suggestions = Suggestions(workbench, naming)

    # sets

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

    # files

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

    # examples

    def add_example(
        self, set_id: str, analysis_id: str, person_id: int, start_s: float, end_s: float, action: str | None
    ) -> Example:
        """Add a moment of a person as an example of an action, which is new if it is not in the set yet.

        Args:
            set_id: the set.
            analysis_id: the analysis.
            person_id: the person, as corrected.
            start_s: start of the moment.
            end_s: its end.
            action: a name; None for none of these.

        Raises:
            ActionsError: the moment shows nothing that can be learned, the analysis does not fit the set, the name is
                no name, or the set is full.
            StoreError: the database cannot be written to.
        """
        name = None if action is None else checked_name(action)
        opened = self._opened(analysis_id)
        machine, table = opened.machine, self._table(opened)
        found = moment(machine, table, person_id, start_s, end_s, opened.corrected)
        space = None if table is None else feature_space(machine, table)
        if table is None or space is None:
            raise ActionsError("the network's weights are not recorded in this analysis; analyse the video again.")
        pictures = filmstrip(self._store, opened, person_id, start_s, end_s)
        example = Example(
            secrets.token_urlsafe(16),
            name,
            machine.video.sha256,
            opened.video_name,
            person_id,
            start_s,
            end_s,
            found.features,
            found.posture,
            now(),
            pictures,
            len(pictures),
        )
        clips, background = clip_settings(machine, table.views), background_of(table)

        def add(before: ActionSet) -> ActionSet:
            if not before.examples:  # nothing is compared with it yet
                before = with_network(before, space, clips)
            problem = before.misfit(space, table.views)
            if problem is not None:
                raise ActionsError(problem)
            return with_background(with_examples(before, [example]), Background(example.video_key, background))

        after = self.sets.change(set_id, f"mark {name or NONE_OF_THESE}", add)
        return next(one for one in after.examples if one.moment_key == example.moment_key)

    def move_example(self, set_id: str, example_id: str, action: str | None) -> ActionSet:
        """Make an example one of another action, or of none of these.

        Raises:
            ActionsError: the name is no name, or there is no such set or example.
        """
        name = None if action is None else checked_name(action)

        def move(before: ActionSet) -> ActionSet:
            example = _example(before, example_id)
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

    # actions

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

    # what a set teaches

    def head(self, set_id: str) -> Head | None:
        """Return what a set teaches; None until there are two kinds of examples."""
        actions = self.load(set_id)
        return None if actions is None else self.naming.head(actions)

    def quality(self, set_id: str) -> Quality | None:
        """Return how good a set is, each video named by what the others teach; None until that can be measured."""
        return self._of_examples(set_id, quality)

    def warnings(self, set_id: str) -> dict[str | None, list[str]]:
        """Return where a set will fail, in words, by action; under None, what concerns the whole set."""
        return self._of_examples(set_id, warnings) or {}

    def _of_examples(self, set_id: str, count: Callable[..., _Counted]) -> _Counted | None:
        actions = self.load(set_id)
        if actions is None or not actions.examples:
            return None
        examples = actions.examples
        names, videos = [one.action for one in examples], [one.video_key for one in examples]
        return count(actions.descriptors, names, videos, actions.background)

    # what to mark next

    def questions(self, set_id: str, analysis_ids: Sequence[str]) -> list[FoundMoment]:
        """Return the moments of these analyses that a set is least sure of, none until it has two kinds of examples.

        Videos that are not marked yet come first.
        """
        actions = self.load(set_id)
        head = None if actions is None else self.naming.head(actions)
        return [] if actions is None or head is None else self._suggestions.questions(actions, head, analysis_ids)

    def alike(
        self,
        analysis_id: str,
        person_id: int,
        start_s: float,
        end_s: float,
        analysis_ids: Sequence[str],
        count: int = 24,
    ) -> list[FoundMoment]:
        """Return the moments of these analyses that look like one moment, the most alike first, without that one.

        Raises:
            ActionsError: nothing is known of the moment; see ``moment``.
        """
        opened = self._opened(analysis_id)
        found = moment(opened.machine, self._table(opened), person_id, start_s, end_s, opened.corrected)
        asked = FoundMoment(analysis_id, opened.video_name, person_id, start_s, end_s, 1.0)
        return self._suggestions.alike(found.features, asked, analysis_ids, count)

    def alike_example(
        self, set_id: str, example_id: str, analysis_ids: Sequence[str], count: int = 24
    ) -> list[FoundMoment]:
        """Return the moments of these analyses that look like an example and are no examples, the most alike first.

        Raises:
            ActionsError: there is no such set or example.
        """
        actions = self.load(set_id)
        if actions is None:
            raise ActionsError("this set is not on this machine; load the page again.")
        return self._suggestions.like_example(actions, _example(actions, example_id), analysis_ids, count)

    def unknown_groups(self, analysis_ids: Sequence[str]) -> list[list[FoundMoment]]:
        """Return groups of moments without a name that look alike, the largest first; the most typical moment first."""
        return self._suggestions.unknown_groups(analysis_ids)

    def filmstrip(self, one: FoundMoment) -> tuple[bytes, ...]:
        """Return three pictures of a moment as JPEG; none if the video has gone."""
        return filmstrip(self._store, self._opened(one.analysis_id), one.person_id, one.start_s, one.end_s)

    # what an analysis is shown with

    def fit(self, set_id: str, analysis_id: str) -> Fit:
        """Return whether an analysis can be shown with a set."""
        stored, actions = self._workbench.analysis(analysis_id), self.load(set_id)
        if stored is None or actions is None:
            return Fit(False, "This analysis or this set is not on this machine; load the page again.")
        why = self.naming.misfit(stored, actions)
        table = self.naming.table(stored)
        if why is not None or table is None:
            return Fit(False, why)
        return Fit(True, None, actions.remark(clip_settings(stored.timeline, table.views)))

    def chosen(self, analysis_id: str) -> Chosen:
        """Return what an analysis is shown with."""
        return self.sets.chosen(analysis_id)

    def choose(self, analysis_id: str, set_id: str | None, mode: Mode = "instead") -> Opened:
        """Show an analysis with a set, or with the network's labels; return it as it is shown now.

        Raises:
            ActionsError: the set does not fit the analysis, or one of them is not on this machine.
            StoreError: the database cannot be written to.
        """
        if set_id is not None:
            fit = self.fit(set_id, analysis_id)
            if not fit.fits:
                raise ActionsError(fit.why or "this set does not fit this analysis; choose another one.")
            self._know_background(set_id, self._opened(analysis_id))
        self.sets.choose(analysis_id, set_id, mode)
        return self._opened(analysis_id)

    def _know_background(self, set_id: str, opened: Opened) -> None:
        """Have a set know what the moments of an analysis share: other videos have other places and other people."""
        table = self._table(opened)
        if table is not None:
            key = opened.machine.video.sha256 or opened.video_name
            self.sets.know_background(set_id, Background(key, background_of(table)))

    def _opened(self, analysis_id: str) -> Opened:
        opened = self._workbench.opened(analysis_id)
        if opened is None:
            raise ActionsError("this analysis is not on this machine; load the page again.")
        return opened

    def _table(self, opened: Opened) -> FeatureTable | None:
        assert isinstance(opened.stored, StoredAnalysis)
        return self.naming.table(opened.stored)


def _action(actions: ActionSet, name: str) -> OwnAction:
    found = next((one for one in actions.actions if one.name == name), None)
    if found is None:
        raise ActionsError(f"there is no action called '{name}' in this set; load the page again.")
    return found


def _example(actions: ActionSet, example_id: str) -> Example:
    found = next((one for one in actions.examples if one.example_id == example_id), None)
    if found is None:
        raise ActionsError("this example is not in this set any more; load the page again.")
    return found
