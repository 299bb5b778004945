"""A person's corrections: a list of edits over the machine's result, which stays as it is.

The edits are replayed over a timeline. Those about people (merge, split, hide) change whose predictions are whose; then
the thresholds make segments; then what a person decided about segments covers them. Another threshold or another
classifier therefore keeps the corrections.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

import numpy as np

from recognizer.timeline.edits import Check, Edit, Hide, Merge, Name, Restore, SingleEdit, Span, Split, Together
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import TOUCHING_S, Prediction, Segment

Interval = tuple[float, float]


@dataclass(frozen=True)
class Corrections:
    """The edits of one video, in order, with those that were undone.

    Attributes:
        edits: the edits that apply.
        undone: the edits that can be made again, the last undone first.
    """

    edits: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()

    def add(self, edit: Edit) -> Corrections:
        """Return the corrections with one more edit; nothing can be made again after it."""
        return Corrections((*self.edits, edit))

    def undo(self) -> Corrections:
        """Return the corrections without the last edit; the same if there is none."""
        return Corrections(self.edits[:-1], (self.edits[-1], *self.undone)) if self.edits else self

    def redo(self) -> Corrections:
        """Return the corrections with the last undone edit; the same if there is none."""
        return Corrections((*self.edits, self.undone[0]), self.undone[1:]) if self.undone else self

    def applied_to(self, timeline: Timeline) -> Corrected:
        """Replay the edits over a timeline.

        An edit about people who are not in it, as after an analysis that found others, is left out and reported.
        """
        if not self.edits:
            return Corrected(timeline)
        replay = _Replay(timeline)
        for edit in self.edits:
            for single in edit.edits if isinstance(edit, Together) else (edit,):
                replay.apply(single)
        return replay.result()


@dataclass(frozen=True, eq=False)
class Corrected:
    """A timeline with corrections.

    Attributes:
        timeline: the people and predictions as corrected; presence and boxes follow.
        names: users' names for people.
        decided: by person, what a person decided about segments, by time, without overlaps.
        checked: by person, the stretches that a person has checked, by time, without overlaps.
        unfit: edits about people or moments that are not in the timeline; they are left out.
    """

    timeline: Timeline
    names: Mapping[int, str] = field(default_factory=dict)
    decided: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    checked: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    unfit: tuple[SingleEdit, ...] = ()

    def segments(self, min_confidence: float = 0.0, min_duration_s: float = 0.0) -> tuple[Segment, ...]:
        """Return each person's segments by person, then by time; see ``Timeline.segments`` for the thresholds."""
        segments = self.timeline.segments(min_confidence, min_duration_s)
        if not self.decided:
            return segments
        return tuple(sorted(self._covered(segments), key=attrgetter("person_id", "start_s")))

    def is_checked(self, segment: Segment) -> bool:
        """Return whether a person has checked the whole segment."""
        spans = self.checked.get(segment.person_id, ())
        return any(s <= segment.start_s + TOUCHING_S and segment.end_s <= e + TOUCHING_S for s, e in spans)

    def _covered(self, segments: Sequence[Segment]) -> Iterator[Segment]:
        for one in segments:
            yield from _without(one, self.decided.get(one.person_id, ()))
        for person_id, spans in self.decided.items():
            for span in spans:
                if span.action is not None:
                    yield Segment(person_id, span.action, span.start_s, span.end_s, 1.0, source="human")


