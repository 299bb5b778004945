"""The only module that uses undocumented parts of Streamlit, streamlit-webrtc and what carries its pictures.

Each function states the version from which it was read and what would break it; check them when a pin moves.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast
from weakref import WeakSet

import streamlit as st
from starlette.requests import Request
from streamlit import net_util, runtime
from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri
from streamlit.file_util import get_static_dir
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.secrets import secrets_singleton
from streamlit.runtime.state.common import GENERATED_ELEMENT_ID_PREFIX
from streamlit.runtime.uploaded_file_manager import UploadedFile as UploadedFile
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from recognizer.errors import SettingsError


def session_is_open() -> Callable[[], bool]:
    """Return a function that checks, on any thread, whether this browser tab still shows the app.

    Call this on the page's thread. Without a server, as in tests, it always returns True.

    Read from Streamlit 1.67 (``runtime/runtime.py``: ``Runtime.is_active_session``, "Threading: SAFE"). Breaks if the
    script's context loses ``session_id`` or the runtime loses ``is_active_session``.
    """
    context = get_script_run_ctx()
    session_id = context.session_id if context is not None else ""
    return lambda: not runtime.exists() or runtime.get_instance().is_active_session(session_id)


def page_is_being_drawn() -> Callable[[], bool]:
    """Return a function that checks, on the server's event loop, whether this tab's page runs or is about to.

    Call this on the page's thread. Without a server, as in tests, it always returns False.

    Read from Streamlit 1.67 (``runtime/app_session.py``: ``_scriptrunner`` is there from when a run is asked for until
    it has drawn everything; ``runtime/runtime.py``: ``_session_mgr``). Breaks if one of the two is renamed;
    ``tests/dashboard/test_finished_runs.py`` then fails.
    """
    context = get_script_run_ctx()
    session_id = context.session_id if context is not None else ""

    def is_being_drawn() -> bool:
        if not runtime.exists():
            return False
        info = runtime.get_instance()._session_mgr.get_active_session_info(session_id)
        return info is not None and info.session._scriptrunner is not None

    return is_being_drawn


@contextmanager
def uninterrupted_state() -> Iterator[MutableMapping[str, Any]]:
    """Yield this tab's session state for a moment; a script is never interrupted there.

    ``st.session_state`` ends the script or callback at each access if another run was asked for meanwhile. What a
    callback had begun would then stay half done, and a click or a dropped file would be lost.

    Read from Streamlit 1.67 (``runtime/state/safe_session_state.py``: ``_yield_callback`` is called at each access,
    ``_lock`` guards ``_state``). Breaks if one of the last two is renamed.
    """
    context = get_script_run_ctx()
    if context is None:  # on no script's thread; Streamlit warns, and has one state for all of these
        yield cast(MutableMapping[str, Any], st.session_state)
        return
    safe = context.session_state
    with safe._lock:
        yield cast(MutableMapping[str, Any], safe._state)


def address_parameter(name: str) -> str | None:
    """Return a parameter of the page's address; a script is not interrupted here, as in ``uninterrupted_state``."""
    context = get_script_run_ctx()
    if context is None:
        return st.query_params.get(name)
    safe = context.session_state
    with safe._lock:
        return safe._state.query_params.get(name)


def came_through_history() -> bool:
    """Return whether this run was asked for by the browser's Back or Forward.

    Read from Streamlit 1.67 (``runtime/scriptrunner_utils/script_run_context.py``). Breaks if ``is_history_navigation``
    is renamed; ``tests/browser/test_results_page.py`` then fails.
    """
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def send_at_once(request: Request) -> None:
    """Have the system send an answer without waiting for the browser to confirm its head, which takes 40 ms.

    Read from Streamlit 1.67 (``web/server/starlette/starlette_server.py``: its socket does not name its protocol, so
    asyncio leaves Nagle's algorithm on) and uvicorn 0.54 (``protocols/http``: what an application receives from is a
    method of an object with a ``transport``). Without such an object, nothing happens.
    """
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if isinstance(transport, asyncio.Transport):
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def forget_uploads(*uploads: UploadedFile) -> None:
    """Let go of dropped files that were read or stored; their field has been replaced by an empty one.

    Streamlit holds them in memory until their page is closed.

    Read from Streamlit 1.67 (``runtime/memory_uploaded_file_manager.py``: ``remove_file``, which it calls itself for
    what is dropped into a chat). Breaks if it is renamed; ``tests/dashboard/test_choosing_a_video.py`` then fails.
    """
    context = get_script_run_ctx()
    if context is not None:
        manager: Any = context.uploaded_file_mgr
        for one in uploads:
            manager.remove_file(context.session_id, one.file_id)


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


