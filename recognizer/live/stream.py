"""One camera's stream: hand frames in, get them back with what is known drawn on them, keep the timeline."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.stream import STREAM, FrameTimes
from recognizer.comparison.model import Comparison, Entry, named
from recognizer.drawing.overlay import DETECTING_TEXT, OverlayPerson, draw_overlay
from recognizer.errors import RecognizerError
from recognizer.live.naming import Namer, threads_each
from recognizer.live.other_classifier import SecondClassifier
from recognizer.live.recording import Recording
from recognizer.live.stats import MEASURED, LiveStats, Rate
from recognizer.networks.loading import Models
from recognizer.palette import UNKNOWN_STYLE, ActionPalette, rgb_of
from recognizer.settings import DEFAULT_FRAME_RATE_HZ, UNKNOWN_ACTION, Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Box, Clip, Frame, Prediction, TrackedPerson

_log = logging.getLogger(__name__)

_FOLLOWED_HZ = 15.0
"""How often people are looked for, until it is measured."""

_FIRST, _SECOND = "first", "second"

_END_TIMEOUT_S = 15.0
"""How long the end waits for a clip that is being named."""


class LiveStream:
    """One camera's stream, from the first frame to ``close``.

    Args:
        models: the networks to begin with, loaded and warm.
        settings: to begin with; ``change`` gives others.
        load: gives the networks for other settings; called on a thread of its own.
        palette: colours of the actions.
        min_confidence: a label less probable than this is drawn as ``unknown``.
    """

    def __init__(
        self,
        models: Models,
        settings: Settings,
        load: Callable[[Settings], Models],
        palette: ActionPalette,
        min_confidence: float = 0.0,
    ) -> None:
        self.min_confidence = min_confidence
        self.mirrored = False
        self._follower = PeopleFollower(models, settings, DEFAULT_FRAME_RATE_HZ, followed_hz=_FOLLOWED_HZ)
        self._labeler = ActionLabeler(models, settings, STREAM)
        self._frame_times = FrameTimes()
        self._labels = models.classifier.labels
        self._settings = settings
        self._load = load
        self._palette = palette
        self._started_s: float | None = None
        self._size_wh = (0, 0)
        self._frames = 0
        self._returned = Rate()
        self._followed = Rate()
        self._delays_ms: deque[float] = deque(maxlen=MEASURED)
        self._dropped_frames = 0
        self._problems: dict[str, str] = {}
        self._asked: dict[str, Settings | None] = {_FIRST: settings}
        self._wanted: dict[str, Settings | None] = {}
        self._second: SecondClassifier | None = None
        self._compares = False
        self._newest_frame: Frame | None = None
        self._recording: Recording | None = None
        self._condition = threading.Condition()
        self._closed = False
        self._namer = Namer(self._labeler.label, self._labeler.stay_began_s, self._now_s)
        self._threads = [
            threading.Thread(target=work, name=f"live-{name}", daemon=True)
            for name, work in (("follow", self._follow), ("change", self._change))
        ]
        for thread in self._threads:
            thread.start()

    # ---- the camera's thread

    def frame(self, rgb: NDArray[np.uint8], arrived_s: float | None = None) -> NDArray[np.uint8]:
        """Take the camera's next frame, uint8 (H, W, 3); returns it with what is known drawn on a copy."""
        arrived_s = time.monotonic() if arrived_s is None else arrived_s
        if self._started_s is None:
            self._started_s = arrived_s
        time_s = arrived_s - self._started_s
        with self._condition:
            if self._newest_frame is not None:
                self._dropped_frames += 1
            # people are followed in the picture as the camera gives it: their numbers outlive the mirror's switch
            self._newest_frame = Frame(self._frames, time_s, rgb)
            self._frames += 1
            self._size_wh = (rgb.shape[1], rgb.shape[0])
            recording = self._recording
            self._condition.notify_all()
        self._frame_times.add(time_s)
        drawn = self._drawn(rgb)
        if recording is not None:
            recording.add(drawn, time_s)
        now_s = time.monotonic()
        self._returned.tick(now_s)
        self._delays_ms.append((now_s - arrived_s) * 1000)
        return drawn

    def _drawn(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        overlay = self.shown()
        if self.mirrored:
            width = rgb.shape[1]
            rgb = np.ascontiguousarray(rgb[:, ::-1])
            overlay = [replace(one, box_xyxy=_mirrored(one.box_xyxy, width)) for one in overlay]
        return draw_overlay(rgb, overlay)

    def shown(self) -> list[OverlayPerson]:
        """Who is in the picture and what is drawn over them; boxes in the picture as the camera gives it."""
        second = self._speaking_second()
        overlay = []
        for person, prediction in self._known():
            if second is None:
                overlay.append(self._labelled(person, prediction))
                continue
            # two labels on one person: whose each is stands before it, and the second takes the next free place
            overlay.append(self._labelled(person, prediction, self._labeler.classifier_name))
            overlay.append(self._labelled(person, second.newest_prediction(person.person_id), second.name))
        return overlay

    def _labelled(
        self, person: TrackedPerson, prediction: Prediction | None, said_by: str | None = None
    ) -> OverlayPerson:
        label, confidence, style = None, None, UNKNOWN_STYLE
        if prediction is not None:
            label, confidence = prediction.top[0]
            if confidence < self.min_confidence:
                label, confidence = UNKNOWN_ACTION, None
            style = self._palette.style(label)
        if said_by is not None:
            label = f"{said_by}: {label or DETECTING_TEXT}"
        colour_rgb = rgb_of(style.colour(dark=False))
        return OverlayPerson(person.person_id, person.box_xyxy, label, confidence, colour_rgb)

    def _speaking_second(self) -> SecondClassifier | None:
        return self._second if self._compares else None

    def _known(self) -> list[tuple[TrackedPerson, Prediction | None]]:
        """Who is in the picture, and what was last said of them."""
        return [(person, self._labeler.latest_prediction(person.person_id)) for person in self._follower.people]

    # ---- the thread that follows people

    def _follow(self) -> None:
        torch.set_num_threads(threads_each())
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._newest_frame is not None)
                if self._closed:
                    return
                frame, self._newest_frame = self._newest_frame, None
            if frame is None:
                continue
            try:
                clips = self._followed_clips(frame)
            except Exception:  # noqa: BLE001 - one bad frame must not end the stream; it is logged and said
                _log.exception("a frame could not be followed")
                self._problems["follow"] = "People could not be followed in a frame; the log of the server says why."
                continue
            self._problems.pop("follow", None)
            self._followed.tick(time.monotonic())
            self._namer.put(clips)
            second = self._speaking_second()
            if second is not None:
                second.put(clips)

    def _followed_clips(self, frame: Frame) -> list[Clip]:
        observation = self._follower.follow(frame)
        if observation is not None:
            return self._labeler.add(observation)
        self._labeler.add_people(frame.time_s, self._follower.people)
        return []

    # ---- the thread that loads networks

    @property
    def settings(self) -> Settings:
        """The settings that are in use, or about to be."""
        with self._condition:
            return self._wanted.get(_FIRST) or self._settings

    def change(self, settings: Settings) -> None:
        """Use other settings from now on. The stream goes on; a network that must be loaded first takes over when it
        is ready. A setting that cannot be had leaves the ones before, and ``stats().problem`` says why."""
        self._ask(_FIRST, settings)

    def compare(self, settings: Settings | None) -> None:
        """Let a second classifier name the same clips from now on: that of ``settings``, the rest of which is that of
        the stream; None for none. What it said stays."""
        self._ask(_SECOND, settings)

    def _ask(self, which: str, settings: Settings | None) -> None:
        with self._condition:
            if settings == self._asked.get(which):
                return  # also where it could not be had: asking again does not help, another setting does
            self._asked[which] = self._wanted[which] = settings
            self._condition.notify_all()

    def _change(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or bool(self._wanted))
                if self._closed:
                    return
                which, wanted = next(iter(self._wanted.items()))
            try:
                if which == _SECOND:
                    self._take_second(wanted)
                elif wanted is not None:
                    models = self._load(wanted)
                    self._follower.change(models, wanted)
                    self._labeler.change(models, wanted)
                    self._labels = models.classifier.labels
                problem = None
            except RecognizerError as error:
                problem = str(error)
            except Exception:  # noqa: BLE001 - the stream goes on with the networks it has; it is logged and said
                _log.exception("settings could not be changed")
                problem = "The settings could not be changed; the log of the server says why."
            with self._condition:
                if problem is not None:
                    self._problems[which] = problem
                else:
                    self._problems.pop(which, None)
                    if which == _FIRST and wanted is not None:
                        self._settings = wanted
                if self._wanted.get(which) == wanted:
                    self._wanted.pop(which, None)

    def _take_second(self, settings: Settings | None) -> None:
        if settings is None:
            self._compares = False
            return
        models = self._load(settings)
        if self._second is None:
            self._second = SecondClassifier(models, settings, self._labeler, self._now_s)
        else:
            self._second.change(models, settings)
        self._compares = True

    # ---- looking at it

    def stats(self) -> LiveStats:
        """How the stream runs."""
        now_s = time.monotonic()
        delays_ms, recording, second = list(self._delays_ms), self._recording, self._speaking_second()
        speakers = [one for one in (self._namer, second, recording) if one is not None]
        problems = [*list(self._problems.values()), *(one.problem for one in speakers)]
        return LiveStats(
            time_s=self._now_s(),
            frames_per_s=self._returned.per_s(now_s),
            delay_ms=float(np.median(delays_ms)) if delays_ms else 0.0,
            delay_95_ms=float(np.percentile(delays_ms, 95)) if delays_ms else 0.0,
            followed_per_s=self._followed.per_s(now_s),
            dropped_frames=self._dropped_frames,
            naming=self._namer.stats(),
            classifier=self._labeler.classifier_name,
            second_naming=second.stats() if second is not None else None,
            second_classifier=second.name if second is not None else None,
            people=len(self._follower.people),
            silent_s=self._returned.silent_s(now_s),
            left_out_frames=recording.left_out if recording else 0,
            problem=next((problem for problem in problems if problem is not None), None),
            changing=bool(self._wanted),
        )

    def labels(self) -> list[tuple[int, str | None]]:
        """Who is in the picture, and what was last said of them; None before their first label."""
        return [(person.person_id, said.top[0][0] if said else None) for person, said in self._known()]

    def timeline(self, *, complete: bool = False, since_s: float = 0.0) -> Timeline:
        """What was seen and said since a time of the stream; None of it comes from a network.

        Args:
            complete: whether the stream has ended.
            since_s: who left before, and what was said of the time before, is left out.
        """
        width, height = self._size_wh
        video = replace(STREAM, width=width, height=height)
        return self._labeler.timeline(self._frame_times.to_array(), complete=complete, video=video, since_s=since_s)

    def second_timeline(self, *, complete: bool = False, since_s: float = 0.0) -> Timeline | None:
        """The same for the second classifier; None where there never was one."""
        if self._second is None:
            return None
        return self._second.timeline(self.timeline(complete=complete, since_s=since_s), since_s)

    def comparison(self, checkpoint_name: str | None = None) -> Comparison | None:
        """What both classifiers said, when the stream is over; None where no second one spoke, or it was the same one.

        Args:
            checkpoint_name: what the person calls the first one's checkpoint.
        """
        first, second = self.timeline(complete=True), self.second_timeline(complete=True)
        if self._second is None or second is None or not second.predictions or second.settings == first.settings:
            return None
        entries = named(
            [
                Entry("", first.settings, checkpoint_name, self._labels, first),
                Entry("", second.settings, None, self._second.labels, second),
            ]
        )
        names_now = (self._labeler.classifier_name, self._second.name)
        notes = [note for entry, now in zip(entries, names_now, strict=True) for note in _changes(entry, now)]
        return Comparison((replace(entries[0], timeline=replace(first, notes=(*first.notes, *notes))), entries[1]))

    def _now_s(self) -> float:
        """The stream's time."""
        return time.monotonic() - self._started_s if self._started_s is not None else 0.0

    # ---- recording

    @property
    def is_recording(self) -> bool:
        """Whether the picture is being written to a file."""
        return self._recording is not None

    def record(self, path: Path) -> None:
        """Begin to write the annotated picture to an MP4 file."""
        with self._condition:
            if self._recording is None:
                self._recording = Recording(path)

    def stop_recording(self) -> Path | None:
        """End the recording; returns the finished file, or None where there is none."""
        with self._condition:
            recording, self._recording = self._recording, None
        return recording.close() if recording is not None else None

    # ---- the end

    def close(self) -> Timeline:
        """End the stream and its threads; returns the whole timeline. May be called again."""
        with self._condition:
            first = not self._closed
            self._closed = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join(_END_TIMEOUT_S)
        if first:
            self._newest_frame = None
            last_clips = self._labeler.end_clips()
            self._namer.close(last_clips, _END_TIMEOUT_S)
            if self._second is not None:
                self._second.close(last_clips if self._compares else [], _END_TIMEOUT_S)
        return self.timeline(complete=True)


def _changes(entry: Entry, name_now: str) -> list[str]:
    """One sentence where a lane, which is named after its last classifier, holds what others said before."""
    spoke = dict.fromkeys(said.classifier for said in entry.timeline.predictions) if entry.timeline else {}
    before = [name for name in spoke if name != name_now]
    if not before:
        return []
    return [f"The classifier was changed while the camera ran: {entry.name} stands for {' and '.join(before)} too."]


def _mirrored(box_xyxy: Box, width: int) -> Box:
    x1, y1, x2, y2 = box_xyxy
    return width - x2, y1, width - x1, y2
