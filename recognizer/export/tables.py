"""Timelines as pandas tables, for pages. Times are in seconds; labels cannot run as formulas in a spreadsheet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import pandas as pd

from recognizer.export.content import Content
from recognizer.export.csv_file import harmless_cell
from recognizer.export.frames import FrameNumbers
from recognizer.export.rows import ClassifierNames
from recognizer.export.table import Column, Table
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, people_moving
from recognizer.timeline.segments import close_second
from recognizer.types import Segment

_TIME_DIGITS = 3
_SHARE_DIGITS = 1


def appearances_table(timeline: Timeline, names: Mapping[int, str] = MappingProxyType({})) -> pd.DataFrame:
    """Return when each person was present, one row per person; ``names`` are users' names for people.

    Columns: ``Person``, ``Name`` (if anybody has one), ``First seen (s)``, ``Last seen (s)``, ``Visits`` (presence
    intervals), ``Present (s)`` in all; and if movement was measured, ``Still (%)``, ``Slow (%)``, ``Fast (%)`` of the
    time in which it is known, ``Movement known (s)``, ``Mean speed (heights/s)`` and
    ``Highest speed (heights/s)``.
    """
    table = _named(_presence_table(timeline), names)
    if timeline.camera is None:
        return table
    return table.merge(_movement_table(timeline), how="left", on="Person")


def _movement_table(timeline: Timeline) -> pd.DataFrame:
    rows = []
    for moving in people_moving(timeline):
        summary = moving.summary
        shares = (summary.share(movement) for movement in Movement)
        rows.append(
            (
                moving.person.person_id,
                *(None if share is None else round(100 * share, _SHARE_DIGITS) for share in shares),
                round(summary.known_s, _TIME_DIGITS),
                *(None if speed is None else round(speed, 2) for speed in (summary.mean_per_s, summary.max_per_s)),
            )
        )
    shares_and_speeds = [*(f"{movement.value.capitalize()} (%)" for movement in Movement), "Movement known (s)",
                         "Mean speed (heights/s)", "Highest speed (heights/s)"]  # fmt: skip
    return _table(rows, {"Person": "int64"} | dict.fromkeys(shares_and_speeds, "float64"))


def _presence_table(timeline: Timeline) -> pd.DataFrame:
    rows = [
        (
            track.person_id,
            round(track.presence[0][0], _TIME_DIGITS),
            round(track.presence[-1][1], _TIME_DIGITS),
            len(track.presence),
            round(track.present_s, _TIME_DIGITS),
        )
        for track in timeline.people
        if track.presence
    ]
    return _table(
        rows,
        {"Person": "int64", "First seen (s)": "float64", "Last seen (s)": "float64", "Visits": "int64",
         "Present (s)": "float64"},
    )  # fmt: skip


def segments_table(
    timeline: Timeline,
    segments: Sequence[Segment],
    names: Mapping[int, str] = MappingProxyType({}),
    checked: Collection[Segment] = frozenset(),
) -> pd.DataFrame:
    """Return the content of the CSV with readable titles, one row per segment, by person, then by time.

    Columns: ``Person``, ``Name`` (if anybody has one), ``Action``, ``Start (s)``, ``End (s)``, ``Duration (s)``,
    ``Start frame``, ``End frame``, ``Probability``, ``Second label`` and ``Second probability`` (empty unless close to
    the first), ``Classifier``, ``Source`` and ``Checked``.

    Args:
        timeline: the timeline.
        segments: its segments.
        names: users' names for people.
        checked: those of the segments that a person has checked.
    """
    frames = FrameNumbers(timeline)
    classifiers = ClassifierNames(timeline)
    ordered = sorted(segments, key=lambda segment: (segment.person_id, segment.start_s, segment.end_s))
    seconds = [close_second(one, likely) for one, likely in zip(ordered, timeline.likely_labels(ordered), strict=True)]
    rows = [
        (
            segment.person_id,
            harmless_cell(segment.action),
            round(segment.start_s, _TIME_DIGITS),
            round(segment.end_s, _TIME_DIGITS),
            # computed from the rounded times, so that the row adds up
            round(round(segment.end_s, _TIME_DIGITS) - round(segment.start_s, _TIME_DIGITS), _TIME_DIGITS),
            frames.first_at(segment.start_s),
            frames.first_at(segment.end_s),
            round(segment.confidence, 4),
            "" if second is None else harmless_cell(second[0]),
            None if second is None else round(second[1], 4),
            harmless_cell(classifiers.of(segment)),
            segment.source,
            segment in checked,
        )
        for segment, second in zip(ordered, seconds, strict=True)
    ]
    table = _table(
        rows,
        {"Person": "int64", "Action": "str", "Start (s)": "float64", "End (s)": "float64", "Duration (s)": "float64",
         "Start frame": "int64", "End frame": "int64", "Probability": "float64", "Second label": "str",
         "Second probability": "float64", "Classifier": "str", "Source": "str", "Checked": "bool"},
    )  # fmt: skip
    return _named(table, names)


def table_of(table: Table, content: Content) -> pd.DataFrame:
    """Return a table of an export with its columns in words, such as ``Total (s)`` for ``total_s``."""
    rows = [
        tuple(harmless_cell(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows(content)
    ]
    frame = pd.DataFrame(rows, columns=[title_of(column) for column in table.columns])
    for column in table.columns:
        if column.kind is not str:
            numbers = frame[title_of(column)]
            frame[title_of(column)] = numbers.astype("Int64" if column.kind is int else "float64").round(
                column.digits or 0
            )
    return frame


def title_of(column: Column) -> str:
    """Return a column's name in words, with its unit."""
    if column.name in _TITLES:
        return _TITLES[column.name]
    name, _, unit = column.name.rpartition("_")
    words = f"{name} (s)" if unit == "s" else column.name
    return words.replace("_", " ").capitalize()


_TITLES: Final = {
    "person_id": "Person",
    "person_name": "Name",
    "other_id": "Other person",
    "sd_s": "SD (s)",
    "latency_s": "Time to first (s)",
}


def _named(table: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    """Add users' names of people, if there are any."""
    if not names:
        return table
    shown = [harmless_cell(names.get(person_id, "")) for person_id in table["Person"]]
    table.insert(1, "Name", pd.Series(shown, dtype="str"))
    return table


def _table(rows: Sequence[tuple[object, ...]], columns: dict[str, str]) -> pd.DataFrame:
    """Return a table; its columns have these types even if it is empty."""
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