class _Replay:
    """The state while edits are replayed."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._tracks = {track.person_id: track for track in timeline.people}
        self._predictions = timeline.predictions
        self._hidden: set[int] = set()
        self._names: dict[int, str] = {}
        self._decided: dict[int, tuple[Span, ...]] = {}
        self._checked: dict[int, tuple[Span, ...]] = {}
        self._unfit: list[SingleEdit] = []

    def apply(self, edit: SingleEdit) -> None:
        if edit.person_id not in self._tracks:
            self._unfit.append(edit)
            return
        match edit:
            case Merge():
                self._merge(edit)
            case Split():
                self._split(edit)
            case Hide():
                (self._hidden.add if edit.hidden else self._hidden.discard)(edit.person_id)
            case Name():
                self._names[edit.person_id] = edit.name
            case Check():
                span = Span(edit.start_s, edit.end_s, "checked" if edit.checked else None)
                self._checked[edit.person_id] = _over(self._checked.get(edit.person_id, ()), span)
            case Restore():
                decided = self._decided.get(edit.person_id, ())
                self._decided[edit.person_id] = tuple(_outside(decided, edit.start_s, edit.end_s))
            case _:
                for span in edit.spans():
                    self._decided[edit.person_id] = _over(self._decided.get(edit.person_id, ()), span)

    def result(self) -> Corrected:
        people = tuple(self._tracks[person_id] for person_id in sorted(self._tracks))
        timeline = self._timeline
        if self._predictions is not timeline.predictions or people != timeline.people:
            timeline = replace(timeline, people=people, predictions=self._predictions)
        if self._hidden:
            timeline = timeline.without(self._hidden)
        shown = self._tracks.keys() - self._hidden
        return Corrected(
            timeline,
            {person_id: name for person_id, name in self._names.items() if name and person_id in shown},
            {person_id: spans for person_id, spans in self._decided.items() if spans and person_id in shown},
            {person_id: _joined(spans) for person_id, spans in self._checked.items() if person_id in shown},
            tuple(self._unfit),
        )

    def _merge(self, edit: Merge) -> None:
        if edit.into not in self._tracks:
            self._unfit.append(edit)
            return
        self._tracks[edit.into] = _merged(self._tracks[edit.into], self._tracks.pop(edit.person_id))
        self._renumber(lambda one: replace(one, person_id=edit.into) if one.person_id == edit.person_id else one)
        for layer in (self._decided, self._checked):
            for span in layer.pop(edit.into, ()):  # what was decided about the other person counts
                layer[edit.person_id] = _over(layer.get(edit.person_id, ()), span)
            if edit.person_id in layer:
                layer[edit.into] = layer.pop(edit.person_id)
        name = self._names.pop(edit.person_id, "")
        self._names[edit.into] = self._names.get(edit.into) or name
        self._hidden.discard(edit.person_id)

    def _split(self, edit: Split) -> None:
        track = self._tracks[edit.person_id]
        before, after = _divided(track, edit.at_s, edit.new_id)
        both_are_there = all(one.presence and (len(one.time_s) or not len(track.time_s)) for one in (before, after))
        if edit.new_id in self._tracks or not both_are_there:
            self._unfit.append(edit)
            return
        self._tracks |= {edit.person_id: before, edit.new_id: after}

        def divide(one: Prediction) -> Prediction:
            if one.person_id != edit.person_id:
                return one
            # a clip that shows both people is the one's who fills more of it
            if (one.start_s + one.end_s) / 2 < edit.at_s:
                return replace(one, end_s=min(one.end_s, edit.at_s)) if one.end_s > edit.at_s else one
            return replace(one, person_id=edit.new_id, start_s=max(one.start_s, edit.at_s))

        self._renumber(divide)
        for layer in (self._decided, self._checked):
            spans = layer.pop(edit.person_id, ())
            layer[edit.person_id] = tuple(s._replace(end_s=min(s.end_s, edit.at_s)) for s in spans if s[0] < edit.at_s)
            layer[edit.new_id] = tuple(s._replace(start_s=max(s[0], edit.at_s)) for s in spans if s.end_s > edit.at_s)

    def _renumber(self, change: Callable[[Prediction], Prediction]) -> None:
        changed = map(change, self._predictions)
        self._predictions = tuple(sorted(changed, key=attrgetter("person_id", "start_s", "end_s")))


def _over(spans: tuple[Span, ...], new: Span) -> tuple[Span, ...]:
    """Put a span over others, which keep what is not under it."""
    return tuple(sorted((new, *_outside(spans, new.start_s, new.end_s)), key=attrgetter("start_s")))


def _outside(spans: tuple[Span, ...], start_s: float, end_s: float) -> Iterator[Span]:
    """Yield what lies before ``start_s`` or from ``end_s`` on."""
    for one in spans:
        left = one._replace(end_s=min(one.end_s, start_s))
        right = one._replace(start_s=max(one.start_s, end_s))
        yield from (piece for piece in (left, right) if piece.end_s - piece.start_s >= TOUCHING_S)


def _joined(spans: Sequence[Span]) -> tuple[Interval, ...]:
    """Return the stretches with an action, touching ones as one."""
    joined: list[Interval] = []
    for start_s, end_s, action in spans:
        if action is None:
            continue
        if joined and start_s - joined[-1][1] < TOUCHING_S:
            joined[-1] = joined[-1][0], max(end_s, joined[-1][1])
        else:
            joined.append((start_s, end_s))
    return tuple(joined)


def _without(segment: Segment, spans: Sequence[Span]) -> Iterator[Segment]:
    """Yield what spans leave of a segment."""
    first = bisect_right(spans, segment.start_s, key=lambda span: span.end_s)
    past = bisect_left(spans, segment.end_s, key=lambda span: span.start_s)
    if first >= past:
        yield segment
        return
    edges_s = [segment.start_s, *(time_s for span in spans[first:past] for time_s in span[:2]), segment.end_s]
    for start_s, end_s in zip(edges_s[::2], edges_s[1::2], strict=True):
        if end_s - start_s >= TOUCHING_S:
            yield replace(segment, start_s=start_s, end_s=end_s, counted=_within(segment, start_s, end_s))


def _within(segment: Segment, start_s: float, end_s: float) -> tuple[Interval, ...] | None:
    if segment.counted is None:
        return None
    clipped = ((max(s, start_s), min(e, end_s)) for s, e in segment.counted)
    return tuple((s, e) for s, e in clipped if e > s)


def _merged(one: PersonTrack, other: PersonTrack) -> PersonTrack:
    """Return two tracks as that of the first person; where both have a sample, the first one's counts."""
    # stable: of two samples with one time, the first person's comes first, and ``unique`` takes the first
    time_s, rows = np.unique(np.concatenate([one.time_s, other.time_s]), return_index=True)
    presence: list[Interval] = []
    for start_s, end_s in sorted((*one.presence, *other.presence)):
        if presence and start_s <= presence[-1][1] + TOUCHING_S:
            presence[-1] = presence[-1][0], max(end_s, presence[-1][1])
        else:
            presence.append((start_s, end_s))
    return PersonTrack(
        one.person_id,
        time_s,
        np.concatenate([one.box_xyxy, other.box_xyxy])[rows],
        np.concatenate([one.confidence, other.confidence])[rows],
        tuple(presence),
    )


def _divided(track: PersonTrack, at_s: float, new_id: int) -> tuple[PersonTrack, PersonTrack]:
    k = int(np.searchsorted(track.time_s, at_s, "left"))
    before = tuple((s, min(e, at_s)) for s, e in track.presence if s < at_s)
    after = tuple((max(s, at_s), e) for s, e in track.presence if e > at_s)
    return (
        PersonTrack(track.person_id, track.time_s[:k], track.box_xyxy[:k], track.confidence[:k], before),
        PersonTrack(new_id, track.time_s[k:], track.box_xyxy[k:], track.confidence[k:], after),
    )
