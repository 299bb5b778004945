"""One stream, frame by frame: follow its people and label what they do."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.types import Frame, Prediction, TrackedPerson, VideoInfo

STREAM = VideoInfo(sha256=None, width=0, height=0, frame_rate=None, duration_s=None, frame_count=None, codec=None)
"""The facts about a camera before its first frame: none."""


class FrameTimes:
    """The times of a stream's frames; one thread can add them while another reads them."""

    def __init__(self) -> None:
        self._times_s = array("d")
        self._lock = threading.Lock()  # an array cannot grow while it is copied

    def add(self, time_s: float) -> None:
        """Add the next frame's time."""
        with self._lock:
            self._times_s.append(time_s)

    def to_array(self, since_s: float = 0.0) -> NDArray[np.float64]:
        """Return the times from one on, float64 (n,), a copy: a session of eight hours has a million."""
        with self._lock:
            return np.array(self._times_s[bisect_left(self._times_s, since_s) :], np.float64)


class Recognizer:
    """Recognizes who does what in one stream: pass frames to ``step``, then call ``finish``.

    The networks are shared with other streams; everything else belongs to this one.

    Args:
        models: the networks.
        settings: the settings.
        video: facts about the stream.
    """

    def __init__(self, models: Models, settings: Settings, video: VideoInfo = STREAM) -> None:
        self._follower = PeopleFollower(models, settings, frame_rate_hz(video))
        self._labeler = ActionLabeler(models, settings, video)
        self._frame_times = FrameTimes()

    @property
    def people(self) -> tuple[TrackedPerson, ...]:
        """The people in the latest sampled frame."""
        return self._follower.people

    def latest_prediction(self, person_id: int) -> Prediction | None:
        """Return a person's latest prediction; None before their first clip, and again after a long absence."""
        return self._labeler.latest_prediction(person_id)

    def step(self, frame: Frame) -> list[Prediction]:
        """Take the next frame of the stream; return the new predictions.

        The picture is used as it is. Pictures from ``VideoReader`` are as players show them; one from elsewhere, such
        as a camera, is the caller's: square pixels, deinterlacing and standard colours are up to the caller.
        """
        self._frame_times.add(frame.time_s)
        if not self._follower.take_sample(frame.time_s):
            return []
        (detections,) = self._follower.find([frame])
        return self._labeler.label(self._labeler.add(self._follower.observe(frame, detections)))

    def timeline(self, *, complete: bool = False) -> Timeline:
        """Return the timeline so far; may be called on another thread.

        Args:
            complete: whether the stream has ended.
        """
        return self._labeler.timeline(self._frame_times.to_array(), complete=complete)

    def finish(self) -> Timeline:
        """End the stream: label the last clips and return the whole timeline."""
        self._labeler.label(self._labeler.end_clips())
        return self.timeline(complete=True)
