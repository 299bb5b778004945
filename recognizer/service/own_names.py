"""Own names for stored analyses: what a set teaches, and the timelines that it names; both stay in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from recognizer.actions.head import Head
from recognizer.actions.model import ActionSet, clip_settings
from recognizer.actions.naming import Verdicts, judged, learned, named
from recognizer.actions.provenance import Mode
from recognizer.errors import ActionsError
from recognizer.service.action_sets import ActionSetStore, Chosen
from recognizer.service.shown import Recent
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.features import FeatureSpace, FeatureTable, feature_space, feature_table
from recognizer.timeline.model import Timeline

_MOST_HEADS: Final = 16

_NO_FEATURES: Final = "The features of this analysis are not kept, so it cannot get own names; analyse the video again."

_NOBODY: Final = "None of these names holds for anybody here yet; mark a moment in this video too."

_TOO_FEW: Final = "Own names appear once two actions have a moment, or one action and “none of these”."


class Features(Protocol):
    """A store of the features of analyses."""

    def load(self, analysis_id: str) -> FeatureTable | None:
        """Return the features of an analysis's predictions, row by row; None if they are not kept."""
        ...

    def has(self, analysis_id: str) -> bool:
        """Return whether they are kept, without reading them."""
        ...


@dataclass(frozen=True, eq=False)
class OwnNames:
    """A user's own names for an analysis.

    Attributes:
        actions: the set.
        mode: how its names are shown.
        timeline: the analysis with own names; None if there are none to show.
        problem: one sentence that says why there are none; None if there are some.
        remark: one sentence about how well they fit; None if there is nothing to say.
    """

    actions: ActionSet
    mode: Mode
    timeline: Timeline | None = None
    problem: str | None = None
    remark: str | None = None


@dataclass(eq=False)
class _Kept:
    """The names of one timeline by one revision of one set."""

    of: tuple[str, int]
    verdicts: Verdicts
    timelines: dict[Mode, Timeline] = field(default_factory=dict)


class Naming:
    """Names timelines with sets. Safe to call from any thread.

    Attributes:
        sets: the stored sets.
    """

    def __init__(self, sets: ActionSetStore, features: Features | None = None) -> None:
        self.sets = sets
        self._features = features
        self._lock = threading.Lock()
        self._sets = Recent(_MOST_HEADS)
        self._heads = Recent(_MOST_HEADS)
        self._tables: WeakKeyDictionary[Timeline, FeatureTable] = WeakKeyDictionary()
        self._kept: WeakKeyDictionary[Timeline, _Kept] = WeakKeyDictionary()

    def set(self, set_id: str) -> ActionSet | None:
        """Return a set at its latest revision, without pictures; None if there is none.

        Raises:
            ActionsError: this version cannot use its examples.
            StoreError: it is damaged.
        """
        revision = self.sets.revision(set_id)
        return None if revision is None else self._sets.get((set_id, revision), lambda: self.sets.load(set_id))

    def head(self, actions: ActionSet) -> Head | None:
        """Return what a set teaches; None until there are two kinds of examples."""
        return self._heads.get((actions.set_id, actions.revision), lambda: learned(actions))

    def table(self, stored: StoredAnalysis) -> FeatureTable | None:
        """Return the features of an analysis's predictions, row by row; None if they are not kept."""
        with self._lock:
            found = self._tables.get(stored.timeline)
        if found is None:
            found = feature_table(stored.timeline.predictions)
            if found is None and self._features is not None:
                found = self._features.load(stored.analysis_id)
            if found is not None and len(found) == len(stored.timeline.predictions):
                with self._lock:
                    self._tables[stored.timeline] = found
        return found

    def has_features(self, analysis_id: str) -> bool:
        """Return whether the features of an analysis are kept, without reading them."""
        return self._features is not None and self._features.has(analysis_id)

    def space(self, stored: StoredAnalysis) -> tuple[FeatureSpace, int] | None:
        """Return where the features of an analysis can be compared, and their views; None if they are not kept."""
        table = self.table(stored)
        found = None if table is None else feature_space(stored.timeline, table)
        return None if table is None or found is None else (found, table.views)

    def misfit(self, stored: StoredAnalysis, actions: ActionSet) -> str | None:
        """Return one sentence that says why a set does not fit an analysis; None if it does."""
        space = self.space(stored)
        return _NO_FEATURES if space is None else actions.misfit(*space)

    def names(self, stored: StoredAnalysis, chosen: Chosen) -> OwnNames | None:
        """Return what an analysis is shown with; None for the network's labels.

        Raises:
            StoreError: the set is damaged.
        """
        try:
            actions = None if chosen.set_id is None else self.set(chosen.set_id)
        except ActionsError as error:  # the analysis can still be read
            return OwnNames(ActionSet(chosen.set_id or "", ""), chosen.mode, problem=str(error))
        if actions is None:
            return None
        problem = self.misfit(stored, actions)
        if problem is not None:
            return OwnNames(actions, chosen.mode, problem=problem)
        head, table = self.head(actions), self.table(stored)
        if head is None or table is None:
            return OwnNames(actions, chosen.mode, problem=_TOO_FEW)
        kept = self._judged(stored.timeline, table, head, actions)
        if chosen.mode not in kept.timelines:
            kept.timelines[chosen.mode] = named(stored.timeline, kept.verdicts, actions, chosen.mode)
        remarks = (actions.remark(clip_settings(stored.timeline, table.views)), _remark_of(kept.verdicts))
        remark = " ".join(one for one in remarks if one) or None
        return OwnNames(actions, chosen.mode, kept.timelines[chosen.mode], remark=remark)

    def _judged(self, timeline: Timeline, table: FeatureTable, head: Head, actions: ActionSet) -> _Kept:
        of = actions.set_id, actions.revision
        with self._lock:
            kept = self._kept.get(timeline)
        if kept is None or kept.of != of:
            kept = _Kept(of, judged(timeline, table, head))
            with self._lock:
                self._kept[timeline] = kept
        return kept


def _remark_of(verdicts: Verdicts) -> str | None:
    return None if verdicts.accepted.any() else _NOBODY
