"""The tables of an export as CSV, RFC 4180: lines end in CR LF, the decimal separator is a point."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from recognizer.comparison.model import Lane
from recognizer.export.content import Content
from recognizer.export.rows import SEGMENTS, ClassifierNames, segment_rows
from recognizer.export.table import Cell, Column, Row, Table
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.model import Timeline
from recognizer.types import Segment

SEGMENT_COLUMNS = tuple(column.name for column in SEGMENTS.columns)
"""The header of the segments' CSV, in order; ``recognizer.export.rows`` says what each column holds."""

_FORMULA_STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""Characters that begin a formula in a spreadsheet, ASCII and full width (OWASP, "CSV Injection")."""

_CELL_BREAKS = ("\t", "\r", "\n")
"""An import may split a cell that begins with one of these, and run the remaining text."""


def harmless_cell(text: str) -> str:
    """Return the text of a cell, after an apostrophe if a spreadsheet would run the text as a formula."""
    visible = next((c for c in text if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf")), "")
    return f"'{text}" if visible in _FORMULA_STARTS or text.startswith(_CELL_BREAKS) else text


def segments_csv(
    timeline: Timeline, segments: Sequence[Segment], names: Mapping[int, str] = MappingProxyType({})
) -> str:
    """Return one row per segment, by person, then by time.

    Args:
        timeline: the timeline.
        segments: its segments, in any order.
        names: users' names for people.
    """
    return _csv(SEGMENTS.columns, segment_rows(timeline, segments, ClassifierNames(timeline).of, names))


def table_csv(table: Table, content: Content) -> str:
    """Return a table of an export."""
    return _csv(table.columns, table.rows(content))


def truth_csv(content: Content) -> str:
    """Return the segments as labels to score classifiers against: time that reads ``unknown`` has no true label."""
    known = [one for one in content.segments if one.action != UNKNOWN_ACTION]
    return segments_csv(content.timeline, known, content.names)


def comparison_csv(lanes: Sequence[Lane]) -> str:
    """Return the segments of all lanes, in the columns of ``segments_csv``; ``classifier`` is the lane's name."""
    rows = (row for lane in lanes for row in segment_rows(lane.timeline, lane.segments, partial(_name_of, lane)))
    return _csv(SEGMENTS.columns, rows)


def _name_of(lane: Lane, _: Segment) -> str:
    return lane.name


def _csv(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_cell(column, cell) for column, cell in zip(columns, row, strict=True)])
    return text.getvalue()


def _cell(column: Column, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return harmless_cell(cell)
    return str(cell) if column.digits is None else f"{cell:.{column.digits}f}"
