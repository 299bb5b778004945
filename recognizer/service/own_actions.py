"""Own actions for the pages: what is taught where, what to mark next, and what an analysis is shown with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from recognizer.actions.head import Head
from recognizer.actions.model import (
    NONE_OF_THESE,
    ActionSet,
    Background,
    ClipSettings,
    Example,
    background_of,
    checked_name,
    clip_settings,
    with_background,
    with_examples,
    with_network,
)
from recognizer.actions.moments import moment
from recognizer.actions.provenance import Mode
from recognizer.actions.quality import Quality, quality, warnings
from recognizer.errors import ActionsError
from recognizer.service.action_sets import Chosen
from recognizer.service.clip_index import FoundMoment
from recognizer.service.opened import Opened
from recognizer.service.own_names import Naming
from recognizer.service.set_editing import SetEditing, example_in
from recognizer.service.shown import Recent
from recognizer.service.stills import filmstrip
from recognizer.service.store import AnalysisStore, StoredAnalysis, now
from recognizer.service.suggestions import Suggestions
from recognizer.service.workbench import Workbench
from recognizer.timeline.features import FeatureSpace, FeatureTable, feature_space

_Counted = TypeVar("_Counted")

_MOST_MEASURED: Final = 16
"""Sets whose quality is remembered: a large one takes seconds."""


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


class _Marked(NamedTuple):
    """A marked moment and the network that saw it.

    Attributes:
        example: the moment.
        space: what its features belong to.
        clips: how the clips were cut.
        background: a few clips of its video.
    """

    example: Example
    space: FeatureSpace
    clips: ClipSettings
    background: Background


class OwnActions(SetEditing):
    """Everybody's own actions: what is taught in analyses, and what analyses are shown with."""

    def __init__(self, store: AnalysisStore, workbench: Workbench, naming: Naming) -> None:
        super().__init__(store, naming)
        self._workbench = workbench
        self._suggestions = Suggestions(workbench, naming)
        self._quality = Recent(_MOST_MEASURED)

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
        return self._add(set_id, self._marked(analysis_id, person_id, start_s, end_s, action))

    def add_first_example(
        self, analysis_id: str, person_id: int, start_s: float, end_s: float, action: str | None
    ) -> tuple[str, Example]:
        """Make a set of one example, which ``add_example`` describes; a refused example leaves no set.

        Returns:
            The set's id, and the example.
        """
        marked = self._marked(analysis_id, person_id, start_s, end_s, action)
        set_id = self.create()
        return set_id, self._add(set_id, marked)

    def _marked(self, analysis_id: str, person_id: int, start_s: float, end_s: float, action: str | None) -> _Marked:
        """Return a moment of a person as an example; it is in no set yet."""
        name = None if action is None else checked_name(action)
        opened = self._opened(analysis_id)
        machine, table = opened.machine, self._table(opened)
        found = moment(machine, table, person_id, start_s, end_s, opened.corrected)
        start_s, end_s = max(start_s, machine.begins_s), min(end_s, machine.analysed_s)
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
        background = Background(example.video_key, background_of(table))
        return _Marked(example, space, clip_settings(machine, table.views), background)

    def _add(self, set_id: str, marked: _Marked) -> Example:
        example, name = marked.example, marked.example.action or NONE_OF_THESE

        def add(before: ActionSet) -> ActionSet:
            if not before.examples:  # nothing is compared with it yet
                before = with_network(before, marked.space, marked.clips)
            problem = before.misfit(marked.space, marked.clips.views)
            if problem is not None:
                raise ActionsError(problem)
            return with_background(with_examples(before, [example]), marked.background)

        after = self.sets.change(set_id, f"mark {name}", add)
        return next(one for one in after.examples if one.moment_key == example.moment_key)

    def head(self, set_id: str) -> Head | None:
        """Return what a set teaches; None until there are two kinds of examples."""
        actions = self.load(set_id)
        return None if actions is None else self.naming.head(actions)

    def quality(self, set_id: str) -> Quality | None:
        """Return how good a set is, each video named by what the others teach; None until that can be measured."""
        key = set_id, self.sets.revision(set_id)
        return self._quality.get(key, lambda: self._of_examples(set_id, quality))

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

    def questions(self, set_id: str, analysis_ids: Sequence[str]) -> list[FoundMoment]:
        """Return the moments of these analyses that a set knows least of, none until it has two kinds of examples.

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
        return self._suggestions.like_example(actions, example_in(actions, example_id), analysis_ids, count)

    def unknown_groups(self, set_id: str, analysis_ids: Sequence[str]) -> list[list[FoundMoment]]:
        """Return groups of moments that neither the network nor a set names, the largest first.

        The most typical moment of a group comes first.
        """
        actions = self.load(set_id)
        if actions is None:
            return []
        return self._suggestions.unknown_groups(actions, self.naming.head(actions), analysis_ids)

    def prepare(self, analysis_ids: Sequence[str]) -> None:
        """List the clips of analyses in the background, so that the first search need not wait."""
        self._suggestions.prepare(analysis_ids)

    def filmstrip(self, one: FoundMoment) -> tuple[bytes, ...]:
        """Return three pictures of a moment as JPEG; none if the video has gone."""
        return filmstrip(self._store, self._opened(one.analysis_id), one.person_id, one.start_s, one.end_s)

    def fit(self, set_id: str, analysis_id: str) -> Fit:
        """Return whether an analysis can be shown with a set."""
        stored = self._workbench.analysis(analysis_id)
        try:
            actions = self.load(set_id)
        except ActionsError as error:  # other sets may fit
            return Fit(False, str(error))
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

    def carry_over(self, from_id: str, to_id: str) -> bool:
        """Show a new analysis like another one, unless something is chosen for it or the other's set does not fit it.

        Raises:
            StoreError: the database cannot be written to.
        """
        before = self.chosen(from_id)
        if before.set_id is None or self.chosen(to_id).number or not self.fit(before.set_id, to_id).fits:
            return False
        self.choose(to_id, before.set_id, before.mode)
        return True

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