def webrtc_source_track(callback: Callable[..., Any], key: str, fps: int, on_ended: Callable[[], None]) -> Any:
    """Return this tab's track of pictures that the server sends, as ``create_video_source_track`` does.

    When its connection ends, that one deletes its entry of the session state, on another thread. A run of the page that
    looked through the state at that moment broke off with a ``KeyError``, and left the page without the picture and
    its buttons. Here, the track only ends; the next run replaces it.

    Read from streamlit-webrtc 0.79 (``factory.py``: ``_attach_factory_lifecycle``; ``webrtc.py``:
    ``_reset_factory_cache_on_webrtc_session_end``). Breaks if one of the two attributes is renamed;
    ``tests/dashboard/test_source_track.py`` then fails.
    """
    from streamlit_webrtc import create_video_source_track  # only the live page needs this library

    # with this scope, a page that is left or closed ends the track without deleting anything
    track = create_video_source_track(callback, key, fps, on_ended, lifecycle_scope="streamlit-session")
    setattr(track, "_streamlit_webrtc_lifecycle_scope", "webrtc-session")  # noqa: B010 - mypy forbids the plain form
    setattr(track, "_streamlit_webrtc_reset_on_session_end", track.stop)  # noqa: B010
    return track


@cache
def wait_for_consent() -> None:
    """Keep a camera's connection while its browser sends something, and give it seconds to answer. May be called again.

    A connection asks every five seconds whether the browser still wants it, and is closed about half a minute after the
    last answer (RFC 7675). aioice takes no answer that comes later than half a second
    (findings/aioice-answer-after-half-a-second.sh): on a busy machine, where answers queue behind pictures, none
    counted, and sessions ended in the middle of their pictures. Here a question is repeated and lapses after 7.5 s,
    unless pictures or reports on them came meanwhile (docs/decisions/118-a-browser-that-sends-is-still-there.md).

    Read from aioice 0.13 (``ice.py``: ``Connection.query_consent``, the only one that asks ``StunProtocol.request`` for
    no retransmissions, ``Connection.data_received`` and ``CONSENT_FAILURES``; ``stun.py``: a question waits for
    ``RETRY_RTO``, and twice as long after each retransmission). Breaks if one of them is renamed;
    ``tests/dashboard/test_camera_consent.py`` then fails.
    """
    from aioice import ice, stun  # only the live page needs this library

    ask_once, take = ice.StunProtocol.request, ice.Connection.data_received
    heard: WeakSet[ice.Connection] = WeakSet()

    def hear(connection: Any, data: bytes, component: int) -> None:
        heard.add(connection)
        take(connection, data, component)

    async def ask(
        protocol: Any, message: Any, address: Any, integrity_key: Any = None, retransmissions: int | None = None
    ) -> Any:
        if retransmissions != 0:
            return await ask_once(protocol, message, address, integrity_key, retransmissions)
        heard.discard(protocol.receiver)
        try:
            return await ask_once(protocol, message, address, integrity_key, _CONSENT_RETRANSMISSIONS)
        except stun.TransactionTimeout:
            if protocol.receiver not in heard:
                raise
            return None  # only whether there was an answer matters

    setattr(ice.StunProtocol, "request", ask)  # noqa: B010 - mypy forbids the plain form
    setattr(ice.Connection, "data_received", hear)  # noqa: B010
    setattr(ice, "CONSENT_FAILURES", _CONSENT_FAILURES)  # noqa: B010


_CONSENT_RETRANSMISSIONS = 3
"""After 0.5, 1.5 and 3.5 s; the question lapses after 7.5 s."""

_CONSENT_FAILURES = 3
"""Three questions, about five seconds apart, take 35 to 41 s; six of half a second took 27 to 39 s."""


def default_thread_count() -> int:
    """Return how many threads an event loop's own pool may have.

    Read from CPython 3.11 to 3.14 (``concurrent/futures/thread.py``): ``asyncio`` makes its pool without arguments.
    Breaks if ``ThreadPoolExecutor`` loses ``_max_workers``.
    """
    return ThreadPoolExecutor()._max_workers


