"""The documents of the workbench's addresses. Keys are in camel case; times are seconds on the video's one clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from recognizer.palette import ActionPalette
from recognizer.service.movements import movements_of
from recognizer.service.opened import Opened
from recognizer.service.playable import Playable
from recognizer.service.portraits import portrait_of
from recognizer.service.shown import Lane, Shown, View
from recognizer.timeline.edits import Edit
from recognizer.timeline.filters import Filter
from recognizer.timeline.lineage import Source
from recognizer.timeline.model import Timeline

Interval = tuple[float, float]

_MOVEMENT_S: Final = 0.2
"""Longest wait of a browser for movement that is not measured yet; it asks again for that of a long video."""

_DIGITS: Final = 4
"""Digits of a confidence: more are not shown, and would take a third of the document."""

NO_SECOND: Final = -1
"""In the column of second actions: the segment has none."""


class FilterRequest(Struct, rename="camel"):
    """The wanted segments; see ``Filter``."""

    person_ids: frozenset[int] | None = None
    actions: frozenset[str] | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    checked: bool | None = None

    def filter(self) -> Filter:
        """Return it as the timeline takes it; null is the default there."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return Filter(**{name: value for name, value in given.items() if value is not None})


class ViewRequest(Struct, rename="camel"):
    """A browser's view; see ``View``."""

    min_confidence: float
    min_duration_s: float
    shows_brief: bool = False
    filter: FilterRequest | None = None

    def view(self) -> View:
        """Return it as the service takes it."""
        chosen = None if self.filter is None else self.filter.filter()
        return View(self.min_confidence, self.min_duration_s, self.shows_brief, chosen)


class LikelyRequest(ViewRequest, rename="camel", kw_only=True):
    """One segment of a view, by its row."""

    row: int


class EditsRequest(Struct):
    """Edits that a user makes as one."""

    edits: list[Edit]


class VideoFacts(Struct, rename="camel"):
    """The analyzed video."""

    name: str
    width: int
    height: int
    duration_s: float | None
    begins_s: float
    frame_rate_hz: float


class PlayerDocument(Struct, rename="camel"):
    """The player's video; ``begins_s`` is the video's time at the player's zero."""

    state: str
    url: str | None
    begins_s: float
    share: float | None
    note: str | None


class Taught(Struct, rename="camel"):
    """An example of the set that the analysis is shown with; ``action`` is None for none of these."""

    example: str
    action: str | None
    start_s: float
    end_s: float


class LaneDocument(Struct, rename="camel"):
    """One lane; ``sources`` are the tracks whose boxes are the person's, and when, and ``taught`` the examples there.

    ``read_only`` lanes cannot be corrected: those of a comparison, what the network said beside a user's own names, and
    all for whoever may only look.
    ``is_truth`` is the lane of a user's own labels, above those of a comparison's classifiers.
    """

    key: str
    person_id: int
    title: str
    number: int
    classifier: str | None
    read_only: bool
    is_truth: bool
    presence: Sequence[Interval]
    present_s: float
    is_brief: bool
    is_small: bool
    sources: Sequence[Source]
    checked: Sequence[Interval]
    taught: Sequence[Taught]
    movement: Sequence[tuple[float, float, str]]
    picture: str | None


class HiddenPerson(Struct, rename="camel"):
    """A person whom the user has hidden."""

    person_id: int
    title: str


class TimelineDocument(Struct, rename="camel"):
    """Everything about an opened item except its segments. Addresses are relative to its own."""

    revision: int
    video: VideoFacts
    player: PlayerDocument
    analysed_s: float
    complete: bool
    read_only: bool
    labels: Sequence[str]
    own_set: str | None
    lanes: Sequence[LaneDocument]
    hidden: Sequence[HiddenPerson]
    next_person_id: int
    undo: str | None
    redo: str | None
    unfit: int
    is_saved: bool
    movement_ready: bool


class Colors(Struct):
    """A color for each action, for a light and a dark page, ``#RRGGBB``."""

    light: Sequence[str]
    dark: Sequence[str]


class SegmentsDocument(Struct, rename="camel"):
    """The segments of a view, one column per field. Lanes and actions are numbers of the lists before them."""

    revision: int
    lanes: Sequence[str]
    actions: Sequence[str]
    colors: Colors
    patterns: Sequence[str]
    lane: Sequence[int]
    action: Sequence[int]
    start_s: Sequence[float]
    end_s: Sequence[float]
    confidence: Sequence[float]
    source: Sequence[int]
    checked: Sequence[int]
    second: Sequence[int]
    is_complete: bool


class LikelyDocument(Struct):
    """The likely labels of a segment with their probabilities."""

    labels: Sequence[tuple[str, float]]


