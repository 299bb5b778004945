"""Read labels from a table of any program; find out whose table it is.

A plain table has the columns ``action``, ``start_s``, ``end_s`` and optionally ``person_id``, in any order and with any
capitals; ``start_frame`` and ``end_frame`` do as well. Other columns are skipped, so a corrected CSV file of this
program works too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from recognizer.annotations import audacity, boris, elan, per_frame
from recognizer.annotations.cells import Row, cell_of, column, rows_of
from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import is_open, label_text, subject_text, time_in_s
from recognizer.errors import TruthError

_ACTION: Final = ("action", "label", "behavior", "behaviour", "activity", "annotation")
_START_S: Final = ("start_s", "start", "start (s)", "start_time", "begin", "begin_s", "onset")
_END_S: Final = ("end_s", "end", "end (s)", "end_time", "stop", "stop (s)", "stop_s", "offset")
_START_FRAME: Final = ("start_frame", "begin_frame")
_END_FRAME: Final = ("end_frame", "stop_frame")
_PERSON: Final = ("person_id", "person", "subject", "individual")


def read_table(text: str, name: str) -> LabelFile:
    """Read a table of labels.

    Args:
        text: the file's text.
        name: name of the file, for messages.

    Raises:
        TruthError: it is no table of labels; the message states the reason.
    """
    rows = rows_of(text, name)
    if not rows:
        raise TruthError(f"'{name}' has no row; give a table with the columns action, start_s and end_s.")
    has_sep_line = rows[0][0] > 1 and text[:4].casefold() == "sep="
    header = boris.header_of(rows)
    if header is not None:
        return boris.read_boris_table(rows, header, name)
    if column(rows[0][1], *_ACTION) is None:
        if elan.is_tab_export(rows):
            return elan.read_tab_export(rows, name)
        if audacity.is_label_track(rows):
            return audacity.read_label_track(rows, name)
        columns = per_frame.one_hot_columns(rows)
        if columns:
            return per_frame.read_one_hot(rows, columns, name)
    return _read_plain(rows, name, has_sep_line=has_sep_line)


def _read_plain(rows: Sequence[Row], name: str, *, has_sep_line: bool) -> LabelFile:
    line, header = rows[0]
    action, person = column(header, *_ACTION), column(header, *_PERSON)
    start, end = column(header, *_START_S), column(header, *_END_S)
    in_frames = (start is None or end is None) and column(header, *_START_FRAME) is not None
    if in_frames:
        start, end = column(header, *_START_FRAME), column(header, *_END_FRAME)
    wanted: Mapping[str, int | None] = {"action": action, "start_s": start, "end_s": end}
    missing = [title for title, index in wanted.items() if index is None]
    if missing or action is None:
        found = ", ".join(" ".join(title.split()) for title in header if title)[:120] or "nothing"
        raise TruthError(
            f"'{name}', row {line}: the header lacks {', '.join(missing)} (it has {found}); give the columns action, "
            "start_s, end_s and optionally person_id, or a file of BORIS, ELAN, Praat, Audacity, DeepEthogram, SimBA, "
            "Label Studio or CVAT."
        )
    tally = Tally()
    if has_sep_line:
        tally.mend("a line sep= before the header")
    for index in (action, start, end, person):
        if index is not None and header[index] != header[index].casefold():
            tally.mend("column titles in other capitals")
    labels = []
    for line, cells in rows[1:]:
        place = f"row {line}"
        if any(cells[len(header) :]):
            tally.leave_out("rows with more cells than the header, which commas without quotes cause", place)
            continue
        what = label_text(cell_of(cells, action))
        start_at, end_cell = time_in_s(cell_of(cells, start)), cell_of(cells, end)
        end_at = None if is_open(end_cell) else time_in_s(end_cell)
        if not what:
            tally.leave_out("rows without an action", place)
        elif start_at is None or (end_at is None and not is_open(end_cell)):
            tally.leave_out("rows whose start or end is not a time", place)
        else:
            times = cell_of(cells, start) + cell_of(cells, end)
            if ":" in times:
                tally.mend("rows with times as hh:mm:ss")
            if "," in times:
                tally.mend("rows with decimal commas")
            labels.append(Label(place, subject_text(cell_of(cells, person)), what, start_at, end_at, in_frames))
    check_any(labels, tally, name)
    return LabelFile(name, "table", (Part("", tuple(labels)),), tally.remarks)
