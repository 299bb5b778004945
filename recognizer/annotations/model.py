"""A user's own labels of a video, independent of the file format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TruthRow:
    """One label.

    Attributes:
        row: its line in the file; the header is line 1.
        person_id: the labelled person; None for everyone present.
        action: the action, as the file spells it.
        start_s: its start.
        end_s: its end; exclusive.
    """

    row: int
    person_id: int | None
    action: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Truth:
    """A user's labels of one video.

    Attributes:
        name: name of the file.
        rows: the labels in the order of the file.
        notes: sentences about skipped rows.
    """

    name: str
    rows: tuple[TruthRow, ...]
    notes: tuple[str, ...] = ()
