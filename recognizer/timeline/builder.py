"""Build a timeline while an analysis runs."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.types import CameraPath, CameraStep, Prediction, TrackedPerson, VideoInfo


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
        tail.time_s, self.time_s = self.time_s[first:], self.time_s[:first]
        tail.box_xyxy, self.box_xyxy = self.box_xyxy[4 * first :], self.box_xyxy[: 4 * first]
        tail.confidence, self.confidence = self.confidence[first:], self.confidence[:first]
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

    def concerns(self, prediction: Prediction) -> bool:
        return prediction.end_s < self.until_s and (prediction.start_s + prediction.end_s) / 2 >= self.since_s


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
            self._tracks = {number: track for number, track in self._tracks.items() if track.time_s}
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
            found = [self._swapped(one) for one in self._predictions if one.end_s > since_s]
            if person_of is not None:
                found = list(_of_people(found, person_of))
            camera = self._camera(since_s)
            predictions = sorted(found, key=lambda p: (p.person_id, p.start_s, p.end_s))
        return Timeline(
            video=video,
            settings=self._settings,
            people=people,
            predictions=tuple(replace(p, end_s=min(p.end_s, end_s)) for p in predictions),
            frame_times_s=frame_times_s,
            analysed_s=end_s,
            complete=complete,
            notes=tuple(notes),
            provenance=dict(provenance or {}),
            camera=camera,
        )

    def _swapped(self, prediction: Prediction) -> Prediction:
        for swap in self._swaps:
            if prediction.person_id in swap.ids and swap.concerns(prediction):
                other_id = swap.ids[swap.ids[0] == prediction.person_id]
                prediction = replace(prediction, person_id=other_id)
        return prediction

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
    covering: dict[int, list[list[Prediction]]] = defaultdict(list)
    for number in sorted(of_track, key=lambda number: (-len(of_track[number]), number)):
        person_id, own = person_of.get(number, number), of_track[number]
        start_s, end_s = _span_s(own)
        at_once = [
            other
            for longer in covering[person_id]
            if _span_s(longer)[0] < end_s and _span_s(longer)[1] > start_s
            for other in longer
        ]
        covering[person_id].append(own)
        for prediction in own:
            middle_s = (prediction.start_s + prediction.end_s) / 2
            if not any(other.start_s <= middle_s < other.end_s for other in at_once):
                yield replace(prediction, person_id=person_id)


def _span_s(predictions: Sequence[Prediction]) -> tuple[float, float]:
    return min(one.start_s for one in predictions), max(one.end_s for one in predictions)
