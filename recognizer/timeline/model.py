"""The result of an analysis: the people, and who did what, when."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import DEFAULT_FRAME_RATE_HZ, Settings, least_height_px
from recognizer.timeline.segments import Guesses, LikelyLabels, guesses_of, may_have_second, segments_of
from recognizer.types import TOUCHING_S, Box, CameraPath, Prediction, Reading, Segment, VideoInfo

BRIEF_S = 1.0
"""People visible for less than this in total are hidden by default; most are passers-by or false detections. Equals
MAX_GAP_S, the time for which a person may be lost."""


_MOST_THRESHOLDS = 4
"""Pairs of thresholds whose segments are kept: after a correction of one person, the others' are needed again."""

_MOST_REMEMBERED = 10
"""Views whose segments' second labels are remembered, if each person had as many segments as clips."""


class Uncounted(Enum):
    """Stands for a second label that nobody has counted yet."""

    UNCOUNTED = auto()


UNCOUNTED: Final = Uncounted.UNCOUNTED


@dataclass(frozen=True, eq=False)
class PersonTrack:
    """One person's box in each sample, and when they were visible.

    Attributes:
        person_id: 1, 2, … within the video.
        time_s: float64 (n,), times of the samples, ascending.
        box_xyxy: float32 (n, 4), pixels of the frame.
        confidence: float32 (n,), the detector's.
        presence: half-open intervals ``(start_s, end_s)``; a gap longer than allowed starts a new one.
    """

    person_id: int
    time_s: NDArray[np.float64]
    box_xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    presence: tuple[tuple[float, float], ...]

    @property
    def present_s(self) -> float:
        """Total seconds of presence."""
        return sum(end_s - start_s for start_s, end_s in self.presence)

    def box_at(self, time_s: float) -> Box | None:
        """Return the box at ``time_s``, interpolated between samples; None while the person is away."""
        visit = bisect_right(self.presence, time_s, key=itemgetter(0)) - 1
        if visit < 0 or time_s >= self.presence[visit][1]:
            return None
        inside = self.presence[visit]
        # after the last sample of a visit the box does not move: the next sample belongs to another visit
        last = max(0, int(np.searchsorted(self.time_s, inside[1], "left")) - 1)
        after = int(np.searchsorted(self.time_s, time_s, "right"))
        before = max(0, after - 1)
        box = self.box_xyxy[before].astype(np.float64)
        if before < last and after > 0:
            share = (time_s - self.time_s[before]) / (self.time_s[after] - self.time_s[before])
            box += share * (self.box_xyxy[after] - box)
        x1, y1, x2, y2 = box.tolist()
        return x1, y1, x2, y2


class PersonPredictions:
    """One person's predictions and what is counted from them, which is slow and does not depend on thresholds.

    Attributes:
        ordered: by start, then by end.
        smoothing_s: the setting.
    """

    def __init__(self, ordered: Iterable[Prediction], smoothing_s: float) -> None:
        self.ordered = tuple(sorted(ordered, key=attrgetter("start_s", "end_s")))
        self.smoothing_s = smoothing_s
        self._seconds: dict[tuple[str, float, float, float], str | None] = {}
        self._segments: dict[tuple[float, float], tuple[Segment, ...]] = {}

    @cached_property
    def guesses(self) -> Guesses:
        """The best guess for each moment."""
        return guesses_of(self.ordered, self.smoothing_s)

    def segments(self, person_id: int, min_confidence: float, min_duration_s: float) -> tuple[Segment, ...]:
        """Return the segments of the person, whose number this is; those of the latest few thresholds are kept."""
        thresholds = min_confidence, min_duration_s
        found = self._segments.get(thresholds)
        if found is None:
            found = tuple(segments_of(person_id, self.guesses, *thresholds))
            # copied, because another thread may read it meanwhile
            latest = list(self._segments.items())[1 - _MOST_THRESHOLDS :]
            self._segments = dict([*latest, (thresholds, found)])
        return found

    def likely_labels(self, segments: Sequence[Segment]) -> list[LikelyLabels]:
        """Return the likely labels of segments of this person; see ``Timeline.likely_labels``."""
        return list(self.guesses.likely_labels(segments))

    def count_seconds(self, segments: Sequence[Segment]) -> None:
        """Count and remember the second labels of segments of this person."""
        counted = dict(zip(map(_key, segments), self.guesses.second_labels(segments), strict=True))
        known = self._seconds if len(self._seconds) <= _MOST_REMEMBERED * len(self.ordered) else {}
        self._seconds = known | counted  # another thread may read the former one meanwhile

    def seconds(self, segments: Iterable[Segment]) -> list[str | Uncounted | None]:
        """Return the second label of each segment if it is close to the first, without counting."""
        known = self._seconds
        return [known.get(_key(one), UNCOUNTED) if may_have_second(one) else None for one in segments]


NOTHING_SAID: Final = PersonPredictions((), 0.0)


def _key(segment: Segment) -> tuple[str, float, float, float]:
    return segment.action, segment.start_s, segment.end_s, segment.confidence


