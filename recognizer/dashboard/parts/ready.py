"""The first start: every page waits until a detector and a classifier are available."""

from __future__ import annotations

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.parts.progress import wait_for
from recognizer.dashboard.parts.sidebar import adopt
from recognizer.dashboard.text import sentence
from recognizer.errors import RecognizerError
from recognizer.settings import Settings, recommended


def wait_until_ready() -> None:
    """Hold the page and draw progress until the default networks are available; return at once if they are."""
    sidebar = state.tab().sidebar
    if sidebar.settings is not None:
        return
    try:
        job = server.readiness()
    except RecognizerError as error:  # the data folder cannot be used
        st.error(sentence(str(error)))
        st.stop()
    wait_for(job, "Checking for the networks", prefix="First start: ")
    if job.result is None:
        st.error(sentence(job.error or "The networks could not be downloaded."))
        if st.button("Try again"):
            server.retry_readiness()
            st.rerun()
        st.stop()
    adopt(recommended(Settings(video_classifier_model=job.result.name)))
    sidebar.classifier_note = job.result.note
