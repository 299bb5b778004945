"""Detect that a camera is gone: a closed tab or a broken connection sends no signal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from recognizer.live.stream import LiveStream
from recognizer.memory import give_back_memory

GONE_AFTER_S = 10.0
"""A camera that sends nothing for this long is gone. Longer than the pauses of a busy browser, shorter than the half
minute after which WebRTC itself gives up a connection (RFC 7675)."""

UNWATCHED_AFTER_S = 5.0
"""When the page has been closed for this long, its camera is gone too. A page that lost its connection only for a
moment is back sooner."""

CHECK_EVERY_S = 1.0
_GIVE_BACK_EVERY_S = 15.0


class Watchdog:
    """Watches a running stream on a thread of its own; also returns freed memory to the system from time to time.

    Args:
        stream: the stream to watch.
        is_watched: whether the browser's tab is open.
        on_gone: called once, on the watchdog's thread, when the camera or the tab is gone.
    """

    def __init__(self, stream: LiveStream, is_watched: Callable[[], bool], on_gone: Callable[[], None]) -> None:
        self._stream = stream
        self._is_watched = is_watched
        self._on_gone = on_gone
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="session-watch", daemon=True).start()

    def stop(self) -> None:
        """End the watch, without waiting."""
        self._stopped.set()

    def _watch(self) -> None:
        watched_s = gave_back_s = time.monotonic()
        while not self._stopped.is_set():
            now_s = time.monotonic()
            if self._is_watched():
                watched_s = now_s
            if self._stream.stats().silent_s > GONE_AFTER_S or now_s - watched_s > UNWATCHED_AFTER_S:
                self._on_gone()
                return
            if now_s - gave_back_s > _GIVE_BACK_EVERY_S:
                give_back_memory()
                gave_back_s = now_s
            self._stopped.wait(CHECK_EVERY_S)
