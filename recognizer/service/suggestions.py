"""Moments worth looking at, over several analyses: those a set is unsure of, those alike, those without a name."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.alike import alike, centre_of, groups
from recognizer.actions.descriptors import Descriptors
from recognizer.actions.head import Head
from recognizer.actions.model import ActionSet, Example
from recognizer.actions.questions import ask
from recognizer.service.clip_index import ClipIndex, ClipPool, FoundMoment, clip_index
from recognizer.service.jobs import Job, Jobs
from recognizer.service.own_names import Naming
from recognizer.service.shown import Recent
from recognizer.service.store import StoredAnalysis
from recognizer.service.workbench import Workbench
from recognizer.types import TOUCHING_S

_MOST_INDEXED: Final = 100
"""Analyses whose clips stay listed in memory: as many as a browser remembers."""

_MOST_ASKED: Final = 4000
"""Clips among which questions are chosen, evenly spread over all."""

_MORE: Final = 8
"""Clips that are looked at for each moment that is shown: clips overlap, and one moment is shown once."""


class Suggestions:
    """Looks for moments in analyses. Safe to call from any thread."""

    def __init__(self, workbench: Workbench, naming: Naming) -> None:
        self._workbench = workbench
        self._naming = naming
        self._indices = Recent(_MOST_INDEXED)
        self._unnamed = Recent(_MOST_INDEXED)
        self._background = Jobs(max_at_once=1)

    def prepare(self, analysis_ids: Sequence[str]) -> None:
        """List the clips of analyses in the background, so that the first search need not wait."""

        def work(job: Job[None]) -> None:
            for one in analysis_ids:
                if job.cancelled:
                    return
                self._index(one)

        self._background.start(work)

    def questions(self, actions: ActionSet, head: Head, analysis_ids: Sequence[str]) -> list[FoundMoment]:
        """Return the moments that a set knows least of; see ``OwnActions.questions``."""
        pool = ClipPool(self._fitting(actions, analysis_ids))
        if not len(pool):
            return []
        rows = np.unique(np.linspace(0, len(pool) - 1, min(len(pool), _MOST_ASKED)).astype(np.intp))
        parts = list(pool.by_analysis(rows))
        candidates = Descriptors.joined([index.descriptors(clips) for index, clips in parts])
        videos = [index.video_key for index, clips in parts for _ in clips]
        marked = {one.video_key for one in actions.examples}
        chosen = ask(head, actions.descriptors, candidates, videos, marked)
        return pool.moments(rows[chosen])

    def alike(
        self, features: NDArray[np.float32], asked: FoundMoment, analysis_ids: Sequence[str], count: int
    ) -> list[FoundMoment]:
        """Return the moments most like a given one; see ``OwnActions.alike``."""
        own = self._index(asked.analysis_id)
        listed = self._listed(analysis_ids, asked.analysis_id)
        same = [] if own is None else [one for one in listed if one.space == own.space]
        return _like(features, same, [asked], count)

    def like_example(
        self, actions: ActionSet, example: Example, analysis_ids: Sequence[str], count: int
    ) -> list[FoundMoment]:
        """Return the moments most like an example; see ``OwnActions.alike_example``."""
        fitting = self._fitting(actions, analysis_ids)
        return _like(example.features, fitting, _marked(actions, fitting), count)

    def unknown_groups(
        self, actions: ActionSet, head: Head | None, analysis_ids: Sequence[str]
    ) -> list[list[FoundMoment]]:
        """Return groups of moments without a name; see ``OwnActions.unknown_groups``."""
        listed = self._fitting(actions, analysis_ids)
        spaces = [one.space for one in listed]
        if not spaces:
            return []
        most = max(set(spaces), key=spaces.count)  # a set without examples fits all
        same = [one for one in listed if one.space == most]
        pool = ClipPool(same, [self._unnamed_clips(one, actions, head) for one in same])
        if not len(pool):
            return []
        known = _marked(actions, same)
        found = (_apart(pool.moments(rows), len(rows), known) for rows in groups(pool, centre_of(pool)))
        return [one for one in found if one]

    def _listed(self, analysis_ids: Sequence[str], kept: str | None = None) -> list[ClipIndex]:
        """Return the clips of each video once: of its latest analysis, the last of these, or of the one to keep."""
        by_video: dict[str, ClipIndex] = {}
        for one in dict.fromkeys([*analysis_ids, *([] if kept is None else [kept])]):
            index = self._index(one)
            if index is not None and len(index.rows):
                by_video[index.video_key] = index
        return list(by_video.values())

    def _fitting(self, actions: ActionSet, analysis_ids: Sequence[str]) -> list[ClipIndex]:
        """Return the clips of the analyses that a set fits."""
        listed = self._listed(analysis_ids)
        return [one for one in listed if one.space is not None and actions.misfit(*one.space) is None]

    def _index(self, analysis_id: str) -> ClipIndex | None:
        """Return the clips of an analysis, which is not opened again until it changes."""
        number, has_features = self._workbench.corrections_number(analysis_id), self._naming.has_features(analysis_id)
        return self._indices.get((analysis_id, number, has_features), lambda: self._made(analysis_id))

    def _made(self, analysis_id: str) -> ClipIndex | None:
        opened = self._workbench.opened(analysis_id)
        if opened is None or not isinstance(opened.stored, StoredAnalysis):
            return None
        table = self._naming.table(opened.stored)
        return None if table is None else clip_index(analysis_id, opened, table, self._naming.space(opened.stored))

    def _unnamed_clips(self, index: ClipIndex, actions: ActionSet, head: Head | None) -> NDArray[np.intp]:
        """Return the clips that neither the network nor the set names."""
        unknown = np.flatnonzero(index.unknown)
        if head is None or not len(unknown):
            return unknown
        key = index, actions.set_id, actions.revision

        def judge() -> NDArray[np.intp]:
            return unknown[~head.judge(index.descriptors(unknown)).accepted]

        found: NDArray[np.intp] = self._unnamed.get(key, judge)
        return found


def _marked(actions: ActionSet, indices: Sequence[ClipIndex]) -> list[FoundMoment]:
    """Return the examples of a set as moments of these analyses."""
    return [
        FoundMoment(index.analysis_id, index.video_name, one.person_id, one.start_s, one.end_s)
        for one in actions.examples
        for index in indices
        if index.video_key == one.video_key
    ]


def _like(
    features: NDArray[np.float32], indices: Sequence[ClipIndex], known: Sequence[FoundMoment], count: int
) -> list[FoundMoment]:
    """Return up to ``count`` moments most like these features, without known ones."""
    pool = ClipPool(indices)
    if not len(pool):
        return []
    found = alike(features, pool, centre_of(pool), count * _MORE + len(known))
    moments = zip(pool.moments(found.rows), found.likeness.tolist(), strict=True)
    return _apart((one._replace(likeness=likeness) for one, likeness in moments), count, known)


def _apart(moments: Iterable[FoundMoment], count: int, known: Sequence[FoundMoment]) -> list[FoundMoment]:
    """Return up to ``count`` moments without those that overlap an earlier one, or a known one, of the same person."""
    taken: dict[tuple[str, int], _Spans] = {}
    for one in known:
        taken.setdefault((one.analysis_id, one.person_id), _Spans()).add(one)
    kept: list[FoundMoment] = []
    for one in moments:
        if taken.setdefault((one.analysis_id, one.person_id), _Spans()).add(one):
            kept.append(one)
            if len(kept) == count:
                break
    return kept


class _Spans:
    """Stretches of time, those of one person that do not overlap, in order."""

    def __init__(self) -> None:
        self._spans_s: list[tuple[float, float]] = []

    def add(self, moment: FoundMoment) -> bool:
        """Add a moment's stretch; return False if it overlaps one that is there."""
        span_s = moment.start_s, moment.end_s
        at = bisect_left(self._spans_s, span_s)
        near = self._spans_s[max(0, at - 1) : at + 1]
        if any(min(span_s[1], end_s) - max(span_s[0], start_s) >= TOUCHING_S for start_s, end_s in near):
            return False
        self._spans_s.insert(at, span_s)
        return True
