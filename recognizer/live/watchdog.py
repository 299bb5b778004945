"""Detect that a camera is gone: a closed tab or a broken connection sends no signal."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from recognizer.live.silence import Silence
from recognizer.live.stream import LiveStream
from recognizer.memory import give_back_memory

GONE_AFTER_S = 10.0
"""A camera that sends nothing for this long is gone. Longer than the pauses of a busy browser, shorter than the half
minute after which WebRTC itself gives up a connection (RFC 7675)."""

BROKEN_AFTER_S = 4.0
"""Whoever ends a session that has had no picture for this long has lost it; browsers wait no less before they do."""

UNWATCHED_AFTER_S = 5.0
"""When the page has been closed for this long, its camera is gone too. A page that lost its connection only for a
moment is back sooner."""

_WAITED_S = 2.0
"""After a standstill of the server, pictures that come later than this did not wait meanwhile: the browser sends on."""

CHECK_EVERY_S = 1.0
_LATE_BY = 1.5
"""A check counts at most this many intervals; what is later was held up, as the pictures were."""

_GIVE_BACK_EVERY_S = 15.0


class Signs:
    """The signs of life of a session: pictures, and an open page.

    Args:
        picture_ago_s: returns the time since the latest picture; 0 before the first.
        is_watched: whether the browser's tab is open.
        now_s: the clock.

    Attributes:
        no_picture: how long no picture has come.
        no_page: how long the page has been closed.
    """

    def __init__(
        self,
        picture_ago_s: Callable[[], float],
        is_watched: Callable[[], bool],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.no_picture = Silence(CHECK_EVERY_S * _LATE_BY, now_s)
        self.no_page = Silence(CHECK_EVERY_S * _LATE_BY, now_s)
        self._picture_ago_s = picture_ago_s
        self._is_watched = is_watched
        self._now_s = now_s
        self._checked_at_s = now_s()
        self._went_on_at_s = -math.inf

    @property
    def is_given_up(self) -> bool:
        """Whether an end now is the browser's, which gave up a server that stood still.

        Pictures that waited for the server may have come since, but no others.
        """
        now_s = self._now_s()
        went_on_at_s = now_s if self._stood_still(now_s) else self._went_on_at_s
        return now_s - self._picture_ago_s() < went_on_at_s + _WAITED_S

    def _stood_still(self, now_s: float) -> bool:
        return now_s - self._checked_at_s > CHECK_EVERY_S + BROKEN_AFTER_S

    def check(self) -> bool:
        """Return whether the session still lives; call this every ``CHECK_EVERY_S``."""
        now_s = self._now_s()
        if self._stood_still(now_s):
            self._went_on_at_s = now_s
        self._checked_at_s = now_s
        no_picture_s = self.no_picture.count(self._picture_ago_s())
        no_page_s = self.no_page.count(0.0 if self._is_watched() else math.inf)
        return no_picture_s <= GONE_AFTER_S and no_page_s <= UNWATCHED_AFTER_S


class Watchdog:
    """Watches a running stream on a thread of its own; also returns freed memory to the system from time to time.

    Args:
        stream: the stream to watch.
        is_watched: whether the browser's tab is open.
        on_gone: called once, on the watchdog's thread, when the camera or the tab is gone.
    """

    def __init__(self, stream: LiveStream, is_watched: Callable[[], bool], on_gone: Callable[[], None]) -> None:
        self._signs = Signs(stream.silent_s, is_watched)
        self._on_gone = on_gone
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="session-watch", daemon=True).start()

    @property
    def silent_s(self) -> float:
        """How long no picture has come although the server could have taken one."""
        return self._signs.no_picture.lasted_s

    @property
    def is_broken(self) -> bool:
        """Whether no picture has come for so long that an end now is no user's Stop, or one because of that."""
        return self.silent_s > BROKEN_AFTER_S

    @property
    def is_given_up(self) -> bool:
        """Whether an end now is the browser's, which gave up a server that stood still."""
        return self._signs.is_given_up

    def stop(self) -> None:
        """End the watch, without waiting."""
        self._stopped.set()

    def _watch(self) -> None:
        gave_back_s = time.monotonic()
        while not self._stopped.is_set():
            if not self._signs.check():
                self._on_gone()
                return
            now_s = time.monotonic()
            if now_s - gave_back_s > _GIVE_BACK_EVERY_S:
                give_back_memory()
                gave_back_s = now_s
            self._stopped.wait(CHECK_EVERY_S)
