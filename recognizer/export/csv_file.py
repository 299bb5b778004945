"""Segments as CSV, RFC 4180."""

from __future__ import annotations

import csv
import io
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from recognizer.comparison.model import Lane
from recognizer.export.frames import FrameNumbers
from recognizer.timeline.model import Timeline
from recognizer.types import Segment

SEGMENT_COLUMNS = (
    "person_id",
    "action",
    "start_s",
    "end_s",
    "duration_s",
    "start_frame",
    "end_frame",
    "confidence",
    "classifier",
)
"""The header of the CSV, in order."""

_FORMULA_STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""Characters that begin a formula in a spreadsheet, ASCII and full width (OWASP, "CSV Injection")."""

_CELL_BREAKS = ("\t", "\r", "\n")
"""An import may split a cell that begins with one of these, and run the remaining text."""


def harmless_cell(text: str) -> str:
    """Return the text of a cell, after an apostrophe if a spreadsheet would run the text as a formula."""
    visible = next((c for c in text if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf")), "")
    return f"'{text}" if visible in _FORMULA_STARTS or text.startswith(_CELL_BREAKS) else text


def segments_csv(timeline: Timeline, segments: Sequence[Segment]) -> str:
    """Return one row per segment, by person, then by time; lines end in CR LF, and the decimal separator is a point.

    Columns:
        person_id: 1, 2, … within the video.
        action: the label, or ``unknown``; see ``harmless_cell``.
        start_s, end_s: seconds from the start of the video, three digits; the end is not part of the segment.
        duration_s: ``end_s - start_s`` of the printed numbers.
        start_frame: the first frame of the segment, counted from 0 (see FrameNumbers).
        end_frame: the first frame after it.
        confidence: mean probability, four digits.
        classifier: the network that labeled it.
    """
    return _csv(_rows(timeline, segments, ClassifierNames(timeline).of))


def comparison_csv(lanes: Sequence[Lane]) -> str:
    """Return the segments of all lanes, in the columns of ``segments_csv``; ``classifier`` is the lane's name."""
    return _csv(row for lane in lanes for row in _rows(lane.timeline, lane.segments, partial(_name_of, lane)))


def _name_of(lane: Lane, _: Segment) -> str:
    return lane.name


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(SEGMENT_COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def _rows(
    timeline: Timeline, segments: Iterable[Segment], classifier_of: Callable[[Segment], str]
) -> Iterator[Sequence[object]]:
    frames = FrameNumbers(timeline)
    for segment in sorted(segments, key=lambda segment: (segment.person_id, segment.start_s, segment.end_s)):
        start_ms, end_ms = round(segment.start_s * 1000), round(segment.end_s * 1000)
        yield (
            segment.person_id,
            harmless_cell(segment.action),
            f"{start_ms / 1000:.3f}",
            f"{end_ms / 1000:.3f}",
            f"{(end_ms - start_ms) / 1000:.3f}",
            frames.first_at(segment.start_s),
            frames.first_at(segment.end_s),
            f"{segment.confidence:.4f}",
            harmless_cell(classifier_of(segment)),
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
