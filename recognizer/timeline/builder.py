"""Build a timeline while an analysis runs."""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from itertools import accumulate, zip_longest
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.types import TOUCHING_S, CameraPath, CameraStep, Prediction, TrackedPerson, VideoInfo


class _TrackBuilder:
    """One track's samples in compact arrays; 32 bytes per sample."""

    def __init__(self) -> None:
        self.time_s = array("d")
        self.box_xyxy = array("f")
        self.confidence = array("f")

    def cut_from(self, time_s: float) -> _TrackBuilder:
        """Remove and return the samples from a time on."""
        first = bisect_left(self.time_s, time_s)
        tail = _TrackBuilder()
        tail.time_s, tail.box_xyxy = self.time_s[first:], self.box_xyxy[4 * first :]
        tail.confidence = self.confidence[first:]
        # deleted, because the head may be hours long and a copy of it is slow
        del self.time_s[first:], self.box_xyxy[4 * first :], self.confidence[first:]
        return tail

    def extend(self, later: _TrackBuilder) -> None:
        """Append later samples."""
        self.time_s.extend(later.time_s)
        self.box_xyxy.extend(later.box_xyxy)
        self.confidence.extend(later.confidence)


class _Swap(NamedTuple):
    """Two people's clips from ``since_s`` (their middle) to ``until_s`` (their end) have each other's number."""

    one_id: int
    other_id: int
    since_s: float
    until_s: float

    @property
    def ids(self) -> tuple[int, int]:
        return self.one_id, self.other_id


class _Swaps:
    """All swaps of one stream, each of which concerns the predictions of a few seconds."""

    def __init__(self, swaps: Sequence[_Swap]) -> None:
        """Take the swaps in the order in which they were noticed."""
        self._swaps = swaps
        self._latest_until_s = list(accumulate((one.until_s for one in swaps), max))
        since_s = list(accumulate((one.since_s for one in reversed(swaps)), min))
        self._earliest_since_s = since_s[::-1]
        """The earliest start of each swap and those after it."""

    def after(self, prediction: Prediction) -> Prediction:
        """Return a prediction with the number that its person has after all swaps."""
        middle_s = _middle_s(prediction)
        for k in range(bisect_right(self._latest_until_s, prediction.end_s), len(self._swaps)):
            if self._earliest_since_s[k] > middle_s:
                break
            swap = self._swaps[k]
            if prediction.person_id in swap.ids and prediction.end_s < swap.until_s and middle_s >= swap.since_s:
                prediction = replace(prediction, person_id=swap.ids[swap.ids[0] == prediction.person_id])
        return prediction


