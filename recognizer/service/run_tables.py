"""Statements about a run that concern other tables than its own: its save points, and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Connection, Select, delete, func, insert, select

from recognizer.service import tables

if TYPE_CHECKING:
    from recognizer.service.runs import Run

_RESULT_IDS: Final[tuple[Column[str], ...]] = (
    tables.analysis.c.analysis_id,
    tables.comparison.c.comparison_id,
    tables.correction.c.analysis_id,
    tables.edit.c.analysis_id,
    tables.chosen_set.c.analysis_id,
)
"""A live session has an analysis and a comparison of the same id, and a comparison has label groups."""


def append_chunk(connection: Connection, run_id: str, chunk: bytes) -> None:
    """Store the next save point of a run."""
    number = chunks_of(run_id).scalar_subquery()
    connection.execute(insert(tables.run_chunk).values(run_id=run_id, number=number, document=chunk))


def chunks_of(run_id: str) -> Select[int]:
    """Return the statement that counts the save points of a run."""
    return select(func.count()).select_from(tables.run_chunk).where(tables.run_chunk.c.run_id == run_id)


def forget(connection: Connection, run: Run) -> None:
    """Remove a run and, unless it only drew a result, its result."""
    for column in () if run.kind == "drawing" else _RESULT_IDS:
        connection.execute(delete(column.table).where(column == run.result_id))
    for table in (tables.run_chunk, tables.batch_run):
        connection.execute(delete(table).where(table.c.run_id == run.run_id))
    connection.execute(delete(tables.run).where(tables.run.c.run_id == run.run_id))
