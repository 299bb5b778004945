"""A camera: the picture never waits for a network.

Three threads share one stream. The camera's own thread hands every frame in and gets it back with what is known drawn
on it; a second follows people in the newest frame; a third names clips. Between them stand one frame, and at most one
clip a person: what is late is dropped and counted, nothing queues without bound.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.drawing import OverlayPerson, draw_overlay
from recognizer.errors import RecognizerError
from recognizer.models import Models
from recognizer.palette import UNKNOWN_STYLE, ActionPalette, rgb_of
from recognizer.pipeline import STREAM, Recognizer
from recognizer.settings import DEFAULT_FRAME_RATE_HZ, UNKNOWN_ACTION, Settings
from recognizer.timeline import Timeline
from recognizer.types import Clip, Frame
from recognizer.video import VideoWriter

_log = logging.getLogger(__name__)

_MEASURED_FRAMES = 90
"""Rates and delays are told over this many frames, about three seconds."""

_FOLLOWED_HZ = 15.0
"""About how often people are looked for; decides for how many looks a lost person is remembered."""

_RECORDED_AHEAD = 60
"""Frames that may wait for the encoder; later ones are left out of the recording and counted."""

_CLOSEST_S = 0.001
"""Frames that come closer together than this are one in the recording; a file cannot show two at the same moment."""

_END_TIMEOUT_S = 15.0
"""How long the end waits for a clip that is being named."""


@dataclass(frozen=True)
class LiveStats:
    """How the stream runs.

    Attributes:
        frames_per_s: frames that were given back.
        delay_ms: median time from a frame's arrival to its return.
        followed_per_s: frames in which people were looked for.
        dropped_frames: frames in which nobody was looked for, because a newer one had come.
        dropped_clips: clips that a newer one of the same person replaced before they were named.
        clip_ms: median time to name one clip; None before the first.
        people: how many are in the picture.
        problem: one sentence about what went wrong last; None when nothing did.
        changing: whether a classifier is being loaded.
    """

    frames_per_s: float
    delay_ms: float
    followed_per_s: float
    dropped_frames: int
    dropped_clips: int
    clip_ms: float | None
    people: int
    problem: str | None
    changing: bool


class _Rate:
    """Events per second over the newest few."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=_MEASURED_FRAMES)

    def tick(self, time_s: float) -> None:
        self._times_s.append(time_s)

    def per_s(self, now_s: float) -> float:
        times_s = list(self._times_s)
        if len(times_s) < 2:
            return 0.0
        return (len(times_s) - 1) / max(now_s - times_s[0], 1e-6)


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
        self._recognizer = Recognizer(models, settings, followed_hz=_FOLLOWED_HZ)
        self._settings = settings
        self._load = load
        self._palette = palette
        self._started_s: float | None = None
        self._size_wh = (0, 0)
        self._frames = 0
        self._returned = _Rate()
        self._followed = _Rate()
        self._delays_ms: deque[float] = deque(maxlen=_MEASURED_FRAMES)
        self._clip_ms: deque[float] = deque(maxlen=_MEASURED_FRAMES)
        self._dropped_frames = 0
        self._dropped_clips = 0
        self._problems: dict[str, str] = {}
        self._asked = settings
        self._wanted: Settings | None = None
        self._changing = False
        self._newest_frame: Frame | None = None
        self._waiting_clips: dict[int, Clip] = {}
        self._recording: _Recording | None = None
        self._condition = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=work, name=f"live-{name}", daemon=True)
            for name, work in (("follow", self._follow), ("label", self._label), ("change", self._change))
        ]
        for thread in self._threads:
            thread.start()

    # ---- the camera's thread

    def frame(self, rgb: NDArray[np.uint8], arrived_s: float | None = None) -> NDArray[np.uint8]:
        """Take the camera's next frame, uint8 (H, W, 3); returns it with what is known drawn on a copy."""
        arrived_s = time.monotonic() if arrived_s is None else arrived_s
        if self.mirrored:
            rgb = np.ascontiguousarray(rgb[:, ::-1])
        if self._started_s is None:
            self._started_s = arrived_s
        time_s = arrived_s - self._started_s
        with self._condition:
            if self._newest_frame is not None:
                self._dropped_frames += 1
            self._newest_frame = Frame(self._frames, time_s, rgb)
            self._frames += 1
            self._size_wh = (rgb.shape[1], rgb.shape[0])
            recording = self._recording
            self._condition.notify_all()
        self._recognizer.count_frame(time_s)
        drawn = draw_overlay(rgb, self._overlay())
        if recording is not None:
            recording.add(drawn, time_s)
        now_s = time.monotonic()
        self._returned.tick(now_s)
        self._delays_ms.append((now_s - arrived_s) * 1000)
        return drawn

    def _overlay(self) -> list[OverlayPerson]:
        overlay = []
        for person in self._recognizer.people:
            prediction = self._recognizer.newest_prediction(person.person_id)
            label, confidence, style = None, None, UNKNOWN_STYLE
            if prediction is not None:
                label, confidence = prediction.top[0]
                if confidence < self.min_confidence:
                    label, confidence = UNKNOWN_ACTION, None
                style = self._palette.style(label)
            overlay.append(
                OverlayPerson(person.person_id, person.box_xyxy, label, confidence, rgb_of(style.colour(dark=False)))
            )
        return overlay

    # ---- the thread that follows people

    def _follow(self) -> None:
        torch.set_num_threads(_threads_each())
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._newest_frame is not None)
                if self._closed:
                    return
                frame, self._newest_frame = self._newest_frame, None
            if frame is None:
                continue
            try:
                clips = self._recognizer.follow(frame)
            except Exception:  # noqa: BLE001 - one bad frame must not end the stream; it is logged and said
                _log.exception("a frame could not be followed")
                self._problems["follow"] = "People could not be followed in a frame; the log of the server says why."
                continue
            self._problems.pop("follow", None)
            self._followed.tick(time.monotonic())
            if clips:
                with self._condition:
                    for clip in clips:
                        self._dropped_clips += clip.person_id in self._waiting_clips
                        self._waiting_clips[clip.person_id] = clip
                    self._condition.notify_all()

    # ---- the thread that names clips

    def _label(self) -> None:
        torch.set_num_threads(_threads_each())
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or bool(self._waiting_clips))
                if self._closed:
                    return
                # whoever has waited longest comes first
                clip = self._waiting_clips.pop(next(iter(self._waiting_clips)))
            self._name(clip)

    def _name(self, clip: Clip) -> None:
        started_s = time.monotonic()
        try:
            self._recognizer.label([clip])
        except Exception:  # noqa: BLE001 - one bad clip must not end the stream; it is logged and said
            _log.exception("a clip could not be named")
            self._problems["label"] = "A clip could not be named; the log of the server says why."
            return
        self._problems.pop("label", None)
        self._clip_ms.append((time.monotonic() - started_s) * 1000)

    # ---- the thread that loads networks

    @property
    def settings(self) -> Settings:
        """The settings that are in use, or about to be."""
        with self._condition:
            return self._wanted or self._settings

    def change(self, settings: Settings) -> None:
        """Use other settings from now on. The stream goes on; a network that must be loaded first takes over when it
        is ready. A setting that cannot be had leaves the ones before, and ``stats().problem`` says why."""
        with self._condition:
            if settings == self._asked:
                return  # also where it could not be had: asking again does not help, another setting does
            self._asked = self._wanted = settings
            self._changing = True
            self._condition.notify_all()

    def _change(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._wanted is not None)
                if self._closed or self._wanted is None:
                    return
                wanted = self._wanted
            try:
                self._recognizer.change(self._load(wanted), wanted)
                problem = None
            except RecognizerError as error:
                problem = str(error)
            except Exception:  # noqa: BLE001 - the stream goes on with the networks it has; it is logged and said
                _log.exception("settings could not be changed")
                problem = "The settings could not be changed; the log of the server says why."
            with self._condition:
                if problem is not None:
                    self._problems["change"] = problem
                else:
                    self._problems.pop("change", None)
                if problem is None:
                    self._settings = wanted
                if self._wanted == wanted:
                    self._wanted, self._changing = None, False

    # ---- looking at it

    def stats(self) -> LiveStats:
        """How the stream runs."""
        now_s = time.monotonic()
        delays_ms, clip_ms = list(self._delays_ms), list(self._clip_ms)
        return LiveStats(
            frames_per_s=self._returned.per_s(now_s),
            delay_ms=median(delays_ms) if delays_ms else 0.0,
            followed_per_s=self._followed.per_s(now_s),
            dropped_frames=self._dropped_frames,
            dropped_clips=self._dropped_clips,
            clip_ms=median(clip_ms) if clip_ms else None,
            people=len(self._recognizer.people),
            problem=next(iter(list(self._problems.values())), None),
            changing=self._changing,
        )

    def labels(self) -> list[tuple[int, str | None]]:
        """Who is in the picture, and what was last said of them; None before their first label."""
        newest = [
            (person.person_id, self._recognizer.newest_prediction(person.person_id))
            for person in self._recognizer.people
        ]
        return [(person_id, said.top[0][0] if said else None) for person_id, said in newest]

    def timeline(self, *, complete: bool = False) -> Timeline:
        """Everything since the first frame."""
        width, height = self._size_wh
        return self._recognizer.timeline(complete=complete, video=replace(STREAM, width=width, height=height))

    # ---- recording

    @property
    def is_recording(self) -> bool:
        """Whether the picture is being written to a file."""
        return self._recording is not None

    def record(self, path: Path) -> None:
        """Begin to write the annotated picture to an MP4 file."""
        with self._condition:
            if self._recording is None:
                self._recording = _Recording(path)

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
            with self._condition:
                self._newest_frame = None
                waiting, self._waiting_clips = list(self._waiting_clips.values()), {}
            for clip in [*waiting, *self._recognizer.end_clips()]:
                self._name(clip)
        return self.timeline(complete=True)


