"""One browser tab's camera, over any number of starts: a session begins with its first frame."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import av
import numpy as np
from numpy.typing import NDArray

from recognizer.live.controls import Controls
from recognizer.live.session import EndedSession, LiveSession
from recognizer.live.stream import LiveStream
from recognizer.live.warming import WarmNetworks
from recognizer.live.watchdog import Watchdog
from recognizer.networks.cache import network_keys
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.service.fairness import NOBODY
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings


class TabCamera:
    """Takes a camera's frames and begins and ends the sessions. Its methods may be called from any thread.

    Args:
        context: what all sessions share.
        models: for ``settings``, loaded and warm.
        settings: the first settings.
        palette: colours of the actions.
        visitor_id: whose camera it is.

    Attributes:
        controls: the values of the page's controls.
        latest: the running session or, after its end, the last one; None before the first frame.
    """

    def __init__(
        self,
        context: ServerContext,
        models: Models,
        settings: Settings,
        palette: ActionPalette,
        visitor_id: str = NOBODY,
    ) -> None:
        self.controls = Controls(settings)
        self.latest: LiveSession | None = None
        self._context = context
        self._visitor_id = visitor_id
        self._models = models
        self._model_settings = settings
        self._networks = WarmNetworks(context, settings)
        self._palette = palette
        self._lock = threading.Lock()
        self._session: LiveSession | None = None
        self._watchdog: Watchdog | None = None
        self._armed = True
        self._ended_at_s = math.inf
        self._hang_up: Callable[[], None] | None = None
        self._is_watched: Callable[[], bool] = lambda: True

    @property
    def session(self) -> LiveSession | None:
        """The running session; None while there is none."""
        return self._session

    @property
    def silent_s(self) -> float:
        """How long the running session has had no picture although the server could have taken one."""
        watchdog = self._watchdog
        return watchdog.silent_s if watchdog is not None else 0.0

    @property
    def is_waiting(self) -> bool:
        """Whether the next frame begins a session."""
        return self._session is None and self._armed

    @property
    def ended_for_s(self) -> float:
        """How long ago the latest session ended; negative before the first end."""
        return time.monotonic() - self._ended_at_s

    def prepare(self, models: Models, settings: Settings) -> None:
        """Begin the next session with these networks; ``adjust`` changes a running one."""
        with self._lock:
            self._models, self._model_settings = models, settings
            self.controls = replace(self.controls, settings=settings)
            self._networks.note(settings)

    def connect(self, hang_up: Callable[[], None] | None, is_watched: Callable[[], bool] = lambda: True) -> None:
        """Set how to close the connection once the browser is gone, and how to check whether the tab is open."""
        self._hang_up, self._is_watched = hang_up, is_watched

    def adjust(self, controls: Controls) -> None:
        """Follow the page's controls, in the running session and the next."""
        with self._lock:
            self.controls = controls
            session = self._session
        if session is not None:
            session.apply(controls)

    def take(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Take the browser's next frame and return it annotated."""
        arrived_s = time.monotonic()
        if self._running_session() is None:
            return frame
        drawn = self.annotate(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), arrived_s)
        return av.VideoFrame.from_ndarray(drawn, format="rgb24")

    def annotate(self, rgb: NDArray[np.uint8], arrived_s: float) -> NDArray[np.uint8]:
        """Take the next picture, uint8 (H, W, 3), of any source and return it annotated.

        Args:
            rgb: the picture.
            arrived_s: its arrival, on the clock of ``time.monotonic``.
        """
        session = self._running_session()
        return rgb if session is None else session.stream.frame(rgb, arrived_s)

    def arm(self) -> None:
        """Let the next frame begin a session. Until then, frames after a session's end are returned unchanged."""
        with self._lock:
            self._armed = True

    def _running_session(self) -> LiveSession | None:
        session = self._session
        if session is not None:  # without the lock: nothing may delay the picture
            return session
        with self._lock:
            if self._session is None and self._armed:
                self._begin()
            return self._session

    def _begin(self) -> None:
        wanted = self.controls.settings
        # settings that need no other network apply from the first frame; the others once it is loaded
        settings = wanted if network_keys(wanted) == network_keys(self._model_settings) else self._model_settings
        stream = LiveStream(self._models, settings, self._networks.load, self._palette)
        session = LiveSession(self._context, stream, self.controls, self._visitor_id)
        self._session = self.latest = session
        self._watchdog = Watchdog(stream, lambda: self._is_watched(), lambda: self._lose(session))

    def _lose(self, session: LiveSession) -> None:
        with self._lock:
            if self._session is not session:  # its user ended it meanwhile, and may have begun another one
                return
            self._forget_session()
            hang_up, self._hang_up = self._hang_up, None
        session.end(lost=True)
        if hang_up is not None:
            hang_up()

    def end_soon(self) -> None:
        """Call ``end`` on another thread, for a caller that also serves other cameras and must not wait."""
        threading.Thread(target=self.end, name="camera-end", daemon=True).start()

    def end(self) -> EndedSession | None:
        """End the running session and store it.

        Returns:
            The last session, stored; None if there was none.
        """
        with self._lock:
            session = self.latest
            watchdog = self._watchdog if self._session is not None else None
            # browsers end a broken connection as they do at Stop
            given_up = watchdog is not None and watchdog.is_given_up
            is_lost = given_up or (watchdog is not None and watchdog.is_broken)
            self._forget_session()
        return session.end(lost=is_lost, given_up=given_up) if session is not None else None

    def _forget_session(self) -> None:
        if self._session is not None:
            self._session, self._armed, self._ended_at_s = None, False, time.monotonic()
        if self._watchdog is not None:
            self._watchdog.stop()
