"""Exported tables, as tests read them."""

from __future__ import annotations

import csv
import io


def rows_of(table: str | bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV table by its header."""
    text = table if isinstance(table, str) else table.decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))