def _threads_each() -> int:
    """Cores for the thread that follows and for the one that names: when both take all, each waits for the other's
    (measured by benchmarks/live.py)."""
    return max(1, (os.cpu_count() or 2) // 2)


class _Recording:
    """Writes frames to a file on a thread of its own; what the encoder cannot keep up with is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: deque[tuple[NDArray[np.uint8], float]] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self._written = False
        self.left_out = 0
        self._thread = threading.Thread(target=self._write, name="live-record", daemon=True)
        self._thread.start()

    def add(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        with self._condition:
            if len(self._waiting) >= _RECORDED_AHEAD:
                self.left_out += 1
                return
            self._waiting.append((rgb, time_s))
            self._condition.notify()

    def _write(self) -> None:
        writer: VideoWriter | None = None
        first_s = last_s = 0.0
        size_wh = (0, 0)
        try:
            while True:
                with self._condition:
                    self._condition.wait_for(lambda: self._closed or bool(self._waiting))
                    if not self._waiting:
                        break
                    rgb, time_s = self._waiting.popleft()
                if writer is None:
                    rate = Fraction(round(DEFAULT_FRAME_RATE_HZ))
                    writer = VideoWriter(self._path, rate, rgb.shape[1], rgb.shape[0], preset="ultrafast")
                    first_s, last_s, size_wh = time_s, time_s - 1.0, (rgb.shape[1], rgb.shape[0])
                if time_s - last_s < _CLOSEST_S:
                    continue
                last_s = time_s
                if (rgb.shape[1], rgb.shape[0]) != size_wh:  # browsers send less while the line is slow
                    rgb = np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
                writer.write(rgb, time_s - first_s)
            if writer is not None:
                writer.close()
                self._written = True
        except RecognizerError as error:
            _log.warning("the recording ended: %s", error)
        finally:
            if writer is not None:
                writer.abort()

    def close(self) -> Path | None:
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()
        return self._path if self._written else None
