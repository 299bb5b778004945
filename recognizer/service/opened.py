"""An opened analysis or comparison: what was said, what a person corrected, and what is shown of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.service.comparisons import StoredComparison
from recognizer.service.corrections import Revision
from recognizer.service.store import StoredAnalysis
from recognizer.settings import RECOMMENDED_MIN_CONFIDENCE
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.edit_titles import title_of
from recognizer.timeline.filters import Filter
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.timeline.segments import LikelyLabels, close_second
from recognizer.types import Segment

Value = TypeVar("Value")

_MOST_VIEWS: Final = 8
"""Views whose segments stay in memory: a slider that goes back and forth, in a few tabs."""


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

    @cached_property
    def brief_ids(self) -> frozenset[int]:
        """The people who appeared only for a moment."""
        return self.corrected.timeline.brief_ids

    @cached_property
    def small_ids(self) -> frozenset[int]:
        """The people who are too small to be classified most of the time."""
        return self.corrected.timeline.small_ids

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
        lanes: all lanes that the view shows.
        segments: the segments, in the order of the lanes, then of time.
        lane_of: for each segment, the number of its lane.
        checked: for each segment, whether a person has checked all of it.
        likely: for each segment, up to five labels with their probabilities.
    """

    lanes: tuple[Lane, ...]
    segments: tuple[Segment, ...]
    lane_of: tuple[int, ...]
    checked: tuple[bool, ...]
    likely: tuple[LikelyLabels, ...]

    @cached_property
    def seconds(self) -> list[str | None]:
        """For each segment of the machine, a second label that is close to its first."""
        pairs = zip(self.segments, self.likely, strict=True)
        close = (close_second(segment, likely) if segment.source == "machine" else None for segment, likely in pairs)
        return [None if second is None else second[0] for second in close]


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


@dataclass(frozen=True, eq=False)
class Opened:
    """An analysis or a comparison as it is at one revision.

    Attributes:
        stored: what is opened.
        machine: the result of the analysis as the classifier said it; of a comparison, that of its first entry.
        layers: the results that are shown: one for an analysis, one for each entry of a comparison that ran.
        revision: the corrections and groups; a comparison has none.
    """

    stored: StoredAnalysis | StoredComparison
    machine: Timeline
    layers: tuple[Layer, ...]
    revision: Revision
    _views: Recent = field(default_factory=lambda: Recent(_MOST_VIEWS), repr=False)

    @property
    def is_comparison(self) -> bool:
        """Whether it is a comparison, which nobody can correct."""
        return isinstance(self.stored, StoredComparison)

    @property
    def video_name(self) -> str:
        """The user's name for the video."""
        return self.stored.video.name if isinstance(self.stored, StoredComparison) else self.stored.video_name

    @property
    def video_path(self) -> Path:
        """Path of the video; the file may have been removed."""
        return self.stored.video.path if isinstance(self.stored, StoredComparison) else self.stored.video_path

    @property
    def corrected(self) -> Corrected:
        """The corrected result of an analysis, with groups in place of labels."""
        return self.layers[0].corrected

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """All labels that a segment can get, in alphabetical order; none for a comparison."""
        return () if self.is_comparison else _labels(self.machine, self.corrected, self.revision.groups)

    @property
    def hidden(self) -> Mapping[int, str]:
        """The people whom the user has hidden, with their titles."""
        return {person_id: name or _numbered(person_id) for person_id, name in self.corrected.hidden.items()}

    @property
    def next_person_id(self) -> int:
        """A number that nobody has or had, for the other part of a split."""
        people = (*self.machine.people, *self.corrected.timeline.people)
        return 1 + max((*(track.person_id for track in people), *self.corrected.hidden), default=0)

    @property
    def undo_title(self) -> str | None:
        """What undo takes back; None if there is nothing."""
        edits = self.revision.corrections.edits
        return title_of(edits[-1], self._who) if edits else None

    @property
    def redo_title(self) -> str | None:
        """What redo makes again; None if there is nothing."""
        undone = self.revision.corrections.undone
        return title_of(undone[0], self._who) if undone else None

    def title(self, person_id: int) -> str:
        """Return the user's name for a person, or ``Person 3``."""
        return self.corrected.names.get(person_id) or _numbered(person_id)

    def _who(self, person_id: int) -> str:
        name = self.corrected.names.get(person_id) or self.corrected.hidden.get(person_id)
        return name or f"person {person_id}"

    def lanes(self, shows_brief: bool = True) -> tuple[Lane, ...]:
        """Return a lane for each person; in a comparison, the classifiers' lanes of one person follow one another."""
        lanes = [
            Lane(k, track) for k, layer in enumerate(self.layers) for track in layer.shown(shows_brief).timeline.people
        ]
        return tuple(sorted(lanes, key=lambda lane: (lane.track.person_id, lane.layer)))

    def show(self, view: View) -> Shown:
        """Return what a view shows; the latest few stay in memory."""
        return self._views.get(view, lambda: self._shown(view))

    def segments(self, view: View) -> tuple[Segment, ...]:
        """Return the segments of a view, for tables and exports."""
        return self.show(view).segments

    def _shown(self, view: View) -> Shown:
        lanes = self.lanes(view.shows_brief)
        chosen = view.filter.person_ids if view.filter is not None else None
        if chosen is not None:
            lanes = tuple(lane for lane in lanes if lane.track.person_id in chosen)
        number = {(lane.layer, lane.track.person_id): k for k, lane in enumerate(lanes)}
        rows: list[tuple[int, Segment, bool, LikelyLabels]] = []
        for k, layer in enumerate(self.layers):
            corrected = layer.shown(view.shows_brief)
            segments = _segments(corrected, view)
            likely = corrected.timeline.likely_labels(segments)
            for segment, labels in zip(segments, likely, strict=True):
                rows.append((number[k, segment.person_id], segment, corrected.is_checked(segment), labels))
        rows.sort(key=lambda row: (row[0], row[1].start_s))
        columns = tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())
        return Shown(lanes, columns[1], columns[0], columns[2], columns[3])


def _segments(corrected: Corrected, view: View) -> Sequence[Segment]:
    segments = corrected.segments(view.min_confidence, view.min_duration_s)
    return segments if view.filter is None else view.filter.kept(segments, corrected)


def opened_comparison(stored: StoredComparison) -> Opened | None:
    """Return an opened comparison; None while no entry has run."""
    entries = [(entry.name, entry.timeline) for entry in stored.comparison.entries if entry.timeline is not None]
    if not entries:
        return None
    layers = tuple(Layer(name, Corrected(timeline)) for name, timeline in entries)
    return Opened(stored, entries[0][1], layers, Revision(len(entries)))


def opened_analysis(stored: StoredAnalysis, revision: Revision, corrected: Corrected) -> Opened:
    """Return an opened analysis at a revision."""
    return Opened(stored, stored.timeline, (Layer(None, corrected),), revision)


def _numbered(person_id: int) -> str:
    return f"Person {person_id}"


def _labels(machine: Timeline, corrected: Corrected, groups: LabelGroups | None) -> tuple[str, ...]:
    settings = machine.settings
    known = set() if settings.checkpoint_path is not None else set(KINETICS400_LABELS)
    known.update(label for prediction in machine.predictions for label, _ in prediction.top)
    if groups is not None:
        known = {groups.group_of(label) for label in known}
    known.update(span.action for spans in corrected.decided.values() for span in spans if span.action is not None)
    return tuple(sorted(known, key=lambda label: (label.casefold(), label)))
