"""Hover texts of segments: person, action, time, and the most probable labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

from recognizer.plots.bars import MOST_BARS
from recognizer.plots.layout import plain_label
from recognizer.plots.time_axis import span_in_words
from recognizer.settings import UNKNOWN_ACTION
from recognizer.timeline.model import Timeline
from recognizer.timeline.segments import LikelyLabels, close_second
from recognizer.types import Segment

_LABELS: Final = 5
_LABELS_OF_MANY: Final = 3
"""Hover texts make up most of the data of a chart with very many bars, and the page parses it at least four times."""


class _Hovers:
    """The hover texts of one timeline's segments. Most segments stay the same from one threshold to the next, so the
    latest texts are cached."""

    def __init__(self) -> None:
        self._labels = 0
        self._last: dict[Segment, str] = {}

    def of(self, timeline: Timeline, segments: Sequence[Segment]) -> list[str]:
        labels = _LABELS if len(segments) <= MOST_BARS else _LABELS_OF_MANY
        last = self._last if labels == self._labels else {}
        texts = [last.get(segment, "") for segment in segments]
        new = [k for k, text in enumerate(texts) if not text]
        for k, likely in zip(new, timeline.likely_labels([segments[k] for k in new]), strict=True):
            texts[k] = _segment_hover(segments[k], likely[:labels])
        self._labels, self._last = labels, dict(zip(segments, texts, strict=True))
        return texts


_of_timeline: WeakKeyDictionary[Timeline, _Hovers] = WeakKeyDictionary()


def segment_hovers(timeline: Timeline, segments: Sequence[Segment]) -> list[str]:
    """Return the hover text of each segment of a timeline."""
    hovers = _of_timeline.get(timeline)
    if hovers is None:
        hovers = _of_timeline[timeline] = _Hovers()
    return hovers.of(timeline, segments)


def _segment_hover(segment: Segment, likely: LikelyLabels) -> str:
    what = "best guess" if segment.action == UNKNOWN_ACTION else "probability"
    second = close_second(segment, likely)
    alternative = "" if second is None else f" or {plain_label(second[0])}"
    lines = [
        f"Person {segment.person_id} · <b>{plain_label(segment.action)}</b>{alternative} · "
        f"{span_in_words(segment.start_s, segment.end_s)} · {what} {segment.confidence:.2f}",
        *(f"{probability:.2f}  {plain_label(label)}" for label, probability in likely),
    ]
    return "<br>".join(lines)
