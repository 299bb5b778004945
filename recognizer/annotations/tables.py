"""Read labels from a table: a CSV file, or the aggregated events that BORIS exports. Each row is checked.

A plain file has the columns ``action``, ``start_s``, ``end_s`` and optionally ``person_id``; other columns are skipped,
so a corrected CSV file of this program works too. An export from BORIS has the columns ``Subject``, ``Behavior``,
``Behavior type``, ``Start (s)`` and ``Stop (s)`` (BORIS' source, ``export_events.py``).
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from recognizer.annotations.model import Truth, TruthRow
from recognizer.errors import TruthError

MAX_TRUTH_BYTES: Final = 20_000_000
"""Larger than any table of labels, so that a video given by mistake is rejected early."""

_DELIMITERS: Final = (",", ";", "\t")
_NO_SUBJECT: Final = ("", "no focal subject")
_ROUNDING_S: Final = 1e-3
"""Rows may overlap by less than this, because other programs round to milliseconds."""


@dataclass(frozen=True)
class _Columns:
    action: str
    start_s: str
    end_s: str
    person: str
    kind: str | None = None
    observation: str | None = None


_PLAIN: Final = _Columns("action", "start_s", "end_s", "person_id")
_BORIS: Final = _Columns("Behavior", "Start (s)", "Stop (s)", "Subject", "Behavior type", "Observation id")


def read_truth(data: bytes, name: str) -> Truth:
    """Read a table of labels whose columns are separated by commas, semicolons or tabs.

    Args:
        data: the file's bytes, UTF-8 or UTF-16.
        name: name of the file, for messages.

    Raises:
        TruthError: it is not such a table; the message states the row and the reason.
    """
    lines = _text(data, name)
    delimiter = max(_DELIMITERS, key=lines.partition("\n")[0].count)
    table = csv.DictReader(io.StringIO(lines, newline=""), delimiter=delimiter, restkey="more", restval="")
    try:
        header = [title.strip() for title in table.fieldnames or ()]
        table.fieldnames = header
        columns = _columns(header, name)
        return _read(table, columns, name, decimal_comma=delimiter != ",")
    except csv.Error as error:
        raise TruthError(f"'{name}', row {table.line_num}: this is not a table ({error}); save it as CSV.") from error


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_TRUTH_BYTES:
        raise TruthError(f"'{name}' is {len(data):,} bytes long; give a table with one label a row.")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"  # spreadsheets write both
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise TruthError(f"'{name}', row {row}: this is not UTF-8 text; save the table as CSV in UTF-8.") from error
    if not text.strip():
        raise TruthError(f"'{name}' is empty; give a table with the columns action, start_s and end_s.")
    return text


def _columns(header: Sequence[str], name: str) -> _Columns:
    if _BORIS.action in header and _BORIS.start_s in header:
        columns, needed = _BORIS, (_BORIS.action, _BORIS.start_s, _BORIS.end_s)
    else:
        columns, needed = _PLAIN, (_PLAIN.action, _PLAIN.start_s, _PLAIN.end_s)
    missing = [title for title in needed if title not in header]
    if missing:
        found = ", ".join(title for title in header if title)[:120] or "nothing"
        raise TruthError(
            f"'{name}', row 1: the header lacks {', '.join(missing)} (it has {found}); give the "
            "columns action, start_s, end_s and optionally person_id, or export aggregated events from BORIS."
        )
    return columns


def _read(table: csv.DictReader[str], columns: _Columns, name: str, *, decimal_comma: bool) -> Truth:
    rows: list[TruthRow] = []
    points = 0
    observation: str | None = None
    for cells in table:
        row, where = table.line_num, f"'{name}', row {table.line_num}"
        values = {title: cell.strip() for title, cell in cells.items() if isinstance(cell, str)}
        if not any(values.values()):
            continue
        if "more" in cells:
            raise TruthError(
                f"{where}: it has more cells than the header has columns; put quotes around cells with commas."
            )
        if columns.kind is not None and values.get(columns.kind, "").upper() == "POINT":
            points += 1
            continue
        if columns.observation is not None:
            current = values.get(columns.observation, "")
            if observation not in (None, current):
                raise TruthError(
                    f"{where}: it belongs to another observation, '{current}'; export one observation at a time."
                )
            observation = current
        action = _label(values[columns.action])
        if not action:
            raise TruthError(f"{where}: {columns.action} is empty; write an action, or remove the row.")
        start_s = _seconds(values, columns.start_s, where, decimal_comma)
        end_s = _seconds(values, columns.end_s, where, decimal_comma)
        if end_s <= start_s:
            raise TruthError(
                f"{where}: {columns.end_s} is {end_s:g}, which is not after {columns.start_s}, {start_s:g}; "
                "give a later end, or remove the row."
            )
        rows.append(TruthRow(row, _person(values, columns, where), action, start_s, end_s))
    if not rows:
        raise TruthError(f"'{name}' has no label with a duration; give one row for each stretch of an action.")
    _check_overlaps(rows, name)
    notes = () if not points else (f"{points} point events of '{name}' have no duration and are skipped.",)
    return Truth(name, tuple(rows), notes)


def _label(cell: str) -> str:
    """Return the label, without the apostrophe that this program's CSV puts before formulas."""
    return " ".join((cell[1:] if re.match(r"'[=+\-@＝＋－＠]", cell) else cell).split())


def _seconds(values: Mapping[str, str], column: str, where: str, decimal_comma: bool) -> float:
    cell = values[column]
    try:
        value_s = float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        value_s = math.nan
    if not math.isfinite(value_s) or value_s < 0:
        raise TruthError(f"{where}: {column} is '{cell[:40]}'; give seconds from the start of the video, such as 12.5.")
    return value_s


def _person(values: Mapping[str, str], columns: _Columns, where: str) -> int | None:
    cell = values.get(columns.person, "")
    if cell.lower() in _NO_SUBJECT:
        return None
    number = re.fullmatch(r"(?:[A-Za-z]+[ _#-]*)?0*([1-9]\d{0,8})(?:\.0+)?", cell)  # "2", "2.0", "Person 2", "P2"
    if number is None:
        raise TruthError(
            f"{where}: {columns.person} is '{cell[:40]}'; give a person's number in the timeline, such as 1, or "
            "leave it empty for everyone."
        )
    return int(number[1])


def _check_overlaps(rows: Iterable[TruthRow], name: str) -> None:
    ordered = sorted(rows, key=lambda row: (row.start_s, row.end_s))
    for k, one in enumerate(ordered):
        for other in ordered[k + 1 :]:
            if other.start_s >= one.end_s - _ROUNDING_S:
                break
            if one.person_id == other.person_id or None in (one.person_id, other.person_id):
                first, second = sorted((one, other), key=lambda row: row.row)
                raise TruthError(
                    f"'{name}', row {second.row}: {second.start_s:g} to {second.end_s:g} s overlaps row {first.row}, "
                    f"{first.start_s:g} to {first.end_s:g} s, of the same person; give one label at a time."
                )
