"""Load and warm the networks before Start is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.parts.progress import wait_for
from recognizer.dashboard.parts.visitor import visitor_id
from recognizer.dashboard.text import sentence
from recognizer.networks.cache import network_keys
from recognizer.service.jobs import Job
from recognizer.service.tasks import Status
from recognizer.settings import Settings

if TYPE_CHECKING:
    from recognizer.networks.loading import Models


def prepare(settings: Settings) -> bool:
    """Load and warm the networks, draw the progress, and return whether they are ready."""
    live = state.tab().live
    if live.camera is not None and live.camera.session is not None:
        return True
    wanted = network_keys(settings)
    if live.networks == wanted and live.camera is not None:
        return True
    if live.loading is None or live.networks != wanted:
        live.networks = wanted

        def work(job: Job[Models]) -> Models:
            job.report(Status("Loading the networks"))
            from recognizer.live.warming import load_and_warm

            return load_and_warm(server.context(), settings, job)

        live.loading = server.context().jobs.start(work, visitor_id=visitor_id())
    job = live.loading
    wait_for(job)
    live.loading = None
    if job.result is None:
        live.networks = None
        st.error(sentence(state.tab().with_upload_names(job.error or "The networks could not be loaded.")))
        st.button("Try again")
        return False
    from recognizer.live.camera import TabCamera

    if live.camera is None:
        live.camera = TabCamera(server.context(), job.result, settings, server.palette(), visitor_id())
    else:
        live.camera.prepare(job.result, settings)
    return True
