"""The clips of analyses, listed to look for moments: small enough to stay in memory when the analyses do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.naming import postures
from recognizer.service.opened import Opened
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.features import FeatureSpace, FeatureTable
from recognizer.types import Prediction


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
class ClipIndex:
    """The clips of one analysis that have features and whose person is shown.

    Attributes:
        analysis_id: the analysis.
        video_name: the user's name for its video.
        video_key: identifies the video.
        space: where its features can be compared, and their views; None if that is not known.
        table: the features of all its predictions, which stay on the disk.
        rows: int (n,), the clips' rows in it.
        people: int (n,), the people as corrected.
        times_s: float64 (n, 2), start and end.
        posture: float64 (n, P), see ``recognizer.actions.posture``.
        unknown: bool (n,), whether the network's label is less probable than the default lowest confidence.
    """

    analysis_id: str
    video_name: str
    video_key: str
    space: tuple[FeatureSpace, int] | None
    table: FeatureTable
    rows: NDArray[np.intp]
    people: NDArray[np.intp]
    times_s: NDArray[np.float64]
    posture: NDArray[np.float64]
    unknown: NDArray[np.bool_]

    def descriptors(self, clips: NDArray[np.integer]) -> Descriptors:
        """Return what is known of some of these clips."""
        return Descriptors(self.table.values(self.rows[clips]), self.posture[clips])


def clip_index(
    analysis_id: str, opened: Opened, table: FeatureTable, space: tuple[FeatureSpace, int] | None
) -> ClipIndex:
    """Return the clips of an opened analysis, whose features ``table`` holds, row by row."""
    said = opened.machine.predictions
    rows = np.flatnonzero(table.has)
    people = _people(opened.corrected, [said[row] for row in rows.tolist()])
    rows, people = rows[people > 0], people[people > 0]
    shown = [said[row] for row in rows.tolist()]
    return ClipIndex(
        analysis_id,
        opened.video_name,
        opened.machine.video.sha256 or opened.video_name,
        space,
        table,
        rows,
        people,
        np.array([(one.start_s, one.end_s) for one in shown]).reshape(-1, 2),
        postures(opened.machine)[rows],
        np.array([not one.top or one.top[0][1] < RECOMMENDED_MIN_CONFIDENCE for one in shown], np.bool_),
    )


class ClipPool:
    """The clips of several analyses, one after the other, as rows of features."""

    def __init__(self, indices: Sequence[ClipIndex], chosen: Sequence[NDArray[np.integer]] | None = None) -> None:
        """Join the clips of analyses; only the chosen ones of each, if they are given."""
        self._indices = indices
        self._chosen = [np.arange(len(one.rows)) for one in indices] if chosen is None else list(chosen)
        self._ends = np.cumsum([len(one) for one in self._chosen])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def values(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return the features of these rows, as a ``FeatureTable`` has them; at least one row."""
        owners, local = self._located(rows)
        parts = [(owners == k, self._indices[k]) for k in np.unique(owners).tolist()]
        values: list[tuple[NDArray[np.bool_], NDArray[np.float32]]] = [
            (mine, index.table.values(index.rows[local[mine]])) for mine, index in parts
        ]
        if len(values) == 1:
            return values[0][1]
        found = np.empty((len(rows), *values[0][1].shape[1:]), np.float32)
        for mine, part in values:
            found[mine] = part
        return found

    def moments(self, rows: NDArray[np.integer]) -> list[FoundMoment]:
        """Return the moments of rows, in their order."""
        owners, local = self._located(rows)
        found = []
        for owner, k in zip(owners.tolist(), local.tolist(), strict=True):
            index = self._indices[owner]
            start_s, end_s = index.times_s[k].tolist()
            found.append(FoundMoment(index.analysis_id, index.video_name, int(index.people[k]), start_s, end_s))
        return found

    def by_analysis(self, rows: NDArray[np.integer]) -> Iterable[tuple[ClipIndex, NDArray[np.intp]]]:
        """Yield each analysis with its clips, of ascending rows."""
        owners, local = self._located(rows)
        for k in np.unique(owners).tolist():
            yield self._indices[k], local[owners == k]

    def _located(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the analysis of each row, and its place among the clips of that."""
        owners = np.searchsorted(self._ends, rows, "right")
        starts = np.concatenate(([0], self._ends))[owners]
        local = np.empty(len(rows), np.intp)
        for k in np.unique(owners).tolist():
            mine = owners == k
            local[mine] = self._chosen[k][rows[mine] - starts[mine]]
        return owners, local


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
