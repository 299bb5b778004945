"""Sources that stand in for a browser's camera: a video file in a loop, or a network camera."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from itertools import count
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recognizer.errors import RecognizerError
from recognizer.live.silence import Silence
from recognizer.settings import DEFAULT_FRAME_RATE_HZ
from recognizer.types import Frame
from recognizer.video import network_frames, open_video

_log = logging.getLogger(__name__)

MAX_HEIGHT_PX = 480
"""Larger pictures are scaled down to this; a browser's camera is asked for the same."""

_IDLE_S = 3.0
"""After this long without a request, nobody is watching any more."""

_LOOK_COUNTS_S = 1.0
"""It looks whether anybody watches at each picture; a pause counts at most this long, whatever held it up."""

_REST_S = 1.0
_AGAIN_AFTER_S = 5.0
_GREY = np.full((MAX_HEIGHT_PX, 640, 3), 96, np.uint8)

Annotate = Callable[[NDArray[np.uint8], float], NDArray[np.uint8]]
"""Takes a picture, uint8 (H, W, 3), and its arrival (``time.monotonic``); returns it annotated."""


def looped_frames(path: Path, name: str) -> Iterator[Frame]:
    """Yield the frames of a video file over and over, as if it had no end.

    Raises:
        VideoError: the file cannot be read.
    """
    index = count()
    begins_s = 0.0
    while True:
        with open_video(path, name=name) as reader:
            ends_s = begins_s
            for frame in reader.frames(max_height_px=MAX_HEIGHT_PX):
                ends_s = begins_s + frame.time_s - reader.reading.first_picture_s
                yield Frame(next(index), ends_s, frame.rgb)
        begins_s = ends_s + 1 / DEFAULT_FRAME_RATE_HZ


def camera_frames(address: str, hosts: Collection[str]) -> Iterator[Frame]:
    """Yield a network camera's frames as they come.

    Raises:
        VideoError: the address is refused or gives no picture.
    """
    return network_frames(address, hosts, MAX_HEIGHT_PX)


class Feed:
    """Plays frames into ``annotate`` at their pace while somebody is watching, and holds the latest result.

    Args:
        frames: opens the source; called again after an error.
        annotate: annotates each picture.

    Attributes:
        problem: one sentence about why the source gives no picture; None while it gives one, and while nobody watches.
    """

    def __init__(self, frames: Callable[[], Iterator[Frame]], annotate: Annotate) -> None:
        self.problem: str | None = None
        self._frames = frames
        self._annotate = annotate
        self._shown: NDArray[np.uint8] = _GREY
        self._asked_s: float | None = None
        self._rests_until_s = 0.0
        self._thread: threading.Thread | None = None
        self._unasked = Silence(_LOOK_COUNTS_S, time.monotonic)
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def running(self) -> bool:
        """Whether it is playing."""
        return self._thread is not None

    def latest(self) -> av.VideoFrame:
        """Return the latest picture without waiting; the first request opens the source."""
        with self._lock:
            now_s = time.monotonic()
            rests = now_s < self._rests_until_s
            if not rests:
                self._asked_s = now_s
            if self._thread is None and not rests and not self._stop.is_set():
                self._unasked = Silence(_LOOK_COUNTS_S, time.monotonic)
                self._thread = threading.Thread(target=self._play, name="feed", daemon=True)
                self._thread.start()
        return av.VideoFrame.from_ndarray(self._shown, format="rgb24")

    def rest(self) -> None:
        """Stop; ``annotate`` gets nothing more until the next request."""
        with self._lock:
            # a closing connection may still ask once or twice
            self._rests_until_s = time.monotonic() + _REST_S
            self._asked_s = None
            thread = self._thread
        if thread is not None:
            thread.join(_REST_S)

    def close(self) -> None:
        """End for good, without waiting."""
        self._stop.set()

    def _watched(self) -> bool:
        asked_s = self._asked_s
        if self._stop.is_set() or asked_s is None:
            return False
        return self._unasked.count(time.monotonic() - asked_s) < _IDLE_S

    def _play(self) -> None:
        while self._watched():
            try:
                self._play_once()
            except RecognizerError as error:
                self._wait_after(f"{error} The server tries again every {_AGAIN_AFTER_S:.0f} s.")
            except Exception:  # noqa: BLE001 - it is logged and reported, and the source is opened again
                _log.exception("a feed broke")
                self._wait_after("The picture broke off; the server's log says why.")
        with self._lock:
            # the thread last: whoever sees that the feed has ended sees no problem of it any more
            self._shown, self.problem, self._thread = _GREY, None, None

    def _wait_after(self, problem: str) -> None:
        self.problem = problem
        end_s = time.monotonic() + _AGAIN_AFTER_S
        while self._watched() and time.monotonic() < end_s:
            self._stop.wait(0.1)

    def _play_once(self) -> None:
        began_s: float | None = None
        frames = self._frames()
        try:
            for frame in frames:
                now_s = time.monotonic()
                if began_s is None:
                    began_s = now_s - frame.time_s
                # a file is held back to its pace; a camera's frames are never early (see network_frames)
                if self._stop.wait(max(0.0, began_s + frame.time_s - now_s)) or not self._watched():
                    return
                self._shown = self._annotate(frame.rgb, time.monotonic())
                self.problem = None
        finally:
            close = getattr(frames, "close", None)
            if close is not None:
                close()
