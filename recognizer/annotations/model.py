"""A person's own labels of a video, independent of the file format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TruthRow:
    """One label.

    Attributes:
        row: its line in the file, 1 for the header.
        person_id: the person it is about; None for everyone present.
        action: the action, in the words of the file.
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
    """A person's labels of one video.

    Attributes:
        name: name of the file.
        rows: the labels in the order of the file.
        notes: what was skipped, in sentences.
    """

    name: str
    rows: tuple[TruthRow, ...]
    notes: tuple[str, ...] = ()
