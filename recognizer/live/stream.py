"""One camera's stream: takes frames, returns them with the known labels drawn on them, and builds the timeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer.actions.provenance import Mode
from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.stream import STREAM, FrameTimes
from recognizer.comparison.model import Comparison
from recognizer.comparison.two_classifiers import compared
from recognizer.live.following_thread import FollowingThread
from recognizer.live.labeling_thread import LabelingThread
from recognizer.live.mailbox import FrameMailbox
from recognizer.live.other_classifier import OtherClassifier
from recognizer.live.overlay import LiveOverlay
from recognizer.live.own_names import WINDOW_S, LiveNames, Taught
from recognizer.live.pace import DetectionPace
from recognizer.live.recording import Recorder
from recognizer.live.settings_thread import SettingsThread
from recognizer.live.stats import LiveStats, Rate, Recent
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.service.live_sessions import SavedSecond, pack_second
from recognizer.settings import DEFAULT_FRAME_RATE_HZ, Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Frame

_FOLLOWED_HZ = 15.0
"""Expected detection rate, until it is measured."""

_OWN, _OTHER = "own", "other"

_END_TIMEOUT_S = 15.0
"""``close`` waits this long for a clip that is being classified."""


class LiveStream:
    """One camera's stream, from the first frame to ``close``.

    Args:
        models: the first networks, loaded and warm.
        settings: the first settings; ``change`` sets others.
        load: loads the networks of other settings; called on a thread of its own.
        palette: colours of the actions.
        min_confidence: labels less probable than this are drawn as ``unknown``.

    Attributes:
        names: own names for the labels.
        overlay: draws the people on the picture.
        recorder: writes the camera's pictures to a file on request.
    """

    def __init__(
        self,
        models: Models,
        settings: Settings,
        load: Callable[[Settings], Models],
        palette: ActionPalette,
        min_confidence: float = 0.0,
    ) -> None:
        self._load = load
        self._settings = settings
        self._lock = threading.Lock()
        self._closed = False
        self._labels = models.classifier.labels
        self._started_s: float | None = None
        self._size_wh = (0, 0)
        self._frames = 0
        self._frame_times = FrameTimes()
        self._returned, self._delays_ms = Rate(), Recent()
        self._follower = PeopleFollower(models, settings, DEFAULT_FRAME_RATE_HZ, followed_hz=_FOLLOWED_HZ)
        self._labeler = ActionLabeler(models, settings, STREAM)
        self._other: OtherClassifier | None = None
        self.names = LiveNames()
        self.overlay = LiveOverlay(
            self._follower, self._labeler, self._active_other, palette, min_confidence, self.names
        )
        self.recorder = Recorder()
        self._mailbox = FrameMailbox()
        self._sampling = threading.Lock()  # held for a moment: a frame is sampled and put with one interval
        self._labeling = LabelingThread(self._label, self._labeler.stay_began_s, self._now_s)
        self._following = FollowingThread(
            self._mailbox, self._follower, self._labeler, DetectionPace(self._oldest_wait_s), self._put
        )
        changes = {_OWN: self._change_own, _OTHER: self._change_other}
        self._changer = SettingsThread(changes, {_OWN: settings, _OTHER: None})

    def frame(self, rgb: NDArray[np.uint8], arrived_s: float | None = None) -> NDArray[np.uint8]:
        """Take the camera's next frame, uint8 (H, W, 3), and return a copy with the known labels drawn on it.

        Never waits for a network; called on the camera's thread.
        """
        arrived_s = time.monotonic() if arrived_s is None else arrived_s
        if self._started_s is None:
            self._started_s = arrived_s
        time_s = arrived_s - self._started_s
        # people are followed in the unmirrored picture, so their numbers survive a switch of the mirror
        frame = Frame(self._frames, time_s, rgb)
        with self._sampling:
            self._mailbox.put(frame, is_sample=self._follower.take_sample(time_s))
        self._frames += 1
        self._size_wh = (rgb.shape[1], rgb.shape[0])
        self._frame_times.add(time_s)
        drawn = self.overlay.draw(rgb)
        self.recorder.add(rgb, time_s)  # without labels: people may correct them, and the player draws them
        now_s = time.monotonic()
        self._returned.add(now_s)
        self._delays_ms.add(now_s, (now_s - arrived_s) * 1000)
        return drawn

    def _now_s(self) -> float:
        """Return the stream's time."""
        return time.monotonic() - self._started_s if self._started_s is not None else 0.0

    def _active_other(self) -> OtherClassifier | None:
        return self._other if self._other is not None and self._other.is_active else None

    def _put(self, clips: Sequence[Clip]) -> None:
        self._labeling.put(clips)
        other = self._active_other()
        if other is not None:
            other.put(clips)

    def _label(self, clips: Sequence[Clip]) -> None:
        predictions = self._labeler.label(clips)
        if predictions and self.names.are_chosen:
            self.names.add(self.timeline(since_s=min(one.start_s for one in predictions) - WINDOW_S))

    def use_names(self, taught: Callable[[], Taught | None] | None, mode: Mode) -> None:
        """Show own names of a set from now on, or the network's labels; see ``LiveNames.use``."""
        self.names.use(taught, mode)
        self.names.add(self.timeline(since_s=self._now_s() - WINDOW_S))

    def _oldest_wait_s(self) -> float:
        other = self._active_other()
        return max(self._labeling.oldest_wait_s(), other.oldest_wait_s() if other is not None else 0.0)

    @property
    def settings(self) -> Settings:
        """The settings that are in use or are about to be."""
        return self._changer.wanted(_OWN) or self._settings

    def change(self, settings: Settings) -> None:
        """Use other settings as soon as their networks are loaded; the stream continues meanwhile.

        If they are unavailable, the previous settings stay in use and ``stats().problem`` gives the reason.
        """
        self._changer.ask(_OWN, settings)

    def compare(self, settings: Settings | None) -> None:
        """Have the classifier of ``settings`` classify the same clips; None stops it. Its predictions stay."""
        self._changer.ask(_OTHER, settings)

    def _change_own(self, settings: Settings | None) -> None:
        if settings is None:
            return
        models = self._load(settings)

        def change() -> None:
            with self._sampling:
                self._follower.change(models, settings)
                if settings.skip_frame != self._settings.skip_frame:
                    self._mailbox.drop_samples()
            self._labeler.change(models, settings)
            self._settings, self._labels = settings, models.classifier.labels

        self._following.between_frames(change)

    def _change_other(self, settings: Settings | None) -> None:
        if settings is None:
            if self._other is not None:
                self._other.is_active = False
            return
        models = self._load(settings)
        with self._lock:
            if self._closed:
                return  # loading took longer than ``close`` waits, so nothing would end a new thread
            if self._other is None:
                self._other = OtherClassifier(models, settings, self._labeler, self._now_s)
            else:
                self._other.change(models, settings)
                self._other.is_active = True

    def silent_s(self) -> float:
        """Return the seconds since the latest frame; 0 before the first."""
        return self._returned.silent_s(time.monotonic())

    def stats(self) -> LiveStats:
        """Return how the stream runs."""
        now_s, other = time.monotonic(), self._active_other()
        problems = [
            self._following.problem,
            *self._changer.problems,
            self._labeling.problem,
            other.problem if other is not None else None,
            self.recorder.problem,
        ]
        return LiveStats(
            time_s=self._now_s(),
            frames_per_s=self._returned.per_s(now_s),
            delay_ms=self._delays_ms.percentile(50, now_s) or 0.0,
            delay_95_ms=self._delays_ms.percentile(95, now_s) or 0.0,
            detections_per_s=self._following.rate.per_s(now_s),
            skipped_frames=self._mailbox.dropped,
            labeling=self._labeling.stats(),
            classifier=self._labeler.classifier_name,
            other_labeling=other.stats() if other is not None else None,
            other_classifier=other.name if other is not None else None,
            people=len(self._follower.people),
            left_out_frames=self.recorder.left_out,
            problem=next((problem for problem in problems if problem is not None), None),
            changing=self._changer.is_changing,
        )

    def timeline(self, *, complete: bool = False, since_s: float = 0.0) -> Timeline:
        """Return the timeline so far, without waiting for a network.

        Args:
            complete: whether the stream has ended.
            since_s: earlier people, predictions and frames are left out.
        """
        width, height = self._size_wh
        video = replace(STREAM, width=width, height=height)
        times_s = self._frame_times.to_array(since_s)
        return self._labeler.timeline(times_s, complete=complete, video=video, since_s=since_s)

    def other_timeline(self, *, complete: bool = False, since_s: float = 0.0) -> Timeline | None:
        """Return the other classifier's timeline; None if there never was one."""
        if self._other is None:
            return None
        return self._other.timeline(self.timeline(complete=complete, since_s=since_s), since_s)

    def second(self, first: Timeline, since_s: float, checkpoint_name: str | None = None) -> SavedSecond | None:
        """Return what the other classifier said since a time, for a save point; None if there never was one.

        Args:
            first: the stream's own timeline since then.
            since_s: the stream's time.
            checkpoint_name: the user's name for the first one's checkpoint.
        """
        if self._other is None:
            return None
        seen = replace(first, people=(), camera=None, frame_times_s=np.empty(0))
        labels, names = (self._labels, self._other.labels), (self._labeler.classifier_name, self._other.name)
        return pack_second(self._other.timeline(seen, since_s), labels, names, checkpoint_name)

    def comparison(self, checkpoint_name: str | None = None) -> Comparison | None:
        """Return the comparison of both classifiers, after ``close``; None if there was no other or it became the same.

        Args:
            checkpoint_name: the user's name for the first one's checkpoint.
        """
        if self._other is None:
            return None
        first = self.timeline(complete=True)
        return compared(
            first,
            self._labels,
            self._other.timeline(first),
            self._other.labels,
            names_now=(self._labeler.classifier_name, self._other.name),
            checkpoint_name=checkpoint_name,
        )

    def close(self) -> Timeline:
        """End the stream and its threads, and return the whole timeline. May be called again."""
        with self._lock:
            first, self._closed = not self._closed, True
        self._mailbox.close()
        self._following.join(_END_TIMEOUT_S)
        self._changer.close(_END_TIMEOUT_S)
        if first:
            last_clips = self._labeler.end_clips()
            self._labeling.close(last_clips, _END_TIMEOUT_S)
            if self._other is not None:
                self._other.close(last_clips, _END_TIMEOUT_S)
        return self.timeline(complete=True)