class RevisionDocument(Struct):
    """The state of an item that a browser would get."""

    revision: int


class Problem(Struct):
    """Why a request was refused, one sentence for the user."""

    problem: str


def timeline_document(opened: Opened, player: Playable, *, is_saved: bool, may_correct: bool) -> TimelineDocument:
    """Return the document of an opened item, for whoever may correct it or only look at it.

    ``is_saved``: whether all its corrections are stored.
    """
    timeline = opened.machine
    movement_ready = movements_of(timeline).wait(_MOVEMENT_S)  # before the lanes are read
    taught, has_video = _taught(opened), player.state != "gone"
    return TimelineDocument(
        revision=opened.revision.number,
        video=_video(timeline, opened.video_name),
        player=_player(timeline, player),
        analysed_s=timeline.analysed_s,
        complete=timeline.complete,
        read_only=opened.is_comparison,
        labels=opened.labels,
        own_set=None if opened.own is None else opened.own.actions.set_id,
        lanes=[_lane(opened, lane, taught, has_video, may_correct) for lane in opened.lanes()],
        hidden=[HiddenPerson(person_id, title) for person_id, title in opened.hidden.items()],
        next_person_id=opened.next_person_id,
        undo=opened.undo_title if may_correct else None,
        redo=opened.redo_title if may_correct else None,
        unfit=len(opened.corrected.unfit),
        is_saved=is_saved,
        movement_ready=movement_ready,
    )


def segments_document(revision: int, shown: Shown, palette: ActionPalette) -> SegmentsDocument:
    """Return the document of a view's segments; new actions get their colors in the order of the segments."""
    number: dict[str, int] = {}
    action = [number.setdefault(one.action, len(number)) for one in shown.segments]
    seconds = shown.seconds()
    second = [NO_SECOND if one is None else number.setdefault(one, len(number)) for one in seconds.labels]
    styles = [palette.style(one) for one in number]
    return SegmentsDocument(
        revision=revision,
        lanes=[lane.key for lane in shown.lanes],
        actions=list(number),
        colors=Colors([one.colour_light for one in styles], [one.colour_dark for one in styles]),
        patterns=[one.pattern for one in styles],
        lane=shown.lane_of,
        action=action,
        start_s=[one.start_s for one in shown.segments],
        end_s=[one.end_s for one in shown.segments],
        confidence=np.round([one.confidence for one in shown.segments], _DIGITS).tolist(),
        source=[int(one.source == "human") for one in shown.segments],
        checked=[int(one) for one in shown.checked],
        second=second,
        is_complete=seconds.is_complete,
    )


def _video(timeline: Timeline, name: str) -> VideoFacts:
    video = timeline.video
    return VideoFacts(name, video.width, video.height, video.duration_s, timeline.begins_s, timeline.frame_rate_hz)


def _player(timeline: Timeline, player: Playable) -> PlayerDocument:
    # a camera's recording has its own clock
    begins_s = timeline.reading.first_picture_s if timeline.video.sha256 is None else 0.0
    return PlayerDocument(
        player.state, "video" if player.path is not None else None, begins_s, player.share, player.note
    )


def _lane(
    opened: Opened, lane: Lane, taught: Mapping[int, list[Taught]], has_video: bool, may_correct: bool
) -> LaneDocument:
    track, layer = lane.track, opened.layers[lane.layer]
    person_id, sources, portrait = track.person_id, layer.corrected.sources_of(track), portrait_of(track)
    return LaneDocument(
        key=lane.key,
        person_id=person_id,
        title=opened.title(person_id),
        number=person_id,
        classifier=layer.name,
        read_only=opened.is_comparison or lane.layer > 0 or not may_correct,
        is_truth=layer.is_truth,
        presence=track.presence,
        present_s=track.present_s,
        is_brief=person_id in layer.corrected.timeline.brief_ids,
        is_small=person_id in layer.corrected.timeline.small_ids,
        sources=sources,
        checked=layer.corrected.checked.get(person_id, ()),
        taught=taught.get(person_id, ()) if lane.layer == 0 else (),
        movement=movements_of(opened.machine).of(sources),
        picture=None if portrait is None or not has_video else f"picture/{person_id}?{portrait.key}",
    )


def _taught(opened: Opened) -> Mapping[int, list[Taught]]:
    """Return the examples that are moments in this video, by person."""
    taught: dict[int, list[Taught]] = defaultdict(list)
    if opened.own is not None:
        video_key = opened.machine.video.sha256 or opened.video_name
        for one in opened.own.actions.examples:
            if one.video_key == video_key:
                taught[one.person_id].append(Taught(one.example_id, one.action, one.start_s, one.end_s))
    return taught
