"""Read Audacity's label tracks: start, end and label, separated by tabs, without a header."""

from __future__ import annotations

from collections.abc import Sequence

from recognizer.annotations.cells import Row, cell_of
from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import label_text, time_in_s


def is_label_track(rows: Sequence[Row]) -> bool:
    """Return whether the first row is a start, an end and perhaps a label."""
    cells = rows[0][1]
    return 2 <= len(cells) <= 3 and all(time_in_s(cell) is not None for cell in cells[:2])


def read_label_track(rows: Sequence[Row], name: str) -> LabelFile:
    """Read a label track.

    Raises:
        TruthError: no row has a start, an end and a label.
    """
    tally = Tally()
    labels = []
    for line, cells in rows:
        start_s, end_s, text = time_in_s(cells[0]), time_in_s(cell_of(cells, 1)), label_text(cell_of(cells, 2))
        if cells[0] == "\\":
            continue  # the frequencies of the label above (Audacity's manual, "Importing and Exporting Labels")
        if start_s is None or end_s is None:
            tally.leave_out("rows whose start or end is not a time", f"row {line}")
        elif not text:
            tally.leave_out("labels without a text", f"row {line}")
        else:
            labels.append(Label(f"row {line}", "", text, start_s, end_s))
    check_any(labels, tally, name)
    return LabelFile(name, "Audacity labels", (Part("", tuple(labels)),), tally.remarks)