class TimelineBuilder:
    """Collects the tracks and predictions of one stream.

    ``build`` may be called at any time, on any thread.
    """

    def __init__(self, settings: Settings, frame_rate_hz: float) -> None:
        self.change(settings, frame_rate_hz)
        self._tracks: dict[int, _TrackBuilder] = {}
        self._camera_s = array("d")
        self._camera_steps = array("d")
        self._predictions: list[Prediction] = []
        self._swaps: list[_Swap] = []
        self._analysed_s = 0.0
        self._lock = threading.Lock()  # an array cannot grow while it is copied

    def change(self, settings: Settings, frame_rate_hz: float) -> None:
        """Continue with other settings; the timeline states the latest ones."""
        self._settings = settings
        self._interval_s = settings.sample_interval_s(frame_rate_hz)
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._label_holds_s = settings.label_holds_s(frame_rate_hz)

    def add_people(self, time_s: float, people: Iterable[TrackedPerson], camera: CameraStep | None = None) -> None:
        """Record the people of a sampled frame, and the camera's motion up to it, if measured, in time order."""
        with self._lock:
            self._analysed_s = time_s + self._interval_s
            if camera is not None:
                self._camera_s.append(time_s)
                self._camera_steps.extend(camera)
            for person in people:
                track = self._tracks.setdefault(person.person_id, _TrackBuilder())
                track.time_s.append(time_s)
                track.box_xyxy.extend(person.box_xyxy)
                track.confidence.append(person.confidence)

    def add_predictions(self, predictions: Iterable[Prediction]) -> None:
        """Record predictions, in any order."""
        with self._lock:
            self._predictions.extend(predictions)

    def forget_features(self) -> None:
        """Drop the features of the predictions so far."""
        with self._lock:
            self._predictions = [replace(one, features=None) for one in self._predictions]

    def swap(self, one_id: int, other_id: int, since_s: float, noticed_s: float) -> None:
        """Exchange the samples and predictions of two people from ``since_s`` up to ``noticed_s``."""
        with self._lock:
            one, other = (self._tracks.setdefault(number, _TrackBuilder()) for number in (one_id, other_id))
            tail, other_tail = one.cut_from(since_s), other.cut_from(since_s)
            one.extend(other_tail)
            other.extend(tail)
            for number in (one_id, other_id):
                if not self._tracks[number].time_s:
                    del self._tracks[number]
            # a prediction may come later than its clip, so predictions are exchanged when they are read
            self._swaps.append(_Swap(one_id, other_id, since_s, noticed_s + self._interval_s / 2))

    def build(
        self,
        video: VideoInfo,
        *,
        frame_times_s: NDArray[np.float64],
        complete: bool,
        notes: Iterable[str] = (),
        provenance: Mapping[str, str] | None = None,
        since_s: float = 0.0,
        person_of: Mapping[int, int] | None = None,
    ) -> Timeline:
        """Return the timeline so far, up to the end of the last frame.

        With ``since_s``, earlier samples and predictions are left out, and so are people without later ones.
        With ``person_of``, tracks with the same number are joined into one person.
        """
        with self._lock:
            end_s = self._analysed_s
            if len(frame_times_s):
                end_s = min(end_s, float(frame_times_s[-1]) + 1 / frame_rate_hz(video, frame_times_s))
            recent = [person_id for person_id, track in self._tracks.items() if track.time_s[-1] >= since_s]
            together: dict[int, list[int]] = defaultdict(list)
            for person_id in sorted(recent):
                together[(person_of or {}).get(person_id, person_id)].append(person_id)
            people = tuple(self._track(number, together[number], since_s, end_s) for number in sorted(together))
            swaps = _Swaps(self._swaps)
            found = [swaps.after(one) for one in self._predictions if one.end_s > since_s]
            if person_of is not None:
                found = list(_of_people(found, person_of))
            camera = self._camera(since_s)
            over_s = end_s if complete else end_s - self._max_gap_s
            rest_s = self._label_holds_s + 1.5 * self._interval_s  # the next sample may come half an interval late
            predictions = list(_held(found, people, rest_s, over_s))
        return Timeline(
            video=video,
            settings=self._settings,
            people=people,
            predictions=tuple(p if p.end_s <= end_s else replace(p, end_s=end_s) for p in predictions),
            frame_times_s=frame_times_s,
            analysed_s=end_s,
            complete=complete,
            notes=tuple(notes),
            provenance=dict(provenance or {}),
            camera=camera,
        )

    def _camera(self, since_s: float) -> CameraPath | None:
        if not self._camera_s:
            return None
        first = bisect_left(self._camera_s, since_s)
        steps = np.array(self._camera_steps[4 * first :], np.float64).reshape(-1, 4)
        return CameraPath(np.array(self._camera_s[first:], np.float64), steps)

    def tracks(self) -> tuple[PersonTrack, ...]:
        """Return everyone so far, under the tracker's numbers."""
        with self._lock:
            return tuple(self._track(number, [number], 0.0, self._analysed_s) for number in sorted(self._tracks))

    def _track(self, person_id: int, of: Sequence[int], since_s: float, end_s: float) -> PersonTrack:
        """Join the samples of one person's tracks. If two tracks have the same sample, use the longer track's box."""
        parts = [self._samples(number, since_s) for number in of]
        time_s, box_xyxy, confidence = parts[0]
        if len(parts) > 1:
            longest_first = sorted(parts, key=lambda part: -len(part[0]))
            times_s = np.concatenate([part[0] for part in longest_first])
            time_s, first = np.unique(times_s, return_index=True)
            box_xyxy = np.concatenate([part[1] for part in longest_first])[first]
            confidence = np.concatenate([part[2] for part in longest_first])[first]
        ends = np.flatnonzero(np.diff(time_s) > self._max_gap_s)
        starts_s = time_s[np.concatenate(([0], ends + 1))]
        ends_s = np.minimum(time_s[np.concatenate((ends, [len(time_s) - 1]))] + self._interval_s, end_s)
        return PersonTrack(
            person_id=person_id,
            time_s=time_s,
            box_xyxy=box_xyxy,
            confidence=confidence,
            presence=tuple((float(a), float(b)) for a, b in zip(starts_s, ends_s, strict=True)),
        )

    def _samples(
        self, number: int, since_s: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
        built = self._tracks[number]
        first = bisect_left(built.time_s, since_s)
        return (
            np.array(built.time_s[first:], np.float64),
            np.array(built.box_xyxy[4 * first :], np.float32).reshape(-1, 4),
            np.array(built.confidence[first:], np.float32),
        )


def _of_people(predictions: Iterable[Prediction], person_of: Mapping[int, int]) -> Iterator[Prediction]:
    """Assign the predictions of tracks to people. If two tracks of one person overlap in time, use only the predictions
    of the track that has more; the other track's clips show the same."""
    of_track: dict[int, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        of_track[prediction.person_id].append(prediction)
    of_person: dict[int, list[list[Prediction]]] = defaultdict(list)
    for number in sorted(of_track, key=lambda number: (-len(of_track[number]), number)):
        of_person[person_of.get(number, number)].append(of_track[number])
    for person_id, longest_first in of_person.items():
        said = longest_first[0] if len(longest_first) == 1 else _said_once(longest_first)
        yield from (replace(one, person_id=person_id) for one in said)


def _held(
    predictions: Iterable[Prediction], people: Iterable[PersonTrack], rest_s: float, over_s: float
) -> Iterator[Prediction]:
    """Let a label hold until the person leaves or the next clip begins, if that is soon: no clip was made for the rest.

    Args:
        predictions: in any order.
        people: everyone.
        rest_s: the longest time.
        over_s: people who were still there at this time may get another clip.

    Yields:
        The predictions by person, start and end.
    """
    presence = {one.person_id: one.presence for one in people}
    ordered = sorted(predictions, key=lambda p: (p.person_id, p.start_s, p.end_s))
    for one, after in zip_longest(ordered, ordered[1:]):
        until_s = after.start_s if after is not None and after.person_id == one.person_id else math.inf
        if until_s > one.end_s:  # most clips overlap with the next
            stays = presence.get(one.person_id, ())
            of = bisect_left(stays, one.end_s - TOUCHING_S, key=itemgetter(1))
            leaves_s = stays[of][1] if of < len(stays) else one.end_s
            until_s = min(until_s, leaves_s) if leaves_s <= over_s else one.end_s
        holds = one.end_s < until_s <= one.end_s + rest_s
        yield replace(one, end_s=until_s) if holds else one


def _said_once(longest_first: Sequence[Sequence[Prediction]]) -> Iterator[Prediction]:
    """Yield the predictions whose middle no prediction of an earlier track covers, in order of that middle."""
    ranked = [(one, rank) for rank, of_track in enumerate(longest_first) for one in of_track]
    begins = sorted(ranked, key=lambda pair: pair[0].start_s, reverse=True)
    covering: list[tuple[int, float]] = []  # a heap of what has begun; what has ended leaves it at the top
    for one, rank in sorted(ranked, key=lambda pair: _middle_s(pair[0])):
        middle_s = _middle_s(one)
        while begins and begins[-1][0].start_s <= middle_s:
            begun, its_rank = begins.pop()
            heappush(covering, (its_rank, begun.end_s))
        while covering and covering[0][1] <= middle_s:
            heappop(covering)
        if not covering or covering[0][0] >= rank:
            yield one


def _middle_s(prediction: Prediction) -> float:
    return (prediction.start_s + prediction.end_s) / 2