@dataclass(frozen=True, eq=False)
class Timeline:
    """The result of an analysis, complete or up to ``analysed_s``.

    Attributes:
        video: the analysed video.
        settings: settings of the analysis.
        people: everyone, in order of ``person_id``.
        predictions: one per clip, by person, then by time.
        frame_times_s: float64 (n,), presentation time of every decoded frame.
        analysed_s: time up to which the video was analysed.
        complete: False if it was cancelled or is still running.
        notes: remarks for the user, such as a file that ends early.
        provenance: versions of the libraries and hashes of the weights.
        reading: how the video was read; the default for a camera's stream.
        camera: how the camera moved, sample by sample; None if it was not measured, as for a camera's stream.
    """

    video: VideoInfo
    settings: Settings
    people: tuple[PersonTrack, ...]
    predictions: tuple[Prediction, ...]
    frame_times_s: NDArray[np.float64]
    analysed_s: float
    complete: bool
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    camera: CameraPath | None = None

    @cached_property
    def frame_rate_hz(self) -> float:
        """The video's average frame rate; measured from its frames if the file does not state it."""
        return frame_rate_hz(self.video, self.frame_times_s)

    @property
    def begins_s(self) -> float:
        """Time of the first picture; 0 for a camera, whose recording may begin later than its stream."""
        return self.reading.first_picture_s if self.video.sha256 is not None else 0.0

    @cached_property
    def brief_ids(self) -> frozenset[int]:
        """The people visible for less than BRIEF_S in total; none if that would be everyone."""
        brief = frozenset(track.person_id for track in self.people if track.present_s < BRIEF_S - TOUCHING_S)
        return brief if len(brief) < len(self.people) else frozenset()

    @cached_property
    def small_ids(self) -> frozenset[int]:
        """The people too small to be classified in most of their samples."""
        least_px = least_height_px(self.video.height)
        return frozenset(
            track.person_id
            for track in self.people
            if len(track.box_xyxy) and np.median(track.box_xyxy[:, 3] - track.box_xyxy[:, 1]) < least_px
        )

    @cached_property
    def without_brief(self) -> Timeline:
        """The timeline without ``brief_ids``; the same object each time, so that its caches are reused."""
        return self.without(self.brief_ids) if self.brief_ids else self

    def without(self, person_ids: Collection[int]) -> Timeline:
        """Return the timeline without these people and their predictions."""
        return self.with_people(
            (track for track in self.people if track.person_id not in person_ids),
            {person_id: said for person_id, said in self.by_person.items() if person_id not in person_ids},
        )

    def with_people(self, people: Iterable[PersonTrack], by_person: Mapping[int, PersonPredictions]) -> Timeline:
        """Return the timeline with other people and predictions; guesses that were made are not made again.

        Args:
            people: the people, in order of ``person_id``.
            by_person: their predictions; a person without any may be missing.
        """
        ordered = {person_id: by_person[person_id] for person_id in sorted(by_person)}
        predictions = tuple(chain.from_iterable(said.ordered for said in ordered.values()))
        other = replace(self, people=tuple(people), predictions=predictions)
        vars(other)["by_person"] = ordered  # where ``cached_property`` looks
        return other

    def segments(self, min_confidence: float = 0.0, min_duration_s: float = 0.0) -> tuple[Segment, ...]:
        """Return each person's actions, by person, then by time, without running a network.

        Args:
            min_confidence: where the best label is less probable than this, the action is ``unknown``.
            min_duration_s: a shorter stretch is absorbed if it lies between two stretches of one other action, at
                least one of them long enough; otherwise it becomes ``unknown``.
        """
        of_people = (
            said.segments(person_id, min_confidence, min_duration_s) for person_id, said in self.by_person.items()
        )
        return tuple(chain.from_iterable(of_people))

    def likely_labels(self, segments: Sequence[Segment]) -> list[LikelyLabels]:
        """Return up to five labels per segment with their mean probabilities, from the data behind ``segments``.

        The first is the segment's action, and its probability is the segment's confidence. For an ``unknown`` segment,
        the first is the best guess that contributes most to its confidence. Its probability is the mean over the whole
        segment, so it equals the confidence if this was the best guess throughout. Without smoothing it is never
        higher; with it, a label can be more probable than the best guess where the path over time prefers another. The
        other labels follow, the most probable first. A label outside a prediction's top five counts as 0 there. Time
        that does not count towards the confidence (see ``Segment.counted``) does not count here either.
        """
        likely: list[LikelyLabels] = []
        for person_id, of_person in groupby(segments, attrgetter("person_id")):
            if person_id in self.by_person:
                likely.extend(self.by_person[person_id].guesses.likely_labels(list(of_person)))
            else:
                likely.extend(() for _ in of_person)
        return likely

    @cached_property
    def by_person(self) -> Mapping[int, PersonPredictions]:
        """The predictions of each person who has any, in order of ``person_id``."""
        by_person: dict[int, list[Prediction]] = defaultdict(list)
        for prediction in self.predictions:
            by_person[prediction.person_id].append(prediction)
        return {
            person_id: PersonPredictions(by_person[person_id], self.settings.smoothing_s)
            for person_id in sorted(by_person)
        }


def frame_rate_hz(video: VideoInfo, frame_times_s: Sequence[float] | NDArray[np.float64] = ()) -> float:
    """Return frames per second: from the file, or else from the median distance between frames, or else 30."""
    if video.frame_rate:
        return float(video.frame_rate)
    if len(frame_times_s) > 1 and frame_times_s[-1] > frame_times_s[0]:
        distances_s = np.diff(frame_times_s)
        return 1.0 / float(np.median(distances_s[distances_s > 0]))  # a camera may send two frames at once
    return DEFAULT_FRAME_RATE_HZ
