"""Running an analysis: the button, the progress, and taking over what comes out."""

from __future__ import annotations

import uuid

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.analyse.results import draw_swimlane
from recognizer.dashboard.parts.sidebar import adopt, named
from recognizer.dashboard.parts.video_card import restore_video
from recognizer.dashboard.server import context, max_upload_bytes, readiness, try_again_to_get_ready
from recognizer.dashboard.text import sentence
from recognizer.errors import RecognizerError
from recognizer.service.store import StoredFile
from recognizer.service.tasks import Status, start_analysis
from recognizer.settings import Settings, recommended

_POLL_S = 1.0


def wait_until_ready() -> None:
    """Hold the page, with progress, until a detector and a classifier are here; quick when they are."""
    tab = state.tab()
    if tab.settings is not None:
        return
    try:
        job = readiness()
    except RecognizerError as error:  # the folder of what people made cannot be used
        st.error(sentence(str(error)))
        st.stop()
    if not job.wait(0.2):
        place = st.empty()
        while not job.wait(0.2):
            status = job.progress or Status("Looking for the networks")
            place.progress(status.share or 0.0, f"First start: {status.text}")
        place.empty()
    if job.result is None:
        st.error(sentence(job.error or "The networks could not be fetched."))
        if st.button("Try again"):
            try_again_to_get_ready()
            st.rerun()
        st.stop()
    adopt(recommended(Settings(video_classifier_model=job.result.name)))
    tab.classifier_note = job.result.note


def take_up_address() -> None:
    """After a refresh: take up the analysis that the address names, running or finished."""
    tab = state.tab()
    run_id = state.run_in_address()
    if run_id is None:
        # another page was visited, and its address had no place for this
        shown = tab.run.run_id if tab.run is not None else None
        state.name_run_in_address(tab.analysis.job_id if tab.analysis is not None else shown)
        return
    if run_id in tab.seen_runs:
        return
    tab.seen_runs.add(run_id)
    if run_id in context().live_runs:
        tab.awaited_run_id = run_id
        return
    job = context().jobs.get(run_id)
    if job is not None and isinstance(job.about, StoredFile) and not job.finished:
        restore_video(job.about.path, job.about.name, job.about.sha256)
        tab.analysis = job
        return
    try:
        run = context().store.load_analysis(run_id)
    except RecognizerError as error:
        tab.problem = str(error)
        return
    if run is None:
        tab.problem = "The analysis in the address is not on this machine; drop the video in and analyse it again."
        state.name_run_in_address(None)
        return
    restore_video(run.video_path, run.video_name, run.timeline.video.sha256)
    adopt(run.timeline.settings, run.timeline.frame_rate_hz)
    tab.run = run


def take_over_finished() -> None:
    """If the analysis has ended: show what came out, or why nothing did and what was there before."""
    tab = state.tab()
    job = tab.analysis
    if job is None or not job.finished:
        return
    tab.analysis = None
    if job.error is not None:
        tab.problem = job.error
    if job.result is None:
        # it failed, or was cancelled before its turn came: what was shown before stays
        state.name_run_in_address(tab.run.run_id if tab.run else None)
        return
    tab.run = job.result
    tab.rendering = None
    tab.jump_s = 0.0


def show_problem() -> None:
    """Draw the one sentence about what went wrong last."""
    problem = state.tab().problem
    if problem is not None:
        st.error(sentence(named(problem)), icon=":material/error:")


def offer_analysis(settings: Settings) -> None:
    """Draw the Analyse button, unless an analysis runs."""
    tab = state.tab()
    if tab.video is None or tab.analysis is not None:
        return
    if st.button("Analyse", type="primary", icon=":material/play_arrow:"):
        run_id = uuid.uuid4().hex
        tab.problem = None
        tab.analysis = start_analysis(context(), run_id, tab.video.file, settings, max_upload_bytes())
        tab.seen_runs.add(run_id)
        state.name_run_in_address(run_id)
        st.rerun()


def show_progress() -> None:
    """Draw how far the analysis is, if one runs."""
    if state.tab().analysis is not None:
        _progress()


@st.fragment(run_every=_POLL_S)
def _progress() -> None:
    job = state.tab().analysis
    if job is None or job.finished:
        st.rerun()
        return
    status = job.progress or Status("Waiting for a turn")
    bar, button = st.columns([5, 1], vertical_alignment="center")
    text = "Stopping; what was found so far is kept." if job.cancelled else status.text
    bar.progress(status.share or 0.0, text)
    # a callback, because the click may come with a run of the whole page, where a fragment cannot be rerun
    button.button("Cancel", disabled=job.cancelled, width="stretch", on_click=job.cancel)
    if status.timeline is not None and status.timeline.people:
        draw_swimlane(status.timeline, status.timeline.segments(*state.tab().thresholds), key="growing-timeline")


def show_awaited() -> None:
    """Draw that the camera's session in the address is not over yet, if one is."""
    if state.tab().awaited_run_id is not None:
        _awaited()


@st.fragment(run_every=_POLL_S)
def _awaited() -> None:
    tab = state.tab()
    if tab.awaited_run_id is None:
        return
    if tab.awaited_run_id in context().live_runs:
        st.info(
            "The session in the address is being kept, or its camera still runs in another tab; what it saw appears "
            "here when it is over.",
            icon=":material/hourglass:",
        )
        return
    tab.seen_runs.discard(tab.awaited_run_id)
    tab.awaited_run_id = None
    st.rerun()
