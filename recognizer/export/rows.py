"""The tables of an export: their columns and rows, for CSV, Parquet and the README.

A table has the same columns in every format. The numbers of a row add up: times are rounded to milliseconds first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from recognizer.export.content import Content
from recognizer.export.frames import FrameNumbers
from recognizer.export.table import Cell, Column, Row, Table
from recognizer.timeline.model import Timeline
from recognizer.timeline.movement import Movement, Summary, movements_of, people_moving
from recognizer.types import Segment

_MOST_LABELS: Final = 5


def segment_rows(
    timeline: Timeline,
    segments: Iterable[Segment],
    classifier_of: Callable[[Segment], str],
    names: Mapping[int, str] = MappingProxyType({}),
    checked: Collection[Segment] = frozenset(),
) -> Iterator[Row]:
    """Yield a row per segment, by person, then by time, in the columns of ``SEGMENTS``."""
    frames = FrameNumbers(timeline)
    for one in sorted(segments, key=lambda segment: (segment.person_id, segment.start_s, segment.end_s)):
        start_ms, end_ms = round(one.start_s * 1000), round(one.end_s * 1000)
        yield (
            one.person_id,
            one.action,
            start_ms / 1000,
            end_ms / 1000,
            (end_ms - start_ms) / 1000,
            frames.first_at(one.start_s),
            frames.first_at(one.end_s),
            one.confidence,
            classifier_of(one),
            one.source,
            names.get(one.person_id, ""),
            int(one in checked),
        )


def _segments(content: Content) -> Iterator[Row]:
    names = ClassifierNames(content.timeline)
    return segment_rows(content.timeline, content.segments, names.of, content.names, content.checked)


def _people(content: Content) -> Iterator[Row]:
    labelled_ms = dict.fromkeys(content.person_ids, 0)
    for one in content.segments:
        labelled_ms[one.person_id] += round(one.end_s * 1000) - round(one.start_s * 1000)
    moved = {moving.person.person_id: moving.summary for moving in people_moving(content.timeline)}
    for track in content.timeline.people:
        if not track.presence:
            continue
        starts_ms, ends_ms = ([round(time_s * 1000) for time_s in times] for times in zip(*track.presence, strict=True))
        yield (
            track.person_id,
            content.names.get(track.person_id, ""),
            starts_ms[0] / 1000,
            ends_ms[-1] / 1000,
            len(track.presence),
            (sum(ends_ms) - sum(starts_ms)) / 1000,
            labelled_ms[track.person_id] / 1000,
            *_movement_cells(moved.get(track.person_id)),
        )


def _movement_cells(summary: Summary | None) -> Row:
    if summary is None:
        return (None,) * (len(Movement) + 3)
    # no time in which the movement is known is not "never moved"
    times_s = (summary.seconds.get(one, 0.0) if summary.known_s else None for one in Movement)
    return (*times_s, summary.mean_per_s, summary.max_per_s, summary.known_s)


def _movement(content: Content) -> Iterator[Row]:
    for moving in people_moving(content.timeline):
        person_id, speeds = moving.person.person_id, moving.speeds
        movements = movements_of(speeds, moving.limits)
        for time_s, per_s, movement in zip(speeds.time_s.tolist(), speeds.per_s.tolist(), movements, strict=True):
            if isinstance(movement, Movement):
                yield person_id, round(time_s * 1000) / 1000, per_s, movement.value, ""
            else:
                yield person_id, round(time_s * 1000) / 1000, None, "unknown", movement.value


def _predictions(content: Content) -> Iterator[Row]:
    for one in content.timeline.predictions:
        labels = [cell for pair in one.top[:_MOST_LABELS] for cell in pair]
        missing: list[Cell] = [None] * (2 * _MOST_LABELS - len(labels))
        times_s = (round(one.start_s * 1000) / 1000, round(one.end_s * 1000) / 1000)
        yield (one.person_id, *times_s, one.classifier, *labels, *missing)


_PERSON: Final = Column("person_id", int, "1, 2, … within the video")
_NAME: Final = Column("person_name", str, "the name that a user gave; empty if none")
_SPEED: Final = "speed in body heights per second; empty where it is unknown"
_FRAMES: Final = "counted from 0; frames are those of the decoded video"

SEGMENTS: Final = Table(
    "segments",
    "one row per segment: a person does one action from start_s up to end_s, by person, then by time",
    (
        _PERSON,
        Column("action", str, "the label, or unknown where no label is probable enough"),
        Column("start_s", float, "start, in seconds from the start of the video", 3),
        Column("end_s", float, "end, in seconds; the segment does not include it", 3),
        Column("duration_s", float, "end_s - start_s", 3),
        Column("start_frame", int, f"first frame of the segment, {_FRAMES}"),
        Column("end_frame", int, "first frame after the segment"),
        Column("confidence", float, "mean probability of the label, 0 to 1; 1 where a human made it", 4),
        Column("classifier", str, "the network that made the predictions, and the set whose own name it is"),
        Column("source", str, "machine, or human where a person corrected the label or an edge"),
        _NAME,
        Column("checked", int, "1 where a person has checked the whole segment, otherwise 0"),
    ),
    _segments,
)

PEOPLE: Final = Table(
    "people",
    "one row per person",
    (
        _PERSON,
        _NAME,
        Column("first_seen_s", float, "when the person first appears, in seconds", 3),
        Column("last_seen_s", float, "when the person is last seen, in seconds", 3),
        Column("visits", int, "how many times the person is in view without a longer gap"),
        Column("present_s", float, "seconds in view in all", 3),
        Column("labelled_s", float, "seconds in segments, unknown ones included", 3),
        *(
            Column(f"{one.value}_s", float, f"seconds in which the person is {one.value}; empty if not known", 3)
            for one in Movement
        ),
        Column("mean_heights_per_s", float, f"mean {_SPEED}", 3),
        Column("max_heights_per_s", float, f"highest {_SPEED}", 3),
        Column("movement_known_s", float, "seconds in which the movement is known; empty if not measured", 3),
    ),
    _people,
)

PREDICTIONS: Final = Table(
    "predictions",
    "one row per clip: what the classifier said about it; clips of one person overlap",
    (
        _PERSON,
        Column("start_s", float, "start of the clip, in seconds", 3),
        Column("end_s", float, "end of the clip or, soon after, of the stay, in seconds", 3),
        Column("classifier", str, "the network, and the set of own actions if that named the clip"),
        *(
            column
            for k in range(1, _MOST_LABELS + 1)
            for column in (
                Column(f"label_{k}", str, f"label number {k} by probability; empty if there are fewer"),
                Column(f"probability_{k}", float, f"probability of label_{k}, 0 to 1", 4),
            )
        ),
    ),
    _predictions,
)

MOVEMENT: Final = Table(
    "movement",
    "one row per person and sampled frame: how fast the person travels across the picture, the camera's motion taken "
    "out; no rows if the camera's motion was not measured",
    (
        _PERSON,
        Column("time_s", float, "time of the frame, in seconds from the start of the video", 3),
        Column("heights_per_s", float, _SPEED, 3),
        Column("movement", str, "still, slow, fast or unknown; the settings have the limits"),
        Column("reason", str, "why it is unknown; otherwise empty"),
    ),
    _movement,
)


class ClassifierNames:
    """Finds the classifier of a segment: the one whose prediction covers its middle."""

    def __init__(self, timeline: Timeline) -> None:
        self._by_person: dict[int, tuple[list[float], list[str]]] = {}
        for prediction in sorted(timeline.predictions, key=lambda p: (p.person_id, p.start_s)):
            starts_s, names = self._by_person.setdefault(prediction.person_id, ([], []))
            starts_s.append(prediction.start_s)
            names.append(prediction.classifier)
        self._otherwise = timeline.settings.video_classifier_model

    def of(self, segment: Segment) -> str:
        """Return the classifier's name, or the one in the settings if the person has no predictions."""
        starts_s, names = self._by_person.get(segment.person_id, ([], []))
        if not names:
            return self._otherwise
        middle_s = (segment.start_s + segment.end_s) / 2
        return names[max(0, bisect_right(starts_s, middle_s) - 1)]
