"""The cells of a table that are separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from recognizer.errors import TruthError

_DELIMITERS: Final = ("\t", ";", ",")
"""The first wins where there are as many: commas may be decimal."""

Row = tuple[int, list[str]]
"""The number of a line, from 1, and its cells."""


def rows_of(text: str, name: str) -> list[Row]:
    """Return the lines that are not empty.

    Args:
        text: a file's text.
        name: name of the file, for messages.

    Raises:
        TruthError: it is not a table.
    """
    first, _, rest = text.partition("\n")
    stated = first.strip().strip('"').casefold()
    if stated.startswith("sep=") and len(stated) == 5:  # Excel's own line
        delimiter, text, offset = stated[4], rest, 1
    else:
        sample = text.split("\n", 60)[:60]
        counts = {one: sum(line.count(one) for line in sample) for one in _DELIMITERS}
        header = max(_DELIMITERS, key=first.count)
        # a table with decimal commas has more commas than semicolons
        delimiter = header if header in first else max(_DELIMITERS, key=lambda one: counts[one])
        offset = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append((reader.line_num + offset, stripped))
    except csv.Error as error:
        raise TruthError(
            f"'{name}', row {reader.line_num + offset}: this is not a table ({error}); save it as CSV."
        ) from error
    return rows


def column(header: Sequence[str], *titles: str) -> int | None:
    """Return the number of the first column with one of these titles, whatever its capitals; None if there is none."""
    lower = [cell.casefold() for cell in header]
    return next((lower.index(title) for title in titles if title in lower), None)


def cell_of(cells: Sequence[str], index: int | None) -> str:
    """Return a cell; empty if the row or the table does not have it."""
    return "" if index is None or index >= len(cells) else cells[index]