def sign_in_secrets() -> Mapping[str, Any]:
    """Return the table ``[auth]`` of Streamlit's secrets; empty if there is none.

    Raises:
        SettingsError: a file of secrets is there and cannot be read. Streamlit would go on without sign-in.

    Read from Streamlit 1.67 (``runtime/secrets.py``: ``load_if_toml_exists`` is False for a file that is missing and
    for one that is damaged). Breaks if that is renamed, or if the option ``secrets.files`` is.
    """
    if secrets_singleton.load_if_toml_exists():
        section = secrets_singleton.get("auth")
        return section.to_dict() if section else {}
    there = [path for path in st.get_option("secrets.files") if Path(path).exists()]
    if there:
        raise SettingsError(f"'{there[0]}' cannot be read as TOML, so nobody can sign in; correct or remove it.")
    return {}


def signed_in_claims(cookies: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return what the provider said about who signed in, from a request's cookies; None if nobody did.

    Read from Streamlit 1.67 (``web/server/starlette/starlette_auth_routes.py``, which signs the cookie, and
    ``starlette_websocket.py``, which reads it for ``st.user``: the signature, its age, and the address that it was made
    for). Breaks if one of these names or the cookie's document changes; everybody would then be refused.
    """

    def unsigned(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    cookie = get_cookie_with_chunks(unsigned, USER_COOKIE_NAME)
    if cookie is None:
        return None
    claims: dict[str, Any] = json.loads(cookie)
    is_own = claims.get("origin") == get_origin_from_redirect_uri()
    return claims if is_own and claims.get("is_logged_in") is True else None


def host_is_allowed(host: str | None) -> bool:
    """Return whether ``server.allowedHosts`` has the name by which a browser asks for this server.

    Read from Streamlit 1.67 (``web/server/starlette/starlette_websocket.py``). Breaks if it is renamed.
    """
    return is_host_allowed(host)


def inline_script_hashes() -> list[str]:
    """Return the SHA-256 of each script inside Streamlit's page, as a content policy names it.

    Read from Streamlit 1.67 (``static/index.html``). Breaks if the page moves; a script with another content only
    changes the hash.
    """
    page = (Path(get_static_dir()) / "index.html").read_bytes()
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(one).digest()).decode()}'" for one in scripts]


def ask_no_address_service() -> None:
    """Keep Streamlit from asking the internet for this machine's address, for its start message and unknown origins.

    Read from Streamlit 1.67 (``net_util.py``; called by ``web/bootstrap.py`` and ``web/server/server_util.py`` as an
    attribute of the module). Breaks if one of these imports the function itself; ``tests/dashboard/test_origins.py``
    then sees the connection.
    """
    net_util.get_external_ip = _no_address


def _no_address() -> None:
    return None


def lighten_closed_pages(lighten: Callable[[Mapping[str, Any]], None], after_s: float) -> bool:
    """Let go of what closed pages hold, except for the little that brings them back; return whether there was any.

    Streamlit keeps a closed page for ``server.disconnectedSessionTTL``, in case its browser only lost the connection: a
    laptop sleeps, or a phone is locked. That is hours here, and for so long nobody may lose what was not saved. Yet a
    server that nobody used any more kept the last results, uploads and cameras. Call this on the server's event loop.

    Args:
        lighten: takes the session state of a page, and lets go of what it can have again.
        after_s: pages that were closed less long ago stay as they are.

    Read from Streamlit 1.67 (``runtime/memory_session_storage.py``: a ``TTLCache``, which forgets only when it is
    written to; ``runtime/app_session.py``: ``shutdown`` lets go of the same). Breaks if one of these names changes;
    ``tests/dashboard/test_closed_pages.py`` then fails.
    """
    if not runtime.exists():
        return False
    server: Any = runtime.get_instance()
    closed: Any = server._session_mgr._session_storage._cache
    freed = bool(closed.expire())
    closed_before_s = closed.timer() - after_s
    for session_id, info in list(closed._data.items()):
        session = info.session
        is_idle = session._state == AppSessionState.APP_NOT_RUNNING
        if session in _light or not is_idle or closed._expirations[session_id] - closed.ttl > closed_before_s:
            continue
        kept = session._session_state
        lighten(kept)
        # the widgets as the browser has them, without what was made of it, and without callbacks, which hold results
        widgets = WidgetStates(widgets=kept.get_widget_states())
        kept._new_widget_state.widget_metadata.clear()
        for name in [name for name in kept._old_state if name.startswith(GENERATED_ELEMENT_ID_PREFIX)]:
            del kept._old_state[name]
        kept.set_widgets_from_proto(widgets)
        session._uploaded_file_mgr.remove_session_files(session_id)
        session._fragment_storage.clear()
        session._browser_queue.clear()
        server.media_file_mgr.clear_session_refs(session_id)
        server.dataframe_source_mgr.clear_all_for_session(session_id)
        _light.add(session)
        freed = True
    if freed:
        server.media_file_mgr.remove_orphaned_files()
    return freed


def bring_closed_pages_back() -> None:
    """Run a page again when its browser comes back after ``lighten_closed_pages``. May be called again.

    Its fragments, media and downloads are gone, and the browser asks for a run only if it was following something.

    Read from Streamlit 1.67 (``runtime/websocket_session_manager.py``: ``_resume_stored_session``). Breaks if that is
    renamed; ``tests/dashboard/test_closed_pages.py`` then fails.
    """
    setattr(WebsocketSessionManager, "_resume_stored_session", _resume_and_run)  # noqa: B010 - mypy forbids the plain form


_light: WeakSet[AppSession] = WeakSet()
_resume_stored_session = WebsocketSessionManager._resume_stored_session


def _resume_and_run(manager: WebsocketSessionManager, *given: Any) -> str | None:
    session_id = _resume_stored_session(manager, *given)
    if session_id is not None:
        session = manager._active_session_info_by_id[session_id].session
        if session in _light:
            _light.discard(session)
            as_it_was = ClientState()
            as_it_was.CopyFrom(session._client_state)
            as_it_was.widget_states.widgets.extend(session._session_state.get_widget_states())
            session.request_rerun(as_it_was)
    return session_id


def keep_finished_runs() -> None:
    """Send what a run of the page has drawn, even if a fragment's timer comes as the run ends. May be called again.

    A runner that has ended refuses the fragment. Streamlit then makes a new runner at once, and ignores what the old
    one has still to send. That includes the timers, which the browser ended when the run began: the page stands
    still until the next click. Here, the fragment waits until the old runner's last event has been handled.

    Read from Streamlit 1.67 (``runtime/app_session.py``: ``request_rerun``, whose comment describes the race for
    fragments that are gone, github.com/streamlit/streamlit/issues/9921). Breaks if ``_create_scriptrunner`` is renamed
    or no longer called while ``_scriptrunner`` is the one that refused; ``tests/dashboard/test_finished_runs.py`` then
    fails.
    """
    setattr(AppSession, "_create_scriptrunner", _create_scriptrunner_later)  # noqa: B010 - mypy forbids the plain form


_create_scriptrunner_at_once = AppSession._create_scriptrunner
_LAST_EVENT_POLL_S = 0.01


def _create_scriptrunner_later(session: AppSession, rerun_data: RerunData) -> None:
    if session._scriptrunner is None:
        _create_scriptrunner_at_once(session, rerun_data)
        return

    def again() -> None:
        if session._state == AppSessionState.SHUTDOWN_REQUESTED:
            return
        runner = session._scriptrunner
        if runner is None or not runner.request_rerun(rerun_data):
            session._create_scriptrunner(rerun_data)

    session._event_loop.call_later(_LAST_EVENT_POLL_S, again)


def keep_answers() -> None:
    """Send a browser what it asked for although a run of the page begins meanwhile. May be called again.

    A run that begins takes everything out of the queue that the one before it drew, and with it what no run sends
    again: the addresses for files that somebody drops in, who then sees nothing happen, and the way to a provider's
    sign-in.

    Read from Streamlit 1.67 (``runtime/app_session.py``: ``_clear_queue``; ``runtime/forward_msg_queue.py``: ``clear``
    keeps other types of messages). Breaks if ``clear`` or ``_queue`` is renamed;
    ``tests/dashboard/test_finished_runs.py`` then fails.
    """
    setattr(ForwardMsgQueue, "clear", _clear_but_answers)  # noqa: B010 - mypy forbids the plain form


_ANSWERS = frozenset({"file_urls_response", "backend_operation_response", "auth_redirect"})
_clear = ForwardMsgQueue.clear


def _clear_but_answers(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    answers = [one for one in queue._queue if one.WhichOneof("type") in _ANSWERS] if retain_lifecycle_msgs else []
    _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
    kept = {id(one) for one in queue._queue}  # a fragment's run leaves everything but its own drawings
    queue._queue[:0] = [one for one in answers if id(one) not in kept]
