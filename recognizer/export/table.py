"""A table of an export: its columns, and where its rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recognizer.export.content import Content

Cell = int | float | str | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its title.
        kind: type of its cells.
        meaning: what it holds, for readers.
        digits: digits after the decimal point in text; None for other types than ``float``.
    """

    name: str
    kind: type[int] | type[float] | type[str]
    meaning: str
    digits: int | None = None


@dataclass(frozen=True)
class Table:
    """A table of an export.

    Attributes:
        name: ``segments``, ``people`` or ``predictions``.
        meaning: what a row is, for readers.
        columns: its columns, in order.
        rows: yields its rows from the content of an export.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows: Callable[[Content], Iterator[Row]]
