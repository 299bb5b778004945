"""The content of a view of an opened analysis: lanes, segments, and the labels that are likely there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, groupby, repeat
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from recognizer.memory import without_collections
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.filters import Filter
from recognizer.timeline.model import NOTHING_SAID, UNCOUNTED, PersonPredictions, PersonTrack, Uncounted
from recognizer.timeline.segments import LikelyLabels
from recognizer.types import Segment

Value = TypeVar("Value")

_MOST_COUNTED: Final = 20
"""Segments whose second labels are counted while a browser waits; the others follow in the background."""


@dataclass(frozen=True)
class View:
    """A user's view of an opened analysis.

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
        is_truth: whether it holds a user's own labels instead, of some people.
    """

    name: str | None
    corrected: Corrected
    is_truth: bool = False

    def shown(self, shows_brief: bool) -> Corrected:
        """Return it without the people who appeared only for a moment, unless they are wanted."""
        return self.corrected if shows_brief else self.corrected.without_brief

    def tracks(self, shows_brief: bool) -> tuple[PersonTrack, ...]:
        """Return the people who have a lane."""
        shown = self.shown(shows_brief)
        people = shown.timeline.people
        return tuple(track for track in people if track.person_id in shown.decided) if self.is_truth else people


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


class Seconds(NamedTuple):
    """The second labels of the segments of a view.

    Attributes:
        labels: for each segment of the machine, a second label that is close to its first; None where there is none, or
            it is not counted yet.
        is_complete: whether all are counted.
    """

    labels: list[str | None]
    is_complete: bool


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
    _complete: list[Seconds] = field(default_factory=list, repr=False)

    @cached_property
    def checked(self) -> list[bool]:
        """For each segment, whether a person has checked all of it."""
        if not any(layer.checked for layer in self.layers):
            return [False] * len(self.segments)
        rows = zip(self.segments, self.lane_of, strict=True)
        return [self.layers[self.lanes[lane].layer].is_checked(segment) for segment, lane in rows]

    @cached_property
    def _said(self) -> list[tuple[tuple[Segment, ...], PersonPredictions]]:
        """For each lane with segments, these and what was said of the person."""
        said, first = [], 0
        for lane, rows in groupby(self.lane_of):
            past = first + sum(1 for _ in rows)
            timeline = self.layers[self.lanes[lane].layer].timeline
            of_person = timeline.by_person.get(self.lanes[lane].track.person_id, NOTHING_SAID)
            said.append((self.segments[first:past], of_person))
            first = past
        return said

    def likely(self, row: int) -> LikelyLabels:
        """Return up to five labels of a segment with their probabilities."""
        lane = self.lanes[self.lane_of[row]]
        said = self.layers[lane.layer].timeline.by_person.get(lane.track.person_id)
        return () if said is None else said.likely_labels([self.segments[row]])[0]

    def seconds(self) -> Seconds:
        """Return the second labels; a view of many segments is answered at once, and ``count_all`` counts the rest."""
        if self._complete:
            return self._complete[0]
        seconds: list[str | Uncounted | None] = []
        left = _MOST_COUNTED
        for segments, said in self._said:
            known = said.seconds(segments)
            if left > 0 and (new := _uncounted(segments, known)[:left]):
                said.count_seconds(new)
                left -= len(new)
                known = said.seconds(segments)
            seconds += known
        counted = Seconds([None if one is UNCOUNTED else one for one in seconds], UNCOUNTED not in seconds)
        if counted.is_complete:
            self._complete.append(counted)
        return counted

    @property
    def is_counted(self) -> bool:
        """Whether ``seconds`` has found everything counted."""
        return bool(self._complete)

    def count_all(self, is_ending: Callable[[], bool]) -> bool:
        """Count the second labels of all segments, until that is no longer wanted; return whether all are counted."""
        for segments, said in self._said:
            new = _uncounted(segments, said.seconds(segments))
            for first in range(0, len(new), _MOST_COUNTED):
                if is_ending():
                    return False
                said.count_seconds(new[first : first + _MOST_COUNTED])
        return True


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
    of_lanes: list[tuple[int, list[Segment]]] = []
    with without_collections():  # of a long video there are tens of thousands of segments
        for k, corrected in enumerate(shown):
            segments: Sequence[Segment] = corrected.segments(view.min_confidence, view.min_duration_s)
            if view.filter is not None:
                segments = view.filter.kept(segments, corrected)
            for person_id, of_person in groupby(segments, attrgetter("person_id")):
                of_lanes.append((number[k, person_id], list(of_person)))
    of_lanes.sort(key=lambda one: one[0])
    lane_of = chain.from_iterable(repeat(lane, len(some)) for lane, some in of_lanes)
    return Shown(shown, kept, tuple(chain.from_iterable(some for _, some in of_lanes)), tuple(lane_of))


def _uncounted(segments: Sequence[Segment], seconds: Sequence[str | Uncounted | None]) -> list[Segment]:
    return [segment for segment, second in zip(segments, seconds, strict=True) if second is UNCOUNTED]


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
