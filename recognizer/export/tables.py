"""Timelines as pandas tables, for pages. Times are in seconds; labels cannot run as formulas in a spreadsheet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pandas as pd

from recognizer.export.csv_file import harmless_cell
from recognizer.export.frames import FrameNumbers
from recognizer.export.rows import ClassifierNames
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, people_moving
from recognizer.timeline.segments import close_second
from recognizer.types import Segment

_TIME_DIGITS = 3
_SHARE_DIGITS = 1


def appearances_table(timeline: Timeline) -> pd.DataFrame:
    """Return when each person was present, one row per person.

    Columns: ``Person``, ``First seen (s)``, ``Last seen (s)``, ``Visits`` (presence intervals), ``Present (s)`` in all;
    and if movement was measured, ``Still (%)``, ``Slow (%)``, ``Fast (%)`` of the time in which it is known,
    ``Movement known (s)``, ``Mean speed`` and ``Highest speed`` in body heights per second.
    """
    table = _presence_table(timeline)
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
                         "Mean speed", "Highest speed"]  # fmt: skip
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


def time_per_action_table(timeline: Timeline, segments: Sequence[Segment]) -> pd.DataFrame:
    """Return how long each person did each action, one row per action, by person, then longest first.

    Columns: ``Person``, ``Action``, ``Time (s)``, ``Share of presence (%)``.
    """
    present_s = {track.person_id: track.present_s for track in timeline.people}
    time_s: dict[tuple[int, str], float] = defaultdict(float)
    for segment in segments:
        time_s[segment.person_id, segment.action] += segment.duration_s
    rows = [
        (
            person_id,
            harmless_cell(action),
            round(seconds, _TIME_DIGITS),
            round(100 * seconds / present_s[person_id], _SHARE_DIGITS) if present_s.get(person_id) else None,
        )
        for (person_id, action), seconds in sorted(time_s.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    ]
    return _table(rows, {"Person": "int64", "Action": "str", "Time (s)": "float64", "Share of presence (%)": "float64"})


def segments_table(timeline: Timeline, segments: Sequence[Segment]) -> pd.DataFrame:
    """Return the content of the CSV with readable titles, one row per segment, by person, then by time.

    Columns: ``Person``, ``Action``, ``Start (s)``, ``End (s)``, ``Duration (s)``, ``Start frame``, ``End frame``,
    ``Probability``, ``Second label`` and ``Second probability`` (empty unless close to the first), ``Classifier``.
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
        )
        for segment, second in zip(ordered, seconds, strict=True)
    ]
    return _table(
        rows,
        {"Person": "int64", "Action": "str", "Start (s)": "float64", "End (s)": "float64", "Duration (s)": "float64",
         "Start frame": "int64", "End frame": "int64", "Probability": "float64", "Second label": "str",
         "Second probability": "float64", "Classifier": "str"},
    )  # fmt: skip


def _table(rows: Sequence[tuple[object, ...]], columns: dict[str, str]) -> pd.DataFrame:
    """Return a table; its columns have these types even if it is empty."""
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
