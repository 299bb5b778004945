"""The content of an export: the segments as they are shown, with everything that a file says about them."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Final

from recognizer.errors import one_line
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.filters import Filter
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline
from recognizer.types import Segment

DEFAULT_BIN_S: Final = 60.0
"""Length of the bins of time in summaries, unless another is chosen."""


@dataclass(frozen=True, eq=False)
class Content:
    """The content of an export.

    Attributes:
        timeline: the timeline, with everyone who is exported.
        segments: what is exported of it, in any order; segments of one person do not overlap.
        video_name: file name of the video.
        names: users' names for people; others are called ``Person 1``, ``Person 2``, ….
        checked: those of the segments that a person has checked.
        filter: what the segments were chosen by.
        groups: the groups that the labels are folded into; None if they are not.
        min_confidence: threshold of the segments.
        min_duration_s: threshold of the segments.
        bin_s: length of the bins of time in summaries.
        made_at: date and time for the formats that store one, with a time zone.
    """

    timeline: Timeline
    segments: Sequence[Segment]
    video_name: str
    names: Mapping[int, str] = field(default_factory=dict)
    checked: Collection[Segment] = frozenset()
    filter: Filter = field(default_factory=Filter)
    groups: LabelGroups | None = None
    min_confidence: float = 0.0
    min_duration_s: float = 0.0
    bin_s: float = DEFAULT_BIN_S
    made_at: dt.datetime = field(default_factory=lambda: dt.datetime.now().astimezone())

    @cached_property
    def ordered(self) -> tuple[Segment, ...]:
        """The segments by person, then by time."""
        return tuple(sorted(self.segments, key=lambda one: (one.person_id, one.start_s, one.end_s)))

    @cached_property
    def person_ids(self) -> tuple[int, ...]:
        """Everyone in the timeline or in a segment, ascending."""
        ids = {track.person_id for track in self.timeline.people} | {one.person_id for one in self.segments}
        return tuple(sorted(ids))

    @cached_property
    def people_names(self) -> Mapping[int, str]:
        """A name for each of ``person_ids``; no two are the same, because they name tiers and subjects."""
        wanted = {one: plain_text(self.names.get(one, "")) or f"Person {one}" for one in self.person_ids}
        taken = Counter(name.casefold() for name in wanted.values())
        return {one: name if taken[name.casefold()] == 1 else f"{name} (person {one})" for one, name in wanted.items()}

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of ``label_spans_ms``, in alphabetical order."""
        return tuple(sorted({span.label for span in label_spans_ms(self)}))

    @property
    def end_s(self) -> float:
        """The end of the video, or of the last segment if that is later."""
        ends_s = [self.timeline.video.duration_s or 0.0, self.timeline.analysed_s]
        return max(ends_s + [one.end_s for one in self.segments])

    @property
    def file_name(self) -> str:
        """The name of the video's file, as a document may hold it."""
        return one_line(PurePath(self.video_name).name)

    @property
    def stem(self) -> str:
        """The video's name without its ending, in one line."""
        return plain_text(PurePath(self.video_name).stem) or "video"


def content_of(
    corrected: Corrected,
    video_name: str,
    *,
    min_confidence: float = 0.0,
    min_duration_s: float = 0.0,
    chosen: Filter | None = None,
    groups: LabelGroups | None = None,
    bin_s: float = DEFAULT_BIN_S,
) -> Content:
    """Return the content of an export of a corrected timeline.

    Args:
        corrected: the timeline, with ``groups`` already in place of labels.
        video_name: file name of the video.
        min_confidence: threshold of the segments.
        min_duration_s: threshold of the segments.
        chosen: which segments are exported; people that it leaves out are not exported at all.
        groups: the groups, for files that explain them.
        bin_s: length of the bins of time in summaries.
    """
    chosen = chosen or Filter()
    segments = chosen.kept(corrected.segments(min_confidence, min_duration_s), corrected)
    timeline = corrected.timeline
    if chosen.person_ids is not None:
        timeline = timeline.without({track.person_id for track in timeline.people} - chosen.person_ids)
    return Content(
        timeline,
        segments,
        video_name,
        names=corrected.names,
        checked=frozenset(filter(corrected.is_checked, segments)),
        filter=chosen,
        groups=groups,
        min_confidence=min_confidence,
        min_duration_s=min_duration_s,
        bin_s=bin_s,
    )


@dataclass(frozen=True)
class LabelSpan:
    """A segment on a grid of milliseconds, with its label in one line."""

    person_id: int
    label: str
    start_ms: int
    end_ms: int
    segment: Segment


def label_spans_ms(content: Content) -> Iterator[LabelSpan]:
    """Yield the segments by person, then by time; those that are empty on the grid are left out."""
    for one in content.ordered:
        start_ms, end_ms = round(one.start_s * 1000), round(one.end_s * 1000)
        if end_ms > start_ms:
            yield LabelSpan(one.person_id, plain_text(one.action), start_ms, end_ms, one)


def plain_text(text: str) -> str:
    """Return the text in one line, without characters that XML or a player refuses, or that turn its direction."""
    visible = (char for char in " ".join(text.split()) if unicodedata.category(char) not in ("Cc", "Cs"))
    return "".join(char for char in visible if one_line(char) == char)
