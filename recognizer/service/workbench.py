"""Items that users see and correct: opened analyses and comparisons in memory, their corrections in the database."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal
from weakref import WeakValueDictionary

from recognizer.actions.naming import postures
from recognizer.actions.provenance import own_names_key
from recognizer.analysis.passes import pass_key_from
from recognizer.errors import CorrectionsError, StoreError
from recognizer.service.action_sets import ActionSetStore, Chosen
from recognizer.service.comparisons import ComparisonStore, StoredComparison
from recognizer.service.corrections import Revision
from recognizer.service.counting import LatestCounting
from recognizer.service.jobs import Job, Jobs
from recognizer.service.kept_corrections import KeptCorrections
from recognizer.service.movements import movements_of
from recognizer.service.opened import Opened, opened_comparison
from recognizer.service.own_names import Naming
from recognizer.service.replays import Replays
from recognizer.service.shown import Shown, View
from recognizer.service.store import AnalysisStore, StoredAnalysis, StoredSummary
from recognizer.service.unsaved import Unsaved
from recognizer.settings import SETTING_SPECS
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Edit, SingleEdit, Together
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline

Kind = Literal["analysis", "comparison"]

_MOST_OPENED: Final = 6
"""Opened items that stay in memory although no page holds them."""

_MOST_CHOICES: Final = 256

_TURNS: Final = 64

_Key = tuple[Kind, str]


class Workbench:
    """Opens analyses and comparisons, and applies corrections. Safe to call from any thread."""

    def __init__(
        self,
        store: AnalysisStore,
        comparisons: ComparisonStore,
        naming: Naming | None = None,
        unsaved: Unsaved | None = None,
    ) -> None:
        self._store = store
        self._naming = naming or Naming(ActionSetStore(store.database))
        self._comparisons = comparisons
        self._unsaved = unsaved or Unsaved()
        self._corrections = KeptCorrections(store.database, self._unsaved)
        self._choices: OrderedDict[str, Chosen] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))
        self._background = Jobs(max_at_once=2)
        self._counting = LatestCounting(self._background)
        self._replays = Replays()
        self._opened: OrderedDict[_Key, Opened] = OrderedDict()
        self._held: WeakValueDictionary[_Key, StoredAnalysis | StoredComparison] = WeakValueDictionary()

    def hold(self, stored: StoredAnalysis | StoredComparison) -> None:
        """Use this object, while anybody keeps it, instead of loading the same from the database again."""
        key = _key_of(stored)
        with self._lock:
            if _content_of(self._held.get(key)) != _content_of(stored):
                self._held[key] = stored
                self._opened.pop(key, None)

    def expect(self, stored: StoredAnalysis) -> None:
        """Get ready for a page that will show this new analysis soon."""
        self.begin(stored)
        opened = self.opened(stored.analysis_id)
        if opened is not None:
            self.prepare(opened)

    def begin(self, stored: StoredAnalysis | StoredComparison) -> None:
        """Hold a new item, which nobody has corrected, whether or not the database can be asked."""
        item_id = _key_of(stored)[1]
        self._corrections.expect_none(item_id)
        self._choices.setdefault(item_id, Chosen())
        self.hold(stored)

    def corrections_problem(self, analysis_id: str) -> str | None:
        """Return why the latest corrections of an analysis are not stored, in a sentence; None if they are."""
        return self._corrections.problem(analysis_id)

    def analysis(self, analysis_id: str) -> StoredAnalysis | None:
        """Return an analysis, from memory if somebody has it; None if there is none.

        Raises:
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        with self._turn(("analysis", analysis_id)):
            return self._analysis(analysis_id)

    def opened(self, item_id: str, kind: Kind = "analysis") -> Opened | None:
        """Return an analysis at its latest revision, or a comparison; None if there is none.

        While the database cannot be read, this is the latest that is known.

        Raises:
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        key: _Key = (kind, item_id)
        with self._turn(key):
            opened = self._known(key)
            try:
                return self._latest(key, opened)
            except StoreError:
                if opened is None:
                    raise
                return opened

    def _latest(self, key: _Key, opened: Opened | None) -> Opened | None:
        """Return an item at its latest revision, from memory if that is it; None if there is none."""
        kind, item_id = key
        if kind == "comparison":
            return opened or self._open_comparison(item_id)
        chosen = self._chosen(item_id)
        if opened is not None and opened.revision.number == self._corrections.number(item_id) + chosen.number:
            return opened
        stored = self._analysis(item_id)
        return None if stored is None else self._keep(self._made(stored, self._corrections.load(item_id), chosen))

    def _chosen(self, item_id: str) -> Chosen:
        """Return what an analysis is shown with, or was when the database could be read last."""
        try:
            chosen = self._naming.sets.chosen(item_id)
        except StoreError:
            if item_id not in self._choices:
                raise
            return self._choices[item_id]
        self._choices[item_id] = chosen
        while len(self._choices) > _MOST_CHOICES:
            self._choices.popitem(last=False)
        return chosen

    def corrections_number(self, analysis_id: str) -> int:
        """Return the number of the latest corrections of an analysis, without opening it."""
        return self._corrections.number(analysis_id)

    def edit(self, analysis_id: str, edits: Sequence[SingleEdit | Together]) -> Opened | None:
        """Apply edits as one step and store them; return the analysis with them, or None if there is none.

        Raises:
            CorrectionsError: there is no edit, or one does not fit the analysis; nothing is stored.
            StoreError: the database cannot be written to.
        """
        singles = [single for edit in edits for single in (edit.edits if isinstance(edit, Together) else (edit,))]
        if not singles:
            raise CorrectionsError("there is no edit to apply; send at least one.")
        edit: Edit = singles[0] if len(singles) == 1 else Together(tuple(singles))
        with self._turn(("analysis", analysis_id)):
            stored = self._analysis(analysis_id)
            if stored is None:
                return None
            made: list[Opened] = []
            chosen = self._chosen(analysis_id)

            def check(after: Revision) -> None:
                made.append(self._made(stored, after, chosen))
                _check_fits(singles, made[0])

            self._corrections.add(analysis_id, edit, check)
            return self._keep(made[0])

    def undo(self, analysis_id: str) -> Opened | None:
        """Take back the last edit; return the analysis without it, or None if there is none."""
        return self._changed(analysis_id, lambda: self._corrections.undo(analysis_id))

    def redo(self, analysis_id: str) -> Opened | None:
        """Make the last undone edit again; return the analysis with it, or None if there is none."""
        return self._changed(analysis_id, lambda: self._corrections.redo(analysis_id))

    def set_groups(self, analysis_id: str, groups: LabelGroups | None) -> Opened | None:
        """Show groups in place of labels, or the labels again; return the analysis, or None if there is none."""
        return self._changed(analysis_id, lambda: self._corrections.set_groups(analysis_id, groups))

    def comparison_groups(self, comparison_id: str) -> LabelGroups | None:
        """Return the label groups of a comparison."""
        return self._corrections.load(comparison_id).groups

    def set_comparison_groups(self, comparison_id: str, groups: LabelGroups | None) -> None:
        """Store the label groups of a comparison; whoever holds it folds it into them.

        Raises:
            StoreError: the database cannot be written to.
        """
        self._corrections.set_groups(comparison_id, groups)

    def replace_corrections(self, analysis_id: str, corrections: Corrections) -> Opened | None:
        """Put other corrections in place of those that there are; return the analysis, or None if there is none.

        Edits that do not fit are in ``Corrected.unfit``.

        Raises:
            StoreError: the database cannot be written to.
        """
        return self._changed(analysis_id, lambda: self._corrections.replace(analysis_id, corrections))

    def carry_over(self, from_id: str, to_id: str) -> bool:
        """Let a new analysis begin with the corrections and groups of another one of the same video.

        Nothing happens, and the answer is False, if the new one has been corrected, if there is nothing to carry over,
        or if the two may have found other people: the numbers would mean somebody else.

        Raises:
            StoreError: the database cannot be written to.
        """
        before, after = self.analysis(from_id), self.analysis(to_id)
        if before is None or after is None or not have_same_people(before.timeline, after.timeline):
            return False
        return self._corrections.copy(from_id, to_id)

    def prepare(self, opened: Opened) -> None:
        """Count and measure in the background, once, what a page will show of an item, so that it need not wait."""
        kind, item_id = _key_of(opened.stored)
        self._background.start_once(lambda job: _prepare(opened, job), f"{kind}-{item_id}-{opened.revision.number}")

    def pause_counting(self) -> None:
        """Leave the processor to a browser that waits for another view."""
        self._counting.give_up()

    def count_seconds(self, shown: Shown) -> None:
        """Count the second labels of everything that a view shows, in the background."""
        if not shown.is_counted:
            self._counting.want(shown)

    def corrected_analyses(self, analysis_ids: Sequence[str], video: Path) -> list[StoredSummary]:
        """Return summaries of those among these analyses of a stored video that have corrections, latest first."""
        return self._corrections.corrected(analysis_ids, video.name)

    def _turn(self, key: _Key) -> threading.Lock:
        """Return the lock of one item, which it may share: two requests never parse the same analysis twice."""
        return self._turns[hash(key) % _TURNS]

    def _known(self, key: _Key) -> Opened | None:
        with self._lock:
            opened = self._opened.get(key)
            if opened is not None:
                self._opened.move_to_end(key)
            return opened

    def _keep(self, opened: Opened) -> Opened:
        key = _key_of(opened.stored)
        with self._lock:
            self._opened[key] = opened
            self._opened.move_to_end(key)
            while len(self._opened) > _MOST_OPENED:
                self._opened.popitem(last=False)
        return opened

    def _analysis(self, analysis_id: str) -> StoredAnalysis | None:
        key: _Key = ("analysis", analysis_id)
        with self._lock:
            held = self._held.get(key)
        if held is None:
            kept = self._unsaved.content(analysis_id)
            held = kept if isinstance(kept, StoredAnalysis) else self._store.load_analysis(analysis_id)
            if held is not None:
                with self._lock:
                    self._held[key] = held
        assert held is None or isinstance(held, StoredAnalysis)
        return held

    def _changed(self, analysis_id: str, change: Callable[[], Revision]) -> Opened | None:
        with self._turn(("analysis", analysis_id)):
            stored = self._analysis(analysis_id)
            return None if stored is None else self._keep(self._made(stored, change()))

    def _made(self, stored: StoredAnalysis, revision: Revision, chosen: Chosen | None = None) -> Opened:
        """Return an analysis at a revision of its corrections, with the names that are chosen for it."""
        chosen = chosen or self._chosen(stored.analysis_id)
        shown = replace(revision, number=revision.number + chosen.number)
        return self._replays.opened(stored, shown, self._naming.names(stored, chosen))

    def _open_comparison(self, comparison_id: str) -> Opened | None:
        key: _Key = ("comparison", comparison_id)
        with self._lock:
            held = self._held.get(key)
        kept = held or self._unsaved.content(comparison_id)
        stored = kept if isinstance(kept, StoredComparison) else self._comparisons.load(comparison_id)
        opened = None if stored is None else opened_comparison(stored)
        return None if opened is None else self._keep(opened)


def have_same_people(one: Timeline, other: Timeline) -> bool:
    """Return whether two analyses found the same people: in the same video, read alike, with the same settings."""

    def found_by(timeline: Timeline) -> tuple[object, ...]:
        provenance, settings = timeline.provenance, timeline.settings
        # without the detector's hash, as in early versions, there is no key
        deciding = tuple(getattr(settings, name) for name, spec in SETTING_SPECS.items() if spec.scope.decides_pass)
        key = pass_key_from(timeline.video.sha256, provenance, settings, timeline.reading)
        return key, deciding, timeline.complete

    return one.video.sha256 is not None and one.video.sha256 == other.video.sha256 and found_by(one) == found_by(other)


def _prepare(opened: Opened, job: Job[None]) -> None:
    opened.show(View()).count_all(lambda: job.cancelled)
    movements_of(opened.machine).measure(opened.machine, lambda: job.cancelled)
    if opened.machine.settings.keep_features and not opened.is_comparison:
        postures(opened.machine)  # the first own name need not wait for them


def _key_of(stored: StoredAnalysis | StoredComparison) -> _Key:
    if isinstance(stored, StoredAnalysis):
        return "analysis", stored.analysis_id
    return "comparison", stored.comparison_id


def _content_of(stored: StoredAnalysis | StoredComparison | None) -> object:
    """Return what differs between two objects of one id: an item that was stored again, or a comparison that grew."""
    if isinstance(stored, StoredComparison):
        said = [
            (one.name, own_names_key(one.timeline.provenance))
            for one in stored.comparison.entries
            if one.timeline is not None
        ]
        return said, stored.truth, stored.groups
    return stored if stored is None else (stored.created_at, stored.timeline.analysed_s, len(stored.timeline.people))


def _check_fits(edits: Sequence[SingleEdit], opened: Opened) -> None:
    """Raise unless the analysis has what the edits speak of.

    Raises:
        CorrectionsError: it has not.
    """
    unfit = [edit for edit in edits if any(edit is one for one in opened.corrected.unfit)]
    if unfit:
        raise CorrectionsError(
            f"the change of person {unfit[0].person_id} does not fit this analysis; load the page again and repeat it."
        )
