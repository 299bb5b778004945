"""One way through: frames to people to clips to predictions to a timeline, for one stream."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.passes import RecordedPass
from recognizer.clips.cropping import Cropper
from recognizer.clips.sampling import ClipSampler, SampleClock
from recognizer.networks.loading import Models
from recognizer.people.appearance import Appearances, appearance_of
from recognizer.people.cuts import CutDetector
from recognizer.people.stitching import Tracklet, stitch
from recognizer.people.tracking import PersonTracker
from recognizer.settings import LEAST_HEIGHT_PX, Settings, least_height_px
from recognizer.timeline.model import Timeline, TimelineBuilder, frame_rate_hz
from recognizer.types import Clip, Detection, Frame, Observation, Prediction, TrackedPerson, VideoInfo

_NEWEST_SHARE = 0.1
"""Weight of the newest interval between two looks in their moving average."""

_SHORTEST_LOOK_S, _LONGEST_LOOK_S = 0.01, 1.0
"""A pause, or two frames at once, are not how often a camera is looked at."""

STREAM = VideoInfo(sha256=None, width=0, height=0, frame_rate=None, duration_s=None, frame_count=None, codec=None)
"""What is known of a camera before its first frame."""


class Recognizer:
    """One stream: owns its tracker, clip sampler and timeline, and shares the networks.

    Push frames in with ``step``; the parts of a step (``wants``, ``observe``, ``collect``, ``label``) may be called
    one by one, so that a file can be run in batches and a camera can label beside its picture.

    Args:
        models: the networks, shared with other streams.
        settings: how; ``change`` gives others.
        video: what is known of the stream.
        followed_hz: how often ``follow`` will be called at first, which is then measured; None where only samples are
            looked at.
        is_file: whether the stream has cuts to look for, and an end after which what belongs to one person is joined.
    """

    def __init__(
        self,
        models: Models,
        settings: Settings,
        video: VideoInfo = STREAM,
        *,
        followed_hz: float | None = None,
        is_file: bool = False,
    ) -> None:
        rate_hz = frame_rate_hz(video)
        self._followed_hz = followed_hz
        self._looked_s: float | None = None
        self._models = models
        self._settings = settings
        self._video = video
        self._rate_hz = rate_hz
        self._lock = threading.RLock()  # a camera looks, labels and changes its settings on threads of their own
        self._clock = SampleClock(settings.sample_interval_s(rate_hz), 1 / rate_hz)
        self._tracker = PersonTracker(settings, rate_hz, updates_per_s=followed_hz)
        self._cuts = CutDetector() if is_file else None
        self._appearances = Appearances() if is_file else None
        self._cut_times_s: list[float] = []
        self._cropper = Cropper(settings.crop_style, settings.max_gap_s(rate_hz))
        self._sampler = ClipSampler(settings, rate_hz, least_height_px(video.height))
        self._builder = TimelineBuilder(settings, rate_hz)
        self._frame_times_s = array("d")
        self._people: tuple[TrackedPerson, ...] = ()
        self._newest: dict[int, Prediction] = {}
        self._last_seen_s: dict[int, float] = {}
        self._stay_began_s: dict[int, float] = {}
        self._max_gap_s = settings.max_gap_s(rate_hz)
        self._frame_times_lock = threading.Lock()  # an array that is being copied cannot grow

    @property
    def people(self) -> tuple[TrackedPerson, ...]:
        """Who was there in the newest sampled frame."""
        return self._people

    @property
    def classifier_name(self) -> str:
        """Of the classifier that names the clips now."""
        return self._models.classifier.name

    def stay_began_s(self, person_id: int) -> float:
        """Since when a person is there without a long absence; 0 for who was never seen."""
        return self._stay_began_s.get(person_id, 0.0)

    def newest_prediction(self, person_id: int) -> Prediction | None:
        """What was last said of a person; None before their first clip, and again after a long absence."""
        return self._newest.get(person_id)

    def take_sample(self, time_s: float) -> bool:
        """Whether the frame at ``time_s`` is a sample. Ask once for each frame, in order of time."""
        return self._clock.take_sample(time_s)

    def observe(self, frames: Sequence[Frame]) -> list[Observation]:
        """Find and track the people in sampled frames, which go through the detector together."""
        return self.observe_found(frames, self.find(frames))

    def find(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Find the people in sampled frames, which go through the detector together."""
        return self._models.detector.detect([frame.rgb for frame in frames])

    def observe_found(self, frames: Sequence[Frame], found: Sequence[Sequence[Detection]]) -> list[Observation]:
        """Track the people that were ``found`` in sampled frames, and cut them out; in order of time."""
        observations = []
        for frame, detections in zip(frames, found, strict=True):
            is_cut = self._cuts is not None and self._cuts.push(frame.rgb)
            if is_cut:
                self._tracker = self._new_tracker()
            people = tuple(self._tracker.update(frame.rgb, detections))
            appearances = (
                () if self._appearances is None else tuple(appearance_of(frame.rgb, one.box_xyxy) for one in people)
            )
            observations.append(self._cut_out(frame, people, appearances, is_cut=is_cut))
        return observations

    def observe_again(self, frame: Frame, recorded: RecordedPass, sample: int) -> Observation:
        """Cut those out of a sampled frame who were found there in an earlier pass; in order of time."""
        appearances, is_cut = recorded.appearances_in(sample), recorded.is_cut(sample)
        return self._cut_out(frame, recorded.people_in(sample), appearances, is_cut=is_cut)

    def _cut_out(
        self,
        frame: Frame,
        people: tuple[TrackedPerson, ...],
        appearances: tuple[NDArray[np.uint8], ...] = (),
        *,
        is_cut: bool = False,
    ) -> Observation:
        crops, surroundings = self._cropper.cut(frame.rgb, frame.time_s, people)
        return Observation(frame.index, frame.time_s, people, crops, appearances, is_cut, surroundings)

    def _new_tracker(self) -> PersonTracker:
        """One that knows nobody yet, and goes on with the numbers."""
        return PersonTracker(
            self._settings,
            self._rate_hz,
            first_id=self._tracker.people_seen + 1,
            updates_per_s=self._followed_hz,
        )

    def collect(self, observations: Iterable[Observation]) -> list[Clip]:
        """Add what was seen to each person's clip; returns the clips that are full now."""
        clips: list[Clip] = []
        for observation in observations:
            self._people = observation.people
            self._note_stays(observation)
            if observation.is_cut:
                self._cut_times_s.append(observation.time_s)
            if self._appearances is not None:
                self._appearances.add(observation)
            self._builder.add_people(observation.time_s, observation.people)
            clips += self._sampler.add(observation)
        return clips

    def _note_stays(self, observation: Observation) -> None:
        """Who comes back after a long absence has no label until there is one of the new stay."""
        for person in observation.people:
            last_s = self._last_seen_s.get(person.person_id, float("-inf"))
            if observation.time_s - last_s > self._max_gap_s:
                self._newest.pop(person.person_id, None)
                self._stay_began_s[person.person_id] = observation.time_s
            self._last_seen_s[person.person_id] = observation.time_s

    def label(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Name clips and enter the predictions into the timeline."""
        predictions = self._models.classifier.classify(clips)
        with self._lock:
            self._builder.add_predictions(predictions)
            for prediction in predictions:
                if prediction.start_s >= self.stay_began_s(prediction.person_id):
                    self._newest[prediction.person_id] = prediction
        return predictions

    def follow(self, frame: Frame) -> list[Clip]:
        """Find and track the people in any frame of a camera; where it is also a sample, add to their clips.

        Returns:
            The clips that are full now.
        """
        with self._lock:
            models = self._models
            self._note_look(frame.time_s)
        (found,) = models.detector.detect([frame.rgb])
        with self._lock:
            people = tuple(self._tracker.update(frame.rgb, found))
            if self.take_sample(frame.time_s):
                return self.collect([self._cut_out(frame, people)])
            self._people = people
            self._builder.add_people(frame.time_s, people)
            return []

    def _note_look(self, time_s: float) -> None:
        """How often a camera's picture is looked at depends on the machine, and on what else it does."""
        if self._looked_s is not None and self._followed_hz is not None:
            interval_s = min(max(time_s - self._looked_s, _SHORTEST_LOOK_S), _LONGEST_LOOK_S)
            mean_s = 1 / self._followed_hz
            self._followed_hz = 1 / (mean_s + _NEWEST_SHARE * (interval_s - mean_s))
            self._tracker.expect(self._followed_hz)
        self._looked_s = time_s

    def change(self, models: Models, settings: Settings) -> None:
        """Go on with other settings. People keep their numbers and labels, unless the tracker is another one; whoever
        has a clip's worth of samples is named again at once."""
        with self._lock:
            before, self._settings, self._models = self._settings, settings, models
            if not self._tracker.change(settings):
                self._tracker = self._new_tracker()
            if settings.skip_frame != before.skip_frame:
                self._clock = SampleClock(settings.sample_interval_s(self._rate_hz), 1 / self._rate_hz)
            self._cropper.change(settings.crop_style, settings.max_gap_s(self._rate_hz))
            self._sampler.change(settings, self._rate_hz)
            self._builder.change(settings, self._rate_hz)
            self._max_gap_s = settings.max_gap_s(self._rate_hz)

    def count_frame(self, time_s: float) -> None:
        """Note that a frame of the stream came, whether it is looked at or not."""
        with self._frame_times_lock:
            self._frame_times_s.append(time_s)

    def step(self, frame: Frame) -> list[Prediction]:
        """Take the next frame of the stream; returns what was said because of it."""
        self.count_frame(frame.time_s)
        if not self.take_sample(frame.time_s):
            return []
        return self.label(self.collect(self.observe([frame])))

    def end_clips(self) -> list[Clip]:
        """The stream is over: the last clips of those who were still there."""
        with self._lock:
            return self._sampler.finish()

    def finish(self) -> Timeline:
        """The stream is over: name what is left, and give the whole timeline."""
        self.label(self.end_clips())
        return self.timeline(complete=True)

    def timeline(
        self,
        *,
        complete: bool,
        frame_times_s: NDArray[np.float64] | None = None,
        notes: Iterable[str] = (),
        video: VideoInfo | None = None,
        since_s: float = 0.0,
        stitched: bool = False,
    ) -> Timeline:
        """The timeline so far.

        Args:
            complete: whether the stream has ended.
            frame_times_s: stands in for the frames that were not pushed one by one.
            notes: remarks for people.
            video: what is known by now, where it is more than at the beginning.
            since_s: leaves out what was seen and said before.
            stitched: joins the tracks that belong to one person; only for a file.
        """
        if frame_times_s is None:
            with self._frame_times_lock:
                frame_times_s = np.array(self._frame_times_s, np.float64)
        with self._lock:
            person_of = self._person_of() if stitched else None
            timeline = self._builder.build(
                video or self._video,
                frame_times_s=frame_times_s,
                complete=complete,
                notes=notes,
                provenance=self._models.provenance,
                since_s=since_s,
                person_of=person_of,
            )
        return replace(timeline, notes=(*timeline.notes, *_remarks(timeline))) if stitched else timeline

    def _person_of(self) -> dict[int, int]:
        appearances = self._appearances or Appearances()
        tracklets = [
            Tracklet(track.person_id, track.time_s, track.box_xyxy, appearances.of(track.person_id))
            for track in self._builder.tracks()
        ]
        interval_s = self._settings.sample_interval_s(self._rate_hz)
        return stitch(tracklets, interval_s=interval_s, cuts_s=self._cut_times_s)


def _remarks(timeline: Timeline) -> Iterator[str]:
    """What people should know of what was seen."""
    small = len(timeline.small_ids)
    if small:
        who = "1 person is" if small == 1 else f"{small} people are"
        yield (
            f"{who} under {LEAST_HEIGHT_PX} pixels high for most of their time: followed, but too small to be named; "
            "film from nearer, or with more pixels."
        )
