"""A person's corrections: a list of edits over the machine's result, which stays as it is.

The edits are replayed over a timeline. Those about people (merge, split, hide) change whose predictions are whose; then
the thresholds make segments; then what a person decided about segments covers them. Another threshold or another
classifier therefore keeps the corrections.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter, itemgetter

from recognizer.errors import one_line
from recognizer.timeline.edits import Check, Edit, Hide, Merge, Name, Restore, SingleEdit, Span, Split, Together
from recognizer.timeline.lineage import Source, divided, divided_sources, merged, merged_sources, sources_of
from recognizer.timeline.model import PersonPredictions, PersonTrack, Timeline
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
        replay = Replay(timeline)
        for edit in self.edits:
            replay.apply(edit)
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
        hidden: the hidden people and their names, empty for those who have none.
        sources: of each person who was merged or split, which of the machine's people they are, and when.
    """

    timeline: Timeline
    names: Mapping[int, str] = field(default_factory=dict)
    decided: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    checked: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    unfit: tuple[SingleEdit, ...] = ()
    hidden: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, tuple[Source, ...]] = field(default_factory=dict)

    def sources_of(self, track: PersonTrack) -> tuple[Source, ...]:
        """Return which of the machine's people a person is, and when; by time, without overlaps."""
        return self.sources.get(track.person_id) or sources_of(track)

    def segments(self, min_confidence: float = 0.0, min_duration_s: float = 0.0) -> tuple[Segment, ...]:
        """Return each person's segments by person, then by time; see ``Timeline.segments`` for the thresholds."""
        segments = self.timeline.segments(min_confidence, min_duration_s)
        if not self.decided:
            return segments
        by_person = {person_id: tuple(some) for person_id, some in groupby(segments, attrgetter("person_id"))}
        for person_id, spans in self.decided.items():
            covered = self._covered(person_id, by_person.get(person_id, ()), spans)
            by_person[person_id] = tuple(sorted(covered, key=attrgetter("start_s")))
        return tuple(chain.from_iterable(by_person[person_id] for person_id in sorted(by_person)))

    @cached_property
    def without_brief(self) -> Corrected:
        """The same without the people who were visible only for a moment; see ``Timeline.brief_ids``."""
        timeline = self.timeline.without_brief
        if timeline is self.timeline:
            return self
        brief = self.timeline.brief_ids
        decided = {person_id: spans for person_id, spans in self.decided.items() if person_id not in brief}
        return replace(self, timeline=timeline, decided=decided)

    def is_checked(self, segment: Segment) -> bool:
        """Return whether a person has checked the whole segment."""
        spans = self.checked.get(segment.person_id, ())
        past = bisect_right(spans, segment.start_s + TOUCHING_S, key=itemgetter(0))
        return any(segment.end_s <= end_s + TOUCHING_S for _, end_s in spans[max(0, past - 2) : past])

    @staticmethod
    def _covered(person_id: int, segments: Sequence[Segment], spans: Sequence[Span]) -> Iterator[Segment]:
        for one in segments:
            yield from _without(one, spans)
        for span in spans:
            if span.action is not None:
                yield Segment(person_id, span.action, span.start_s, span.end_s, 1.0, source="human")


