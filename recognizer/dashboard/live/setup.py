"""What the camera's page needs before Start: networks that are warm, and servers that find a way between networks."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.parts.sidebar import named
from recognizer.dashboard.server import context, palette
from recognizer.dashboard.streamlit_private import default_thread_count, webrtc_event_loop
from recognizer.dashboard.text import sentence
from recognizer.errors import SettingsError
from recognizer.networks.cache import networks_of
from recognizer.service.jobs import Job
from recognizer.service.tasks import Status
from recognizer.settings import Settings

if TYPE_CHECKING:
    from recognizer.networks.loading import Models

ICE_VARIABLE = "RECOGNIZER_ICE_SERVERS"
"""Environment variable with a JSON list of ICE servers; ``ice_servers`` in .streamlit/secrets.toml is the same."""

HOSTS_VARIABLE = "RECOGNIZER_CAMERA_HOSTS"
"""Environment variable that lists the hosts of network cameras, with commas; ``camera_hosts`` in secrets.toml too."""

_POOL_WAIT_S = 1.0
_ICE_EXAMPLE = '[{"urls": "stun:stun.example.org:3478"}]'
_ICE_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


def prepare(settings: Settings) -> bool:
    """Load and warm the networks, with progress; START is offered when they are ready, which True says."""
    tab = state.tab()
    if tab.camera is not None and tab.camera.running:
        return True
    wanted = networks_of(settings)
    if tab.camera_networks == wanted and tab.camera is not None:
        return True
    if tab.camera_job is None or tab.camera_networks != wanted:
        tab.camera_networks = wanted

        def work(job: Job[Models]) -> Models:
            job.report(Status("Loading the networks"))
            from recognizer.live.session import load_and_warm

            return load_and_warm(context(), settings, job)

        tab.camera_job = context().jobs.start(work)
    job = tab.camera_job
    place = st.empty()
    while not job.wait(0.2):
        status = job.progress or Status("Waiting for a turn")
        place.progress(status.share or 0.0, status.text)
    place.empty()
    tab.camera_job = None
    if job.result is None:
        tab.camera_networks = None
        st.error(sentence(named(job.error or "The networks could not be loaded.")))
        st.button("Try again")
        return False
    from recognizer.live.session import Camera

    if tab.camera is None:
        tab.camera = Camera(context(), job.result, settings, palette())
    else:
        tab.camera.prepare(job.result, settings)
    return True


@cache
def start_encoders() -> None:
    """Start the threads in which aiortc encodes, once for the whole server.

    They are the event loop's own pool, which starts one when it is needed and keeps it for ever: a stream would seem
    to leave threads behind.
    """
    count = default_thread_count()
    everyone = threading.Barrier(count)

    def occupy() -> None:
        with suppress(threading.BrokenBarrierError):  # a pool that is smaller is full then, too
            everyone.wait(_POOL_WAIT_S)

    loop = webrtc_event_loop()
    loop.call_soon_threadsafe(lambda: [loop.run_in_executor(None, occupy) for _ in range(count)])


def ice_servers() -> list[dict[str, Any]]:
    """ICE and TURN servers from the configuration; none on localhost, where none are needed.

    Raises:
        SettingsError: what is configured is not a list of servers.
    """
    listed = os.environ.get(ICE_VARIABLE)
    if listed:
        try:
            return _checked(json.loads(listed), ICE_VARIABLE)
        except json.JSONDecodeError as error:
            raise SettingsError(
                f"{ICE_VARIABLE} is not JSON ({error.msg} at character {error.pos + 1}); write it like {_ICE_EXAMPLE}."
            ) from error
    return _checked(_secret("ice_servers"), "ice_servers in secrets.toml")


def camera_hosts() -> tuple[str, ...]:
    """The network cameras that the operator of this server allows, by host; none unless they are listed."""
    listed = os.environ.get(HOSTS_VARIABLE)
    hosts = listed.split(",") if listed else _secret("camera_hosts")
    return tuple(str(host).strip() for host in hosts if str(host).strip())


def _secret(name: str) -> Any:
    """A list from .streamlit/secrets.toml; empty where there is no such file or name."""
    try:
        return st.secrets.get(name, [])
    except FileNotFoundError:
        return []


def _checked(servers: Any, where: str) -> list[dict[str, Any]]:
    wrong = SettingsError(f"{where} is not a list of servers with 'urls'; write it like {_ICE_EXAMPLE}.")
    try:
        found = [dict(server) for server in servers]
        addresses = [url for server in found for url in _as_list(server["urls"])]
    except (TypeError, ValueError, KeyError) as error:
        raise wrong from error
    for url in addresses:
        if not str(url).startswith(_ICE_SCHEMES):
            raise SettingsError(
                f"{where} names '{url}', which is no STUN or TURN server; begin it with {', '.join(_ICE_SCHEMES)}."
            )
    return found


def _as_list(urls: Any) -> list[Any]:
    return [urls] if isinstance(urls, str) else list(urls)
