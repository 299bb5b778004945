"""Read the events that BORIS exports as tables: aggregated (a state a row) and tabular (a start or a stop a row).

Times count from the observation's beginning, run on over its media files and include its time offset; a column has the
offset from BORIS 8.27 on (BORIS' source, ``export_observation.py``). Before that, the only column that places an event
in a media file is that file's name, and the file's own length and the length of all files tell when it begins.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from recognizer.annotations.cells import Row, cell_of, column
from recognizer.annotations.model import Label, LabelFile, Part
from recognizer.annotations.remarks import Tally, check_any
from recognizer.annotations.text import file_name, is_open, label_text, subject_text, time_in_s

_MOST_LINES_BEFORE_HEADER: Final = 60
"""An old export begins with a line for each media file and independent variable, 15 to 18 in all in most projects."""

POINTS: Final = "point events, which have no duration"
"""Words for events that cannot be scored."""


@dataclass(frozen=True)
class Medium:
    """A media file of an observation.

    Attributes:
        name: its name, without folders.
        begins_s: time of the observation at which it begins; None if not known.
        ends_s: time of the observation at which it ends; None if not known.
    """

    name: str
    begins_s: float | None
    ends_s: float | None


@dataclass(frozen=True)
class _Event:
    line: int
    observation: str
    cells: Sequence[str]
    medium: str


def header_of(rows: Sequence[Row]) -> int | None:
    """Return the number of the row with the column titles of an export by BORIS; None if there is none."""
    for number, (_, cells) in enumerate(rows[:_MOST_LINES_BEFORE_HEADER]):
        titles = {cell.casefold() for cell in cells}
        if {"subject", "behavior"} <= titles and ("start (s)" in titles or {"time", "status"} <= titles):
            return number
        if {"subject", "behavior", "behavior type", "time"} <= titles:
            return number
    return None


def read_boris_table(rows: Sequence[Row], header_number: int, name: str) -> LabelFile:
    """Read a table of events that BORIS exported.

    Args:
        rows: all rows.
        header_number: see ``header_of``.
        name: name of the file, for messages.

    Raises:
        TruthError: no event has a duration.
    """
    header = rows[header_number][1]
    before = {cells[0].casefold(): cell_of(cells, 1) for _, cells in rows[:header_number]}
    observation_column = column(header, "observation id")
    medium_column = column(header, "media file name", "media file", "media file path")
    events = [
        _Event(
            line,
            cell_of(cells, observation_column) if observation_column is not None else before.get("observation id", ""),
            cells,
            file_name(cell_of(cells, medium_column)),
        )
        for line, cells in rows[header_number + 1 :]
    ]
    tally = Tally()
    is_aggregated = column(header, "start (s)") is not None
    labels = (_aggregated if is_aggregated else _tabular)(events, header, tally)
    check_any([label for _, label in labels], tally, name)
    by_observation: dict[str, list[tuple[_Event, Label]]] = defaultdict(list)
    for event, label in labels:
        by_observation[event.observation].append((event, label))
    found: list[tuple[str, Medium | None, list[Label]]] = []
    for observation, its in by_observation.items():
        media = _media_of([event for event in events if event.observation == observation], header, before)
        if not media:
            found.append((observation, None, [label for _, label in its]))
        named = any(medium.name == event.medium for event, _ in its for medium in media)
        for number, medium in enumerate(media):
            last = number == len(media) - 1
            inside = [label for event, label in its if _is_in(event, label, medium, last, named)]
            found.append((observation, medium, inside))
    title = "BORIS, aggregated events" if is_aggregated else "BORIS, tabular events"
    return LabelFile(name, title, parts_of(found), tally.remarks)


def parts_of(found: Sequence[tuple[str, Medium | None, Sequence[Label]]]) -> tuple[Part, ...]:
    """Return the parts that have labels, named after their observation and media file."""
    found = [one for one in found if one[2]]
    observations = {observation for observation, _, _ in found}
    parts = []
    for observation, medium, labels in found:
        words = [observation] if len(observations) > 1 or medium is None else []
        words += [medium.name] if medium is not None else []
        parts.append(
            Part(
                ", ".join(words) if len(found) > 1 else "",
                tuple(labels),
                None if medium is None else medium.name,
                0.0 if medium is None else medium.begins_s,
                None if medium is None else medium.ends_s,
                open_until_end=True,
            )
        )
    return tuple(parts)


def _is_in(event: _Event, label: Label, medium: Medium, last: bool, named: bool) -> bool:
    if medium.begins_s is not None and medium.ends_s is not None:
        return is_within(label, medium, last)
    return event.medium == medium.name if named else last


def is_within(label: Label, medium: Medium, last: bool) -> bool:
    """Return whether a label lies in a media file, at least in part; the last one also has what comes after it."""
    begins_s, ends_s = medium.begins_s or 0.0, math.inf if last or medium.ends_s is None else medium.ends_s
    return label.start < ends_s and (label.end is None or label.end > begins_s)


def _media_of(events: Sequence[_Event], header: Sequence[str], before: Mapping[str, str]) -> list[Medium]:
    """Return the media files of one observation that play one after another, as far as the table names them."""
    if not events:
        return []
    cells = events[0].cells
    offset_s = time_in_s(cell_of(cells, column(header, "time offset (s)")) or before.get("time offset (s)", "")) or 0.0
    # "player #1:a.mp4;b.mp4|player #2:c.mp4"
    source = cell_of(cells, column(header, "source"))
    first_player = re.sub(r"^\s*player #1:\s*", "", source.partition("|")[0], flags=re.IGNORECASE)
    listed = [file_name(path) for path in first_player.split(";") if path.strip()]
    durations = cell_of(cells, column(header, "media duration (s)")).partition("|")[0].split(";")
    durations_s = [time_in_s(cell) for cell in durations if cell.strip()]
    known_s = [one for one in durations_s if one is not None]
    if listed and len(known_s) == len(listed):
        borders_s = [offset_s + border for border in accumulate(known_s, initial=0.0)]
        return list(map(Medium, listed, borders_s[:-1], borders_s[1:]))
    names = list(dict.fromkeys(event.medium for event in events))
    names = listed or [one for one in names if one.casefold() not in ("", "na", "not found")]
    total_s = time_in_s(cell_of(cells, column(header, "total length")))
    media = []
    for number, one in enumerate(names):
        begins_s = offset_s if number == 0 else None
        ends_s = offset_s + total_s if total_s is not None and number == len(names) - 1 else None
        media.append(Medium(one, begins_s, ends_s))
    return media


def _aggregated(events: Sequence[_Event], header: Sequence[str], tally: Tally) -> list[tuple[_Event, Label]]:
    subject, behavior, kind = (column(header, title) for title in ("subject", "behavior", "behavior type"))
    start, stop = column(header, "start (s)"), column(header, "stop (s)")
    labels = []
    for event in events:
        place = f"row {event.line}"
        action = label_text(cell_of(event.cells, behavior))
        start_s, stop_cell = time_in_s(cell_of(event.cells, start)), cell_of(event.cells, stop)
        stop_s = None if is_open(stop_cell) else time_in_s(stop_cell)
        if cell_of(event.cells, kind).casefold() == "point":
            tally.leave_out(POINTS)
        elif not action:
            tally.leave_out("rows without a behavior", place)
        elif start_s is None or (stop_s is None and not is_open(stop_cell)):
            tally.leave_out("rows whose start or stop is not a time", place)
        else:
            labels.append((event, Label(place, subject_text(cell_of(event.cells, subject)), action, start_s, stop_s)))
    return labels


def _tabular(events: Sequence[_Event], header: Sequence[str], tally: Tally) -> list[tuple[_Event, Label]]:
    subject, behavior, time = (column(header, title) for title in ("subject", "behavior", "time"))
    status = column(header, "status")
    status = column(header, "behavior type") if status is None else status
    modifiers = [number for number, title in enumerate(header) if title.casefold().startswith("modifier")]
    begun: dict[tuple[str, ...], tuple[_Event, float]] = {}
    labels: list[tuple[_Event, Label]] = []

    def add(key: tuple[str, ...], event: _Event, start_s: float, stop_s: float | None) -> None:
        labels.append((event, Label(f"row {event.line}", key[1], key[2], start_s, stop_s)))

    for event in events:
        place = f"row {event.line}"
        what = cell_of(event.cells, status).casefold()
        action, time_s = label_text(cell_of(event.cells, behavior)), time_in_s(cell_of(event.cells, time))
        who = subject_text(cell_of(event.cells, subject))
        key = (event.observation, who, action, *(cell_of(event.cells, one) for one in modifiers))
        if what == "point":
            tally.leave_out(POINTS)
        elif what not in ("start", "stop") or not action or time_s is None:
            tally.leave_out("rows that are no START, STOP or POINT of a behavior at a time", place)
        elif what == "start":
            if key in begun:
                tally.mend("STARTs of a behavior that has begun before, which end it", place)
                add(key, *begun[key], time_s)
            begun[key] = event, time_s
        elif key in begun:
            add(key, *begun.pop(key), time_s)
        else:
            tally.leave_out("STOPs without a START", place)
    for key, (event, start_s) in begun.items():
        add(key, event, start_s, None)
    return sorted(labels, key=lambda one: (one[1].start, one[0].line))