class Replay:
    """The state while edits are replayed over a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._tracks = {track.person_id: track for track in timeline.people}
        self._said = dict(timeline.by_person)
        self._sources: dict[int, tuple[Source, ...]] = {}
        self._hidden: frozenset[int] = frozenset()
        self._names: dict[int, str] = {}
        self._decided: dict[int, tuple[Span, ...]] = {}
        self._checked: dict[int, tuple[Span, ...]] = {}
        self._unfit: tuple[SingleEdit, ...] = ()
        self._result: tuple[tuple[PersonTrack, ...], Timeline] = timeline.people, timeline

    def copy(self) -> Replay:
        """Return the state as it is now; edits of the one do not change the other."""
        other = Replay.__new__(Replay)
        for name, value in vars(self).items():
            setattr(other, name, dict(value) if isinstance(value, dict) else value)
        return other

    def apply(self, edit: Edit) -> None:
        """Apply the next edit."""
        for single in edit.edits if isinstance(edit, Together) else (edit,):
            self._apply(single)

    def _apply(self, edit: SingleEdit) -> None:
        if edit.person_id not in self._tracks:
            self._unfit = (*self._unfit, edit)
            return
        match edit:
            case Merge():
                self._merge(edit)
            case Split():
                self._split(edit)
            case Hide():
                self._hidden = self._hidden - {edit.person_id} | ({edit.person_id} if edit.hidden else set())
            case Name():
                self._names[edit.person_id] = one_line(edit.name)
            case Check():
                span = Span(edit.start_s, edit.end_s, "checked" if edit.checked else None)
                self._checked[edit.person_id] = _over(self._checked.get(edit.person_id, ()), span)
            case Restore():
                decided = self._decided.get(edit.person_id, ())
                first, past = _reached(decided, edit.start_s, edit.end_s)
                left = _outside(decided[first:past], edit.start_s, edit.end_s)
                self._decided[edit.person_id] = (*decided[:first], *left, *decided[past:])
            case _:
                for said in edit.spans():
                    # a file of corrections may hold anything; what is shown must not turn the text around it
                    span = said if said.action is None else said._replace(action=one_line(said.action))
                    self._decided[edit.person_id] = _over(self._decided.get(edit.person_id, ()), span)

    def result(self) -> Corrected:
        """Return the timeline with the edits so far."""
        shown = self._tracks.keys() - self._hidden
        people = tuple(self._tracks[person_id] for person_id in sorted(shown))
        if people != self._result[0]:  # what was counted of a timeline stays with it
            said = {person_id: one for person_id, one in self._said.items() if person_id in shown}
            self._result = people, self._timeline.with_people(people, said)
        return Corrected(
            self._result[1],
            {person_id: name for person_id, name in self._names.items() if name and person_id in shown},
            {person_id: spans for person_id, spans in self._decided.items() if spans and person_id in shown},
            {person_id: _joined(spans) for person_id, spans in self._checked.items() if person_id in shown},
            self._unfit,
            {person_id: self._names.get(person_id, "") for person_id in sorted(self._hidden & self._tracks.keys())},
            {person_id: sources for person_id, sources in self._sources.items() if person_id in shown},
        )

    def _sources_of(self, person_id: int) -> tuple[Source, ...]:
        return self._sources.get(person_id) or sources_of(self._tracks[person_id])

    def _merge(self, edit: Merge) -> None:
        if edit.into not in self._tracks:
            self._unfit = (*self._unfit, edit)
            return
        gone, into = edit.person_id, edit.into
        self._sources[into] = merged_sources(self._sources_of(into), self._sources_of(gone))
        self._sources.pop(gone, None)
        self._tracks[into] = merged(self._tracks[into], self._tracks.pop(gone))
        if gone in self._said:
            moved = [replace(one, person_id=into) for one in self._said.pop(gone).ordered]
            self._say(into, [*(self._said[into].ordered if into in self._said else ()), *moved])
        for layer in (self._decided, self._checked):
            for span in layer.pop(into, ()):  # what was decided about the other person counts
                layer[gone] = _over(layer.get(gone, ()), span)
            if gone in layer:
                layer[into] = layer.pop(gone)
        name = self._names.pop(gone, "")
        self._names[into] = self._names.get(into) or name
        self._hidden -= {gone}

    def _split(self, edit: Split) -> None:
        track = self._tracks[edit.person_id]
        before, after = divided(track, edit.at_s, edit.new_id)
        both_are_there = all(one.presence and (len(one.time_s) or not len(track.time_s)) for one in (before, after))
        if edit.new_id in self._tracks or not both_are_there:
            self._unfit = (*self._unfit, edit)
            return
        sources = divided_sources(self._sources_of(edit.person_id), edit.at_s)
        self._sources[edit.person_id], self._sources[edit.new_id] = sources
        self._tracks |= {edit.person_id: before, edit.new_id: after}
        if edit.person_id in self._said:
            self._divide_predictions(edit)
        for layer in (self._decided, self._checked):
            spans = layer.pop(edit.person_id, ())
            layer[edit.person_id] = tuple(_outside(spans, edit.at_s, math.inf))
            layer[edit.new_id] = tuple(_outside(spans, -math.inf, edit.at_s))

    def _divide_predictions(self, edit: Split) -> None:
        """Give each clip to the one who fills more of it, and end it at the split."""
        before: list[Prediction] = []
        after: list[Prediction] = []
        for one in self._said.pop(edit.person_id).ordered:
            if (one.start_s + one.end_s) / 2 < edit.at_s:
                before.append(replace(one, end_s=min(one.end_s, edit.at_s)))
            else:
                after.append(replace(one, person_id=edit.new_id, start_s=max(one.start_s, edit.at_s)))
        self._say(edit.person_id, before)
        self._say(edit.new_id, after)

    def _say(self, person_id: int, predictions: Sequence[Prediction]) -> None:
        if predictions:
            self._said[person_id] = PersonPredictions(predictions, self._timeline.settings.smoothing_s)


def _over(spans: tuple[Span, ...], new: Span) -> tuple[Span, ...]:
    """Put a span over others, which keep what is not under it."""
    first, past = _reached(spans, new.start_s, new.end_s)
    under = sorted((new, *_outside(spans[first:past], new.start_s, new.end_s)), key=attrgetter("start_s"))
    return (*spans[:first], *under, *spans[past:])


def _reached(spans: Sequence[Span], start_s: float, end_s: float) -> tuple[int, int]:
    """Return the first of the spans that reach into a stretch and the one past the last: there may be thousands."""
    first = bisect_right(spans, start_s, key=attrgetter("end_s"))
    return first, max(first, bisect_left(spans, end_s, key=attrgetter("start_s")))


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
