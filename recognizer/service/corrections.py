"""Store corrections and label groups across restarts, in the database of analyses.

Every change reads, changes and writes within one transaction, so that two tabs, or two servers, never lose each other's
edits, and a killed process has lost none that it acknowledged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from recognizer.errors import StoreError
from recognizer.service.database import Database
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
        with self._database.connection() as connection:
            return _number(connection, analysis_id)

    def load(self, analysis_id: str) -> Revision:
        """Return the latest revision.

        Raises:
            StoreError: it is damaged, or a later version of this program wrote it.
        """
        with self._database.connection() as connection:
            connection.execute("BEGIN")  # both tables are read as they were at one time
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
        with self._database.transaction("corrections") as connection:
            source = _revision(connection, from_id)
            edits = source.corrections.edits
            if _number(connection, to_id) or not (edits or source.groups):
                return False
            _write(connection, to_id, Corrections(), Revision(1, Corrections(edits), source.groups))
        return True

    def corrected(self, analysis_ids: Sequence[str], video_file: str) -> list[StoredSummary]:
        """Return summaries of those among these analyses of a stored video that have corrections, latest first."""
        return summaries(
            self._database,
            "SELECT run_id, created_at, video_name FROM run JOIN correction ON analysis_id = run_id"
            " WHERE run_id IN (SELECT value FROM json_each(?)) AND video_path = ? AND applied > 0"
            " ORDER BY created_at DESC, run.rowid DESC",
            analysis_ids,
            video_file,
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


def _number(connection: sqlite3.Connection, analysis_id: str) -> int:
    row = connection.execute("SELECT revision FROM correction WHERE analysis_id = ?", (analysis_id,)).fetchone()
    return 0 if row is None else int(row[0])


def _revision(connection: sqlite3.Connection, analysis_id: str) -> Revision:
    row = connection.execute(
        "SELECT revision, applied, label_groups FROM correction WHERE analysis_id = ?", (analysis_id,)
    ).fetchone()
    if row is None:
        return Revision()
    number, applied, groups = row
    stored = connection.execute("SELECT edit FROM edit WHERE analysis_id = ? ORDER BY position", (analysis_id,))
    try:
        edits = tuple(_EDIT.decode(edit) for (edit,) in stored)
    except msgspec.DecodeError as error:
        raise StoreError(
            "the stored corrections cannot be read; install the latest version of this program."
        ) from error
    return Revision(
        number,
        Corrections(edits[:applied], edits[applied:]),
        None if groups is None else groups_from_json(groups, "the stored groups"),
    )


def _write(connection: sqlite3.Connection, analysis_id: str, before: Corrections, after: Revision) -> None:
    """Write what differs: an edit costs the same after ten thousand others."""
    stored = (*before.edits, *before.undone)
    wanted = (*after.corrections.edits, *after.corrections.undone)
    pairs = enumerate(zip(stored, wanted, strict=False))
    first = next((k for k, (one, other) in pairs if one is not other), min(len(stored), len(wanted)))
    connection.execute("DELETE FROM edit WHERE analysis_id = ? AND position >= ?", (analysis_id, first))
    connection.executemany(
        "INSERT INTO edit VALUES (?, ?, ?)",
        ((analysis_id, k, msgspec.json.encode(wanted[k]).decode()) for k in range(first, len(wanted))),
    )
    connection.execute(
        "INSERT OR REPLACE INTO correction VALUES (?, ?, ?, ?)",
        (
            analysis_id,
            after.number,
            len(after.corrections.edits),
            None if after.groups is None else groups_json(after.groups),
        ),
    )
