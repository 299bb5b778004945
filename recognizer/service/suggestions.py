"""Moments worth looking at, over several analyses: those a set is unsure of, those alike, those without a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.alike import alike, centre_of, groups
from recognizer.actions.descriptors import Descriptors
from recognizer.actions.head import Head
from recognizer.actions.model import ActionSet, Example
from recognizer.actions.naming import row_descriptors
from recognizer.actions.questions import ask
from recognizer.service.opened import Opened
from recognizer.service.own_names import Naming
from recognizer.service.shown import Recent
from recognizer.service.store import StoredAnalysis
from recognizer.service.workbench import Workbench
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.features import FeatureTable
from recognizer.types import TOUCHING_S, Prediction

_MOST_INDEXED: Final = 100
"""Analyses whose clips stay listed in memory: as many as a browser remembers."""

_MOST_ASKED: Final = 4000
"""Clips among which questions are chosen, evenly spread over all."""

_MORE: Final = 8
"""So many times more clips than moments are looked at: clips overlap, and one moment is shown once."""


class FoundMoment(NamedTuple):
    """A moment in an analysis.

    Attributes:
        analysis_id: the analysis.
        video_name: the user's name for its video.
        person_id: the person, as corrected.
        start_s: start of the moment.
        end_s: its end.
        likeness: how alike it is to what was looked for, up to 1; 0 where that means nothing.
    """

    analysis_id: str
    video_name: str
    person_id: int
    start_s: float
    end_s: float
    likeness: float = 0.0


@dataclass(frozen=True, eq=False)
class _Index:
    """The clips of one analysis that have features and whose person is shown.

    Attributes:
        analysis_id: the analysis.
        video_name: the user's name for its video.
        video_key: identifies the video.
        table: the features of all its predictions.
        rows: int (n,), the clips' rows in it.
        people: int (n,), the people as corrected.
        times_s: float64 (n, 2), start and end.
        unnamed: bool (n,), whether the clip has no name at the default lowest confidence.
    """

    analysis_id: str
    video_name: str
    video_key: str
    table: FeatureTable
    rows: NDArray[np.intp]
    people: NDArray[np.intp]
    times_s: NDArray[np.float64]
    unnamed: NDArray[np.bool_]


class _Pool:
    """The clips of several analyses, one after the other, as rows of features."""

    def __init__(self, indices: Sequence[_Index], *, unnamed: bool = False) -> None:
        self._indices = indices
        self._chosen = [np.flatnonzero(one.unnamed) if unnamed else np.arange(len(one.rows)) for one in indices]
        self._ends = np.cumsum([len(one) for one in self._chosen])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def values(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the features of these rows, float32 (m, V, D)."""
        owners, local = self._located(rows)
        first = self._indices[0].table
        found = np.empty((len(rows), first.views, first.size), np.float32)
        for k in np.unique(owners).tolist():
            mine = owners == k
            found[mine] = self._indices[k].table.values(self._indices[k].rows[local[mine]])
        return found

    def moment(self, row: int, likeness: float = 0.0) -> FoundMoment:
        """Return the moment of one row."""
        owners, local = self._located(np.array([row]))
        index, k = self._indices[int(owners[0])], int(local[0])
        start_s, end_s = index.times_s[k].tolist()
        return FoundMoment(index.analysis_id, index.video_name, int(index.people[k]), start_s, end_s, likeness)

    def by_analysis(self, rows: NDArray[np.integer]) -> Iterable[tuple[_Index, NDArray[np.intp]]]:
        """Yield each analysis with its rows of the table, of ascending rows."""
        owners, local = self._located(rows)
        for k in np.unique(owners).tolist():
            yield self._indices[k], self._indices[k].rows[local[owners == k]]

    def _located(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the analysis of each row, and its place among the clips of that."""
        owners = np.searchsorted(self._ends, rows, "right")
        starts = np.concatenate(([0], self._ends))[owners]
        local = np.empty(len(rows), np.intp)
        for k in np.unique(owners).tolist():
            mine = owners == k
            local[mine] = self._chosen[k][rows[mine] - starts[mine]]
        return owners, local


class Suggestions:
    """Looks for moments in analyses. Safe to call from any thread."""

    def __init__(self, workbench: Workbench, naming: Naming) -> None:
        self._workbench = workbench
        self._naming = naming
        self._indices = Recent(_MOST_INDEXED)

    def questions(self, actions: ActionSet, head: Head, analysis_ids: Sequence[str]) -> list[FoundMoment]:
        """Return the moments that a set is least sure of; see ``OwnActions.questions``."""
        fitting = [one for one in self._listed(analysis_ids) if self._fits(one, actions)]
        pool = _Pool(fitting)
        if not len(pool):
            return []
        rows = np.unique(np.linspace(0, len(pool) - 1, min(len(pool), _MOST_ASKED)).astype(np.intp))
        parts: list[Descriptors] = []
        videos: list[str] = []
        for index, mine in pool.by_analysis(rows):
            stored = self._workbench.analysis(index.analysis_id)
            if stored is None:
                return []
            parts.append(row_descriptors(stored.timeline, index.table, mine.tolist()))
            videos += [index.video_key] * len(mine)
        chosen = ask(head, Descriptors.joined(parts), videos, {one.video_key for one in actions.examples})
        return [pool.moment(int(rows[k])) for k in chosen.tolist()]

    def alike(
        self, features: NDArray[np.float32], asked: FoundMoment, analysis_ids: Sequence[str], count: int
    ) -> list[FoundMoment]:
        """Return the moments most like a given one; see ``OwnActions.alike``."""
        space = self._space(asked.analysis_id)
        listed = self._listed(analysis_ids, asked.analysis_id)
        return _like(features, [one for one in listed if self._space(one.analysis_id) == space], [asked], count)

    def like_example(
        self, actions: ActionSet, example: Example, analysis_ids: Sequence[str], count: int
    ) -> list[FoundMoment]:
        """Return the moments most like an example; see ``OwnActions.alike_example``."""
        fitting = [one for one in self._listed(analysis_ids) if self._fits(one, actions)]
        known = [
            FoundMoment(index.analysis_id, index.video_name, one.person_id, one.start_s, one.end_s)
            for one in actions.examples
            for index in fitting
            if index.video_key == one.video_key
        ]
        return _like(example.features, fitting, known, count)

    def unknown_groups(self, analysis_ids: Sequence[str]) -> list[list[FoundMoment]]:
        """Return groups of moments without a name; see ``OwnActions.unknown_groups``."""
        listed = self._listed(analysis_ids)
        spaces = [self._space(one.analysis_id) for one in listed]
        if not spaces:
            return []
        most = max(set(spaces), key=spaces.count)
        pool = _Pool([one for one, space in zip(listed, spaces, strict=True) if space == most], unnamed=True)
        if not len(pool):
            return []
        found = groups(pool, centre_of(pool))
        return [_apart((pool.moment(row) for row in rows.tolist()), len(rows), []) for rows in found]

    def _listed(self, analysis_ids: Sequence[str], kept: str | None = None) -> list[_Index]:
        """Return the clips of each video once: of its latest analysis, the last of these, or of the one to keep."""
        by_video: dict[str, _Index] = {}
        for one in dict.fromkeys([*analysis_ids, *([] if kept is None else [kept])]):
            index = self._index(one)
            if index is not None and len(index.rows):
                by_video[index.video_key] = index
        return list(by_video.values())

    def _index(self, analysis_id: str) -> _Index | None:
        opened = self._workbench.opened(analysis_id)
        if opened is None or not isinstance(opened.stored, StoredAnalysis):
            return None
        table = self._naming.table(opened.stored)
        if table is None:
            return None
        return self._indices.get((analysis_id, opened.revision.number), lambda: _index_of(opened, table))

    def _fits(self, index: _Index, actions: ActionSet) -> bool:
        stored = self._workbench.analysis(index.analysis_id)
        return stored is not None and self._naming.misfit(stored, actions) is None

    def _space(self, analysis_id: str) -> object:
        stored = self._workbench.analysis(analysis_id)
        return None if stored is None else self._naming.space(stored)


def _like(
    features: NDArray[np.float32], indices: Sequence[_Index], known: Sequence[FoundMoment], count: int
) -> list[FoundMoment]:
    """Return up to ``count`` moments most like these features, without known ones."""
    pool = _Pool(indices)
    if not len(pool):
        return []
    found = alike(features, pool, centre_of(pool), count * _MORE + len(known))
    rows, likeness = found.rows.tolist(), found.likeness.tolist()
    return _apart((pool.moment(*one) for one in zip(rows, likeness, strict=True)), count, known)


def _index_of(opened: Opened, table: FeatureTable) -> _Index:
    said = opened.said.predictions
    rows = np.flatnonzero(table.has)
    people = _people(opened.corrected, [said[row] for row in rows.tolist()])
    rows, people = rows[people > 0], people[people > 0]
    shown = [said[row] for row in rows.tolist()]
    return _Index(
        opened.stored.analysis_id if isinstance(opened.stored, StoredAnalysis) else "",
        opened.video_name,
        opened.machine.video.sha256 or opened.video_name,
        table,
        rows,
        people,
        np.array([(one.start_s, one.end_s) for one in shown]).reshape(-1, 2),
        np.array([not one.top or one.top[0][1] < RECOMMENDED_MIN_CONFIDENCE for one in shown], np.bool_),
    )


def _people(corrected: Corrected, said: Sequence[Prediction]) -> NDArray[np.intp]:
    """Return who each clip's person is as corrected, by the middle of the clip; 0 for one who is hidden."""
    stretches: dict[int, list[tuple[float, float, int]]] = {}
    for track in corrected.timeline.people:
        for source in corrected.sources_of(track):
            stretches.setdefault(source.person_id, []).append((source.start_s, source.end_s, track.person_id))
    found = np.zeros(len(said), np.intp)
    for k, one in enumerate(said):
        middle_s = (one.start_s + one.end_s) / 2
        for start_s, end_s, person_id in stretches.get(one.person_id, ()):
            if start_s <= middle_s < end_s:
                found[k] = person_id
                break
    return found


def _apart(moments: Iterable[FoundMoment], count: int, known: Sequence[FoundMoment]) -> list[FoundMoment]:
    """Return up to ``count`` moments without those that overlap an earlier one, or a known one, of the same person."""
    taken: dict[tuple[str, int], list[FoundMoment]] = {}
    for one in known:
        taken.setdefault((one.analysis_id, one.person_id), []).append(one)
    kept: list[FoundMoment] = []
    for one in moments:
        near = taken.setdefault((one.analysis_id, one.person_id), [])
        if all(min(one.end_s, o.end_s) - max(one.start_s, o.start_s) < TOUCHING_S for o in near):
            near.append(one)
            kept.append(one)
            if len(kept) == count:
                break
    return kept
