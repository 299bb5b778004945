"""The ended sessions of a tab: save the last one, and choose which one the page shows."""

from __future__ import annotations

from typing import Final

import streamlit as st

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ANALYSIS, COMPARISON
from recognizer.dashboard.text import sentence
from recognizer.errors import StoreError

_SESSION_KEY = "camera-session"
_LOST: Final = (
    "The connection to the browser was lost: no more pictures arrived. Everything up to then is saved and shown below; "
    "press {} to begin another session."
)
_GONE: Final = (
    "No more pictures came from the camera. Everything up to then is saved and shown below; check that it is on, then "
    "press {} to begin another session."
)
_START: Final = "Start"
_STOP: Final = "Stop, then Start,"
"""For some ten seconds after the server hung up, the browser does not notice, and offers Stop."""


def is_running() -> bool:
    """Return whether the camera runs."""
    camera = state.tab().live.camera
    return camera is not None and camera.session is not None


def end_session() -> None:
    """End the running session, if there is one, and show the last one as stored."""
    live = state.tab().live
    if live.camera is None:
        return
    was_running = live.camera.session is not None
    if live.feed is not None and live.feed.running:
        live.feed.rest()  # otherwise its next pictures would begin another session
    with st.spinner("Saving the session"):
        live.camera.end()
    _show_ended()
    if was_running:
        live.camera.arm()
        st.rerun()  # the page above was drawn for a running camera


def show_lost_session() -> None:
    """Show a session that ended because its connection broke, until another one begins."""
    camera = state.tab().live.camera
    if camera is None or camera.session is not None:
        return
    if camera.latest is None or (camera.latest.ended is not None and camera.latest.ended.lost):
        _show_ended()


def _show_ended() -> None:
    tab = state.tab()
    camera = tab.live.camera
    press = _STOP if tab.live.connected else _START
    if camera is not None and camera.latest is None and tab.live.lost:
        st.warning(_LOST.format(press))
    if camera is None or camera.latest is None or camera.latest.ended is None:
        return
    ended, tab.live.lost = camera.latest.ended, False
    if ended.lost:
        is_browser = tab.live.feed is None or ended.given_up
        st.warning((_LOST if is_browser else _GONE).format(press))
    analysis_id = ended.run.analysis_id
    if analysis_id == tab.live.shown_session_id:
        return
    tab.live.shown_session_id = analysis_id
    tab.live.sessions[analysis_id] = ended.run.video_name
    state.set_widget(_SESSION_KEY, analysis_id)
    tab.analyse.show(ended.run)
    state.tab().filters.adopt(camera.controls.min_confidence, state.DEFAULT_MIN_DURATION_S)
    ANALYSIS.name(analysis_id)


@guard.part
def offer_sessions() -> None:
    """Draw the choice of this tab's sessions, if there are several."""
    tab = state.tab()
    sessions = tab.live.sessions
    if len(sessions) < 2:
        return
    if not state.has_widget(_SESSION_KEY):
        state.set_widget(_SESSION_KEY, next(reversed(sessions)))
    chosen = st.selectbox("Session", list(sessions)[::-1], key=_SESSION_KEY, format_func=sessions.__getitem__)
    if tab.analyse.shown is not None and tab.analyse.shown.analysis_id == chosen:
        return
    try:
        run = server.context().workbench.analysis(chosen)
    except StoreError as error:
        st.error(sentence(str(error)))
        return
    if run is not None:
        tab.analyse.show(run)
        ANALYSIS.name(chosen)


@guard.part
def offer_comparison() -> None:
    """Draw the link to the comparison of the shown session, if two classifiers ran in it."""
    run = state.tab().analyse.shown
    if run is not None and server.context().comparisons.has(run.analysis_id):
        st.page_link(
            "pages/compare.py",
            label="Compare the two classifiers' labels",
            icon=":material/compare_arrows:",
            query_params={COMPARISON.parameter: run.analysis_id},
        )
