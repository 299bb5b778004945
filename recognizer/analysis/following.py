"""Turn frames into observations: detect, track and crop people."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from recognizer.clips.cropping import Cropper
from recognizer.clips.sampling import SampleClock
from recognizer.networks.loading import Models
from recognizer.people.camera import CameraMeter
from recognizer.people.tracking import PersonTracker
from recognizer.settings import Settings
from recognizer.types import UNKNOWN_STEP, CameraStep, Detection, Frame, Observation, TrackedPerson

_LATEST_SHARE = 0.1
"""Weight of the latest interval between followed frames in the moving average."""

_SHORTEST_INTERVAL_S, _LONGEST_INTERVAL_S = 0.01, 1.0
"""Intervals are clamped to this range, because pauses and bursts say nothing about the inference rate."""


class PeopleFollower:
    """Follows the people of one stream. Owns the tracker, the cropper and the sample clock; shares the detector.

    A stream is followed in its sampled frames only (``take_sample``, ``find``, ``observe``), a camera in as many frames
    as time allows (``follow``). Frames come in order of time. For a camera, ``take_sample`` and ``follow`` may be
    called on different threads; ``change`` may be called on any thread. ``FileFollower`` follows a file.

    Args:
        models: the networks, shared with other streams.
        settings: the initial settings.
        frame_rate_hz: frame rate of the stream.
        followed_hz: initial estimate of how often ``follow`` is called, which is then measured; None if only samples
            are followed.
    """

    def __init__(
        self,
        models: Models,
        settings: Settings,
        frame_rate_hz: float,
        *,
        followed_hz: float | None = None,
    ) -> None:
        self._detector = models.detector
        self._settings = settings
        self._rate_hz = frame_rate_hz
        self._followed_hz = followed_hz
        self._last_followed_s: float | None = None
        self._clock = SampleClock(settings.sample_interval_s(frame_rate_hz), 1 / frame_rate_hz)
        self._camera = CameraMeter()
        self._tracker = PersonTracker(settings, frame_rate_hz, updates_per_s=followed_hz)
        self._cropper = Cropper(settings.crop_style, settings.max_gap_s(frame_rate_hz))
        self._people: tuple[TrackedPerson, ...] = ()
        self._people_s: float | None = None
        self._step = UNKNOWN_STEP
        self._lock = threading.Lock()

    @property
    def people(self) -> tuple[TrackedPerson, ...]:
        """The people in the latest frame."""
        return self._people

    @property
    def camera(self) -> CameraStep:
        """The camera's motion from one frame given to ``follow`` to the latest."""
        return self._step

    def take_sample(self, time_s: float) -> bool:
        """Advance the sample clock and return whether the frame at ``time_s`` is a sample; call once for each frame."""
        return self._clock.take_sample(time_s)

    def find(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Detect the people in several frames, in one batch."""
        return self._detector.detect([frame.rgb for frame in frames])

    def observe(self, frame: Frame, detections: Sequence[Detection]) -> Observation:
        """Track and crop the people that were detected in a sampled frame."""
        with self._lock:
            self._people = tuple(self._tracker.update(frame.rgb, detections))
            return cropped(self._cropper, frame, self._people)

    def follow(self, frame: Frame, samples: Sequence[Frame]) -> list[Observation]:
        """Detect and track the people in a camera's frame, and crop them out of the sampled frames up to it.

        Detection may run less often than samples are taken. In the samples between, boxes are interpolated
        linearly from the detections before and after; only people found in both are cropped.

        Args:
            frame: the frame to detect people in.
            samples: the sampled frames (``take_sample``) since the previous call, in order of time; the last one may be
                ``frame`` itself.
        """
        with self._lock:
            detector = self._detector
            self._measure_rate(frame.time_s)
        (detections,) = detector.detect([frame.rgb])
        with self._lock:
            before, before_s = self._people, self._people_s
            self._people = tuple(self._tracker.update(frame.rgb, detections))
            self._people_s = frame.time_s
            self._step, _ = self._camera.measure(frame.rgb)
            self._camera.look_around(self._people)
            observations = []
            for sample in samples:
                if sample.time_s >= frame.time_s:
                    observations.append(cropped(self._cropper, frame, self._people, camera=self._step))
                elif before_s is not None and sample.time_s > before_s:
                    share = (sample.time_s - before_s) / (frame.time_s - before_s)
                    observations.append(cropped(self._cropper, sample, _between(before, self._people, share)))
            return observations

    def _measure_rate(self, time_s: float) -> None:
        """Measure how often the camera is followed, which depends on the machine and its load."""
        if self._last_followed_s is not None and self._followed_hz is not None:
            since_s = time_s - self._last_followed_s
            interval_s = min(max(since_s, _SHORTEST_INTERVAL_S), _LONGEST_INTERVAL_S)
            mean_s = 1 / self._followed_hz
            self._followed_hz = 1 / (mean_s + _LATEST_SHARE * (interval_s - mean_s))
            self._tracker.expect(self._followed_hz, since_s)
        self._last_followed_s = time_s

    def change(self, models: Models, settings: Settings) -> None:
        """Continue with other settings. People keep their numbers unless the tracker changes."""
        with self._lock:
            before, self._settings, self._detector = self._settings, settings, models.detector
            if not self._tracker.change(settings):
                self._tracker = self._next_tracker()
            if settings.skip_frame != before.skip_frame:
                self._clock = SampleClock(settings.sample_interval_s(self._rate_hz), 1 / self._rate_hz)
            self._cropper.change(settings.crop_style, settings.max_gap_s(self._rate_hz))

    def _next_tracker(self) -> PersonTracker:
        """Return a new tracker that knows nobody yet and continues the numbering."""
        return PersonTracker(
            self._settings, self._rate_hz, first_id=self._tracker.people_seen + 1, updates_per_s=self._followed_hz
        )


def _between(
    before: Sequence[TrackedPerson], after: Sequence[TrackedPerson], share: float
) -> tuple[TrackedPerson, ...]:
    """Return the people found in both; their boxes are ``share`` of the way from ``before`` to ``after``."""
    boxes_before = {person.person_id: person.box_xyxy for person in before}
    people = []
    for person in after:
        box_before = boxes_before.get(person.person_id)
        if box_before is None:
            continue
        x1, y1, x2, y2 = (then + share * (now - then) for then, now in zip(box_before, person.box_xyxy, strict=True))
        people.append(replace(person, box_xyxy=(x1, y1, x2, y2)))
    return tuple(people)


def cropped(
    cropper: Cropper, frame: Frame, people: tuple[TrackedPerson, ...], *, camera: CameraStep | None = None
) -> Observation:
    """Crop people out of a sampled frame; call once for each frame, in order of time."""
    crops, surroundings = cropper.cut(frame.rgb, frame.time_s, people)
    return Observation(frame.index, frame.time_s, people, crops, surroundings_rgb=surroundings, camera=camera)
