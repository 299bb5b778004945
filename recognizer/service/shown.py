"""What a view of an opened analysis shows: lanes, segments, and the labels that are likely there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeVar

from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE, UNKNOWN_ACTION
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.filters import Filter
from recognizer.timeline.model import PersonPredictions, PersonTrack
from recognizer.timeline.segments import LikelyLabels, close_second
from recognizer.types import Segment

Value = TypeVar("Value")

_MOST_COUNTED: Final = 50
"""Segments whose likely labels are counted while a browser waits; the others follow in the background."""


@dataclass(frozen=True)
class View:
    """What a user wants to see of an opened analysis.

    Attributes:
        min_confidence: threshold of the segments (see ``Timeline.segments``).
        min_duration_s: threshold of the segments.
        shows_brief: whether people who appeared only for a moment are shown.
        filter: which segments are shown; None for all.
    """

    min_confidence: float = RECOMMENDED_MIN_CONFIDENCE
    min_duration_s: float = 0.0
    shows_brief: bool = False
    filter: Filter | None = None


@dataclass(frozen=True, eq=False)
class Layer:
    """One classifier's result.

    Attributes:
        name: the name of a comparison's entry; None for an analysis.
        corrected: its timeline, corrected and with groups in place of labels.
    """

    name: str | None
    corrected: Corrected

    def shown(self, shows_brief: bool) -> Corrected:
        """Return it without the people who appeared only for a moment, unless they are wanted."""
        return self.corrected if shows_brief else self.corrected.without_brief


@dataclass(frozen=True, eq=False)
class Lane:
    """One person in one layer.

    Attributes:
        layer: the number of the layer.
        track: the person.
    """

    layer: int
    track: PersonTrack

    @property
    def key(self) -> str:
        """Identifies the lane in its document."""
        return f"p{self.track.person_id}" if self.layer == 0 else f"p{self.track.person_id}-{self.layer}"


@dataclass(frozen=True, eq=False)
class Shown:
    """The segments of one view.

    Attributes:
        layers: the layers that it shows, without people who are not wanted.
        lanes: all lanes that it shows.
        segments: the segments, in the order of the lanes, then of time.
        lane_of: for each segment, the number of its lane.
    """

    layers: tuple[Corrected, ...]
    lanes: tuple[Lane, ...]
    segments: tuple[Segment, ...]
    lane_of: tuple[int, ...]
    _complete: list[list[str | None]] = field(default_factory=list, repr=False)

    @cached_property
    def checked(self) -> list[bool]:
        """For each segment, whether a person has checked all of it."""
        if not any(layer.checked for layer in self.layers):
            return [False] * len(self.segments)
        rows = zip(self.segments, self.lane_of, strict=True)
        return [self.layers[self.lanes[lane].layer].is_checked(segment) for segment, lane in rows]

    @cached_property
    def _stretches(self) -> list[tuple[int, int, PersonPredictions | None]]:
        """For each lane with segments, its first row and the row past its last, and what was said of the person."""
        stretches, first = [], 0
        for lane, rows in groupby(self.lane_of):
            past = first + sum(1 for _ in rows)
            timeline = self.layers[self.lanes[lane].layer].timeline
            stretches.append((first, past, timeline.by_person.get(self.lanes[lane].track.person_id)))
            first = past
        return stretches

    def likely(self, row: int) -> LikelyLabels:
        """Return up to five labels of a segment with their probabilities."""
        said = next(said for first, past, said in self._stretches if first <= row < past)
        return () if said is None else said.likely_labels([self.segments[row]])[0]

    def seconds(self) -> list[str | None]:
        """Return, for each segment of the machine, a second label that is close to its first, if that is counted.

        A view of many segments is answered at once; ``count_all`` counts the rest.
        """
        return self._counted(_MOST_COUNTED)[0]

    def count_all(self, is_ending: Callable[[], bool]) -> None:
        """Count the likely labels of all segments, until that is no longer wanted."""
        while not is_ending() and not self._counted(_MOST_COUNTED)[1]:
            pass

    def _counted(self, most: int) -> tuple[list[str | None], bool]:
        """Count the likely labels of a few more segments; return the seconds, and whether they are all counted."""
        if self._complete:
            return self._complete[0], True
        seconds: list[str | None] = []
        missing = 0
        for first, past, said in self._stretches:
            segments = self.segments[first:past]
            likely: list[LikelyLabels | None] = [None] * len(segments)
            if said is not None:
                likely = said.remembered_labels(segments)
            new = [k for k, one in enumerate(segments) if said and likely[k] is None and _has_second(one)]
            counts = new[: max(0, most - missing)]
            missing += len(new)
            if said is not None and counts:
                for k, labels in zip(counts, said.likely_labels([segments[k] for k in counts]), strict=True):
                    likely[k] = labels
            seconds += [_second(*pair) for pair in zip(segments, likely, strict=True)]
        if missing <= most:
            self._complete.append(seconds)
        return seconds, missing <= most


def shown_of(layers: Sequence[Layer], lanes: Sequence[Lane], view: View) -> Shown:
    """Return what a view shows.

    Args:
        layers: the results.
        lanes: everyone's lanes, in their order.
        view: what is wanted.
    """
    chosen = view.filter.person_ids if view.filter is not None else None
    kept = tuple(lane for lane in lanes if chosen is None or lane.track.person_id in chosen)
    number = {(lane.layer, lane.track.person_id): k for k, lane in enumerate(kept)}
    shown = tuple(layer.shown(view.shows_brief) for layer in layers)
    rows: list[tuple[int, Segment]] = []
    for k, corrected in enumerate(shown):
        segments: Sequence[Segment] = corrected.segments(view.min_confidence, view.min_duration_s)
        if view.filter is not None:
            segments = view.filter.kept(segments, corrected)
        for person_id, of_person in groupby(segments, attrgetter("person_id")):
            lane = number[k, person_id]
            rows += [(lane, segment) for segment in of_person]
    if len(shown) > 1:
        rows.sort(key=lambda row: row[0])  # stable: a lane's segments stay in order
    return Shown(shown, kept, tuple(segment for _, segment in rows), tuple(lane for lane, _ in rows))


def _second(segment: Segment, likely: LikelyLabels | None) -> str | None:
    close = close_second(segment, likely) if likely is not None and _has_second(segment) else None
    return None if close is None else close[0]


def _has_second(segment: Segment) -> bool:
    return segment.source == "machine" and segment.action != UNKNOWN_ACTION


class Recent:
    """The latest few values by key, each made once; safe to call from any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key; make it if it is not there."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            value: Value = self._values[key]
            return value
