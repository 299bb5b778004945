"""The only module that uses undocumented parts of Streamlit and streamlit-webrtc.

Each function states the version from which it was read and what would break it; check them when a pin moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from streamlit import runtime
from streamlit.components.v1 import declare_component
from streamlit.runtime.scriptrunner import get_script_run_ctx


def session_is_open() -> Callable[[], bool]:
    """Return a function that checks, on any thread, whether this browser tab still shows the app.

    Call this on the page's thread. Without a server, as in tests, it always returns True.

    Read from Streamlit 1.67 (``runtime/runtime.py``: ``Runtime.is_active_session``, "Threading: SAFE"). Breaks if the
    script's context loses ``session_id`` or the runtime loses ``is_active_session``.
    """
    context = get_script_run_ctx()
    session_id = context.session_id if context is not None else ""
    return lambda: not runtime.exists() or runtime.get_instance().is_active_session(session_id)


def serve_folder(name: str, folder: Path) -> str:
    """Serve the files of a folder in place; return the folder's address, relative to the app's.

    Read from Streamlit 1.67 (``components/v1/component_registry.py``; ``web/server/component_request_handler.py``).
    ``declare_component`` is documented, but the address ``component/<module>.<name>/<file>`` is not. Breaks if that
    changes; Plotly's charts then say that they cannot be shown.
    """
    return f"component/{declare_component(name, folder).name}"


def webrtc_event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop that serves everybody's cameras.

    Read from streamlit-webrtc 0.79 (``eventloop.py``), which itself reads Streamlit's ``Runtime._get_async_objs``.
    Breaks if either is removed.
    """
    from streamlit_webrtc.eventloop import get_global_event_loop  # only the live page needs this library

    loop: asyncio.AbstractEventLoop = get_global_event_loop()
    return loop


def webrtc_hang_up(context: Any) -> Callable[[], None] | None:
    """Return a function that ends a stream from the server's side; None while there is no stream.

    Args:
        context: the result of ``webrtc_streamer``.

    Read from streamlit-webrtc 0.79 (``component.py``: ``WebRtcStreamerContext._get_worker``; ``webrtc.py``:
    ``WebRtcWorker.stop``). Breaks if either is renamed.
    """
    worker = context._get_worker()
    if worker is None:
        return None
    stop: Callable[[], None] = worker.stop
    return stop


def default_thread_count() -> int:
    """Return how many threads an event loop's own pool may have.

    Read from CPython 3.11 to 3.14 (``concurrent/futures/thread.py``): ``asyncio`` makes its pool without arguments.
    Breaks if ``ThreadPoolExecutor`` loses ``_max_workers``.
    """
    return ThreadPoolExecutor()._max_workers
