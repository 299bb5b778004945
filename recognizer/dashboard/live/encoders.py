"""Threads that encode the returned pictures."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cache

from recognizer.dashboard.streamlit_private import default_thread_count, webrtc_event_loop

_POOL_WAIT_S = 1.0


@cache
def start_encoders() -> None:
    """Start the threads in which aiortc encodes, once for the whole server.

    They belong to the event loop's own pool, which starts a thread when it needs one and never ends it. Without this, a
    stream would seem to leave threads behind.
    """
    count = default_thread_count()
    everyone = threading.Barrier(count)

    def occupy() -> None:
        with suppress(threading.BrokenBarrierError):  # a smaller pool is full by then
            everyone.wait(_POOL_WAIT_S)

    loop = webrtc_event_loop()
    loop.call_soon_threadsafe(lambda: [loop.run_in_executor(None, occupy) for _ in range(count)])
