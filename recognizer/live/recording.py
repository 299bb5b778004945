"""Write the pictures of a live stream to a file while it runs."""

from __future__ import annotations

import logging
import threading
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.settings import DEFAULT_FRAME_RATE_HZ
from recognizer.video import VideoWriter, display_name

_log = logging.getLogger(__name__)

AHEAD_FRAMES = 60
"""At most this many frames wait for the encoder; further ones are left out of the recording and counted."""

_CLOSEST_S = 0.001
"""Frames closer together than this become one in the recording; a file cannot show two at the same moment."""


class Recorded(NamedTuple):
    """A finished recording.

    Attributes:
        path: the file; its own clock begins with its first picture.
        begins_s: the stream's time at its first picture.
    """

    path: Path
    begins_s: float


class Recording:
    """Writes frames to a file on a thread of its own; leaves out frames when the encoder cannot keep up.

    Attributes:
        left_out: number of frames left out so far.
        problem: one sentence about why it ended early, and what of it is kept; None if it did not.
        so_far: the file that grows; None before the first picture.
    """

    def __init__(self, path: Path) -> None:
        self.so_far: Recorded | None = None
        self._path = path
        self._waiting: deque[tuple[NDArray[np.uint8], float]] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self._begins_s: float | None = None
        self.left_out = 0
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._write, name="live-record", daemon=True)
        self._thread.start()

    def add(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Add the next frame, uint8 (H, W, 3), at the stream's time, without waiting."""
        if self.problem is not None:
            return
        with self._condition:
            if len(self._waiting) >= AHEAD_FRAMES:
                self.left_out += 1
                return
            self._waiting.append((rgb, time_s))
            self._condition.notify()

    def _write(self) -> None:
        writer: VideoWriter | None = None
        begins_s = last_s = 0.0
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
                    writer = VideoWriter(self._path, rate, rgb.shape[1], rgb.shape[0], preset="ultrafast", grows=True)
                    begins_s, last_s, size_wh = time_s, time_s - 1.0, (rgb.shape[1], rgb.shape[0])
                    self.so_far = Recorded(self._path, begins_s)
                if time_s - last_s < _CLOSEST_S:
                    continue
                last_s = time_s
                if (rgb.shape[1], rgb.shape[0]) != size_wh:  # browsers send smaller frames over a slow connection
                    rgb = np.asarray(cv2.resize(rgb, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
                writer.write(rgb, time_s - begins_s)
            if writer is not None:
                writer.close()
                self._begins_s = begins_s
        except RecognizerError as error:  # such as a full disk
            _log.warning("the recording ended: %s", error)
            if writer is not None and writer.keep():
                self._begins_s, kept = begins_s, f"what came in the {last_s - begins_s:.0f} s before is kept"
            else:
                self.so_far, kept = None, "nothing of it is kept"
            cause = str(error).replace(display_name(self._path), "its file")
            self.problem = f"the recording ended, and {kept}: {cause}"
        finally:
            if writer is not None:
                writer.abort()

    def close(self) -> Recorded | None:
        """Finish and return the recording, or None if there is none."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()
        return None if self._begins_s is None else Recorded(self._path, self._begins_s)


class Recorder:
    """Writes at most one recording at a time. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._recording: Recording | None = None
        self._problem: str | None = None
        self._lock = threading.Lock()

    @property
    def is_recording(self) -> bool:
        """Whether pictures are being written to a file."""
        return self._recording is not None

    @property
    def so_far(self) -> Recorded | None:
        """The running recording, whose file grows; None if there is none."""
        recording = self._recording
        return recording.so_far if recording is not None else None

    @property
    def left_out(self) -> int:
        """Number of frames missing from the running recording."""
        recording = self._recording
        return recording.left_out if recording is not None else 0

    @property
    def problem(self) -> str | None:
        """One sentence about why the running recording, or else the latest, ended early; None if it did not."""
        recording = self._recording
        return recording.problem if recording is not None else self._problem

    def start(self, path: Path) -> None:
        """Begin a recording in an MP4 file, unless one is already running."""
        with self._lock:
            if self._recording is None:
                self._recording = Recording(path)

    def add(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Add the next picture, uint8 (H, W, 3), to the running recording, without waiting."""
        recording = self._recording
        if recording is not None:
            recording.add(rgb, time_s)

    def stop(self) -> Recorded | None:
        """End and return the recording, or None if there is none."""
        with self._lock:
            recording, self._recording = self._recording, None
        if recording is None:
            return None
        recorded = recording.close()
        self._problem = recording.problem
        return recorded
