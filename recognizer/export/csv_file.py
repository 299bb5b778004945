"""The tables of an export as CSV, RFC 4180: lines end in CR LF, the decimal separator is a point."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import inf
from types import MappingProxyType

from recognizer.comparison.model import Lane
from recognizer.errors import one_line
from recognizer.export.content import Content
from recognizer.export.rows import SEGMENTS, ClassifierNames, segment_rows
from recognizer.export.table import Cell, Column, Row, Table
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.lineage import Source
from recognizer.timeline.model import Timeline
from recognizer.types import TOUCHING_S, Segment

SEGMENT_COLUMNS = tuple(column.name for column in SEGMENTS.columns)
"""The header of the segments' CSV, in order; ``recognizer.export.rows`` says what each column holds."""

_FORMULA_STARTS = frozenset("=+-@")
"""Characters that begin a formula in a spreadsheet (OWASP, "CSV Injection"), also in another width, size or height."""

_CELL_BREAKS = ("\t", "\r", "\n")
"""An import may split a cell that begins with one of these, and run the remaining text."""


def harmless_cell(text: str) -> str:
    """Return the text of a cell, after an apostrophe if a spreadsheet would run the text as a formula.

    Characters that steer a terminal or turn the direction of writing are replaced; tabs and line feeds stay.
    """
    visible = next((c for c in text if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf")), "")
    is_formula = unicodedata.normalize("NFKC", visible)[:1] in _FORMULA_STARTS or text.startswith(_CELL_BREAKS)
    if not (text.isascii() and text.isprintable()):
        text = "".join(letter if letter in _CELL_BREAKS else one_line(letter) for letter in text)
    return f"'{text}" if is_formula else text


def segments_csv(
    timeline: Timeline, segments: Sequence[Segment], names: Mapping[int, str] = MappingProxyType({})
) -> str:
    """Return one row per segment, by person, then by time.

    Args:
        timeline: the timeline.
        segments: its segments, in any order.
        names: users' names for people.
    """
    return rows_csv(SEGMENTS.columns, segment_rows(timeline, segments, ClassifierNames(timeline).of, names))


def table_csv(table: Table, content: Content) -> str:
    """Return a table of an export."""
    return rows_csv(table.columns, table.rows(content))


def truth_csv(corrected: Corrected, segments: Iterable[Segment], *, same_people: bool) -> str:
    """Return a corrected timeline as labels to score classifiers against.

    Time that reads ``unknown`` has no true label.

    Args:
        corrected: the timeline.
        segments: its segments.
        same_people: whether the classifiers are scored on the people of the same detection and tracking. Labels then
            have the machine's numbers of the people; otherwise names, of which a user says who they are.
    """
    known = [one for one in segments if one.action != UNKNOWN_ACTION]
    if same_people:
        rows = [row for one in known for row in _of_the_machine(corrected, one)]
    else:
        rows = [(_name_in(corrected, one.person_id), one.action, one.start_s, one.end_s) for one in known]
    return rows_csv(_TRUTH_COLUMNS, rows)


_TRUTH_COLUMNS = (
    Column("person_id", str, "whose label it is"),
    Column("action", str, "the label"),
    Column("start_s", float, "start, in seconds from the start of the video", 3),
    Column("end_s", float, "end, in seconds", 3),
)


def _of_the_machine(corrected: Corrected, segment: Segment) -> Iterator[Row]:
    """Yield a segment for each of the machine's people that the person is while it lasts."""
    for source in corrected.sources.get(segment.person_id, (Source(segment.person_id, -inf, inf),)):
        start_s, end_s = max(segment.start_s, source.start_s), min(segment.end_s, source.end_s)
        if end_s - start_s >= TOUCHING_S:
            yield str(source.person_id), segment.action, start_s, end_s


def _name_in(corrected: Corrected, person_id: int) -> str:
    return corrected.names.get(person_id) or f"corrected person {person_id}"


def comparison_csv(lanes: Sequence[Lane]) -> str:
    """Return the segments of all lanes, in the columns of ``segments_csv``; ``classifier`` is the lane's name."""
    rows = (row for lane in lanes for row in segment_rows(lane.timeline, lane.segments, partial(_name_of, lane)))
    return rows_csv(SEGMENTS.columns, rows)


def _name_of(lane: Lane, _: Segment) -> str:
    return lane.name


def rows_csv(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """Return rows in these columns."""
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
