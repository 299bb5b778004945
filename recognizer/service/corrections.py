"""Store corrections and label groups across restarts, in the database of analyses.

Every change reads, changes and writes within one transaction, so that two tabs, or two servers, never lose each other's
edits, and a killed process has lost none that it acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, select

from recognizer.errors import StoreError
from recognizer.service import tables
from recognizer.service.database import Database, put
from recognizer.service.store import StoredSummary, summaries
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Edit
from recognizer.timeline.groups import LabelGroups, groups_from_json, groups_json

_EDIT: Final = msgspec.json.Decoder(Edit)


@dataclass(frozen=True)
class Revision:
    """The corrections and label groups of one analysis, as they were at one time.

    Attributes:
        number: grows with each change; 0 before the first.
        corrections: the edits.
        groups: the label groups; None to show the labels themselves.
    """

    number: int = 0
    corrections: Corrections = field(default_factory=Corrections)
    groups: LabelGroups | None = None


class CorrectionStore:
    """Stores corrections in the database of analyses. Safe to call from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def number(self, analysis_id: str) -> int:
        """Return the number of the latest revision; 0 if nothing was ever corrected."""
        with self._database.reading() as connection:
            return _number(connection, analysis_id)

    def load(self, analysis_id: str) -> Revision:
        """Return the latest revision.

        Raises:
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        with self._database.reading() as connection:
            return _revision(connection, analysis_id)

    def add(self, analysis_id: str, edit: Edit, check: Callable[[Revision], None]) -> Revision:
        """Append an edit and return the new revision; nothing can be made again after it.

        Args:
            analysis_id: the analysis.
            edit: the edit.
            check: receives the new revision before it is stored; if it raises, nothing is stored.

        Raises:
            StoreError: the database cannot be written to.
        """

        def change(before: Revision) -> Revision:
            after = replace(before, number=before.number + 1, corrections=before.corrections.add(edit))
            check(after)
            return after

        return self._change(analysis_id, change)

    def undo(self, analysis_id: str) -> Revision:
        """Take back the last edit; nothing changes if there is none."""
        return self._change(analysis_id, lambda before: _corrected(before, before.corrections.undo()))

    def redo(self, analysis_id: str) -> Revision:
        """Make the last undone edit again; nothing changes if there is none."""
        return self._change(analysis_id, lambda before: _corrected(before, before.corrections.redo()))

    def set_groups(self, analysis_id: str, groups: LabelGroups | None) -> Revision:
        """Store label groups; None removes them."""
        return self._change(analysis_id, lambda before: replace(before, number=before.number + 1, groups=groups))

    def replace(self, analysis_id: str, corrections: Corrections) -> Revision:
        """Store other corrections in place of those that there are."""
        return self._change(analysis_id, lambda before: _corrected(before, corrections))

    def copy(self, from_id: str, to_id: str) -> bool:
        """Let one analysis start with the corrections and groups of another; return False if it has its own.

        Edits that were undone are not copied.
        """
        source = self.load(from_id)
        edits = source.corrections.edits
        if not (edits or source.groups):
            return False
        start = Revision(1, Corrections(edits), source.groups)
        return self._change(to_id, lambda before: before if before.number else start) is start

    def corrected(self, analysis_ids: Sequence[str], video_file: str) -> list[StoredSummary]:
        """Return summaries of those among these analyses of a stored video that have corrections, latest first."""
        analysis, correction = tables.analysis.c, tables.correction.c
        with_some = select(correction.analysis_id).where(correction.applied > 0)
        return summaries(
            self._database,
            analysis.analysis_id,
            analysis_ids,
            analysis.video_file == video_file,
            analysis.analysis_id.in_(with_some),
        )

    def _change(self, analysis_id: str, change: Callable[[Revision], Revision]) -> Revision:
        with self._database.transaction("corrections") as connection:
            before = _revision(connection, analysis_id)
            after = change(before)
            if after is not before:
                _write(connection, analysis_id, before.corrections, after)
        return after


def _corrected(before: Revision, corrections: Corrections) -> Revision:
    if corrections is before.corrections:
        return before
    return replace(before, number=before.number + 1, corrections=corrections)


def _number(connection: Connection, analysis_id: str) -> int:
    stored = tables.correction.c
    return connection.scalar(select(stored.revision).where(stored.analysis_id == analysis_id)) or 0


def _revision(connection: Connection, analysis_id: str) -> Revision:
    correction, edit = tables.correction.c, tables.edit.c
    row = connection.execute(
        select(correction.revision, correction.applied, correction.label_groups).where(
            correction.analysis_id == analysis_id
        )
    ).one_or_none()
    if row is None:
        return Revision()
    number, applied, groups = row
    stored = connection.scalars(select(edit.edit).where(edit.analysis_id == analysis_id).order_by(edit.position))
    try:
        edits = tuple(map(_EDIT.decode, stored))
    except msgspec.DecodeError as error:
        raise StoreError(
            "the stored corrections cannot be read; install the latest version of this program."
        ) from error
    return Revision(
        number,
        Corrections(edits[:applied], edits[applied:]),
        None if groups is None else groups_from_json(groups, "the stored groups"),
    )


def _write(connection: Connection, analysis_id: str, before: Corrections, after: Revision) -> None:
    """Write what differs: an edit costs the same after ten thousand others."""
    stored = (*before.edits, *before.undone)
    wanted = (*after.corrections.edits, *after.corrections.undone)
    pairs = enumerate(zip(stored, wanted, strict=False))
    first = next((k for k, (one, other) in pairs if one is not other), min(len(stored), len(wanted)))
    edit = tables.edit.c
    connection.execute(delete(tables.edit).where(edit.analysis_id == analysis_id, edit.position >= first))
    rows = [
        {"analysis_id": analysis_id, "position": k, "edit": msgspec.json.encode(wanted[k]).decode()}
        for k in range(first, len(wanted))
    ]
    put(connection, tables.edit, rows)
    row = {
        "analysis_id": analysis_id,
        "revision": after.number,
        "applied": len(after.corrections.edits),
        "label_groups": None if after.groups is None else groups_json(after.groups),
    }
    put(connection, tables.correction, [row])
