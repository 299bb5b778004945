"""Running an analysis: start, progress and outcome."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import replace
from typing import Final

import streamlit as st

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ANALYSIS
from recognizer.dashboard.parts import progress
from recognizer.dashboard.parts.sidebar import adopt
from recognizer.dashboard.parts.swimlane import draw_swimlane
from recognizer.dashboard.parts.video_card import restore_video
from recognizer.dashboard.parts.visitor import visitor_id
from recognizer.errors import RecognizerError, StoreError
from recognizer.service.batch_runs import thresholds_of
from recognizer.service.estimates import Estimate, estimate
from recognizer.service.growing import Pace
from recognizer.service.jobs import Job
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.service.tasks import Status, start_analysis
from recognizer.settings import Settings

_log = logging.getLogger(__name__)

_POLL_S = 1.0

_MOST_MEASURED: Final = 50_000
"""Boxes up to which the chart of a running analysis has the line of movement: an hour of one person. With more, the
line would take most of the time; the result has it."""


def restore_from_address() -> None:
    """After a refresh, or a long time without a connection, restore this page's analysis, running or finished."""
    tab = state.tab()
    ANALYSIS.bring_back(tab.analyse, server.context().workbench.analysis, server.context().jobs.get)
    shown_id = tab.analyse.shown.analysis_id if tab.analyse.shown is not None else None
    current_id = tab.analyse.job.job_id if tab.analyse.job is not None else shown_id
    # a running analysis is not left, and a camera's page shows what ended last
    can_leave = tab.page == "analyse" and tab.analyse.job is None
    problem = ANALYSIS.restore(current_id, _restore, (lambda: tab.analyse.show(None)) if can_leave else None)
    if problem is not None:
        tab.problem = problem


def _restore(analysis_id: str) -> bool:
    analyse = state.tab().analyse
    if analysis_id in server.context().live_analyses:
        analyse.awaited_id = analysis_id
        return True
    job = server.context().jobs.get(analysis_id)
    if job is not None and isinstance(job.about, StoredFile) and not job.finished:
        restore_video(job.about.path, job.about.name, job.about.sha256)
        analyse.job, analyse.pace = job, Pace()
        return True
    stored = server.context().workbench.analysis(analysis_id)
    if stored is None:
        return _instead(analysis_id)
    server.library().opened(analysis_id, stored.video_path.name)
    restore_video(stored.video_path, stored.video_name, stored.timeline.video.sha256)
    adopt(stored.timeline.settings, stored.timeline.frame_rate_hz)
    _adopt_thresholds(analysis_id)
    analyse.show(stored)
    return True


def _adopt_thresholds(analysis_id: str) -> None:
    """Look at the result of a batch with the thresholds of the batch."""
    try:
        thresholds = thresholds_of(server.context().runs.load(analysis_id))
    except StoreError as error:  # a result that is not saved yet is no batch's, and is only here
        _log.warning("the thresholds of a result cannot be read: %s", error)
        return
    if thresholds is not None:
        state.tab().filters.adopt(*thresholds)


def _instead(analysis_id: str) -> bool:
    """Take an uploaded video, or say why a run has no result; return False if there is neither.

    Raises:
        StoreError: it failed, or another server works on it.
    """
    run = server.context().runs.load(analysis_id)
    if run is not None and run.kind == "video":
        restore_video(server.context().store.file_path(run.video_file), run.video_name, run.video_sha256)
        ANALYSIS.name(None)
        return True
    if run is not None and (run.problem or not run.is_finished):
        raise StoreError(run.problem or f"the analysis of '{run.video_name}' goes on soon; load the page again.")
    return False


def take_over_finished() -> None:
    """If the analysis has ended, show its result; if it has none, say why and leave the previous one."""
    tab = state.tab()
    job = tab.analyse.job
    if job is None or not job.finished:
        return
    tab.analyse.job = None
    if job.error is not None:
        tab.problem = job.error
    if job.result is not None:
        _keep_corrections(tab.analyse.shown, job.result)
        tab.analyse.show(job.result)
    elif not job.suspended:  # it failed, or was cancelled before its turn; otherwise the next server finds it again
        ANALYSIS.name(tab.analyse.shown.analysis_id if tab.analyse.shown is not None else None)


def _keep_corrections(before: StoredAnalysis | None, after: StoredAnalysis) -> None:
    """Correct and name a new analysis like the previous one: correct it if both found the same people in one video."""
    context = server.context()
    context.workbench.hold(after)
    if before is None:
        return
    try:
        context.workbench.carry_over(before.analysis_id, after.analysis_id)
        context.own_actions.carry_over(before.analysis_id, after.analysis_id)
    except RecognizerError as error:
        state.tab().problem = str(error)


def can_start() -> bool:
    """Return whether there is a video and no analysis of it is running."""
    tab = state.tab()
    return tab.video is not None and tab.analyse.job is None


def expected(settings: Settings) -> Estimate | None:
    """Return how long an analysis of the current video will take; None if that is not known."""
    video = state.tab().video
    return None if video is None else estimate(video.info, settings, server.context().costs.all())


def start(settings: Settings) -> None:
    """Start an analysis of the current video, and run the page again."""
    tab = state.tab()
    if tab.video is None:
        return
    analysis_id, foretold = uuid.uuid4().hex, expected(settings)
    tab.problem, tab.analyse.pace = None, Pace()
    server.library().make_room()
    try:
        tab.analyse.job = start_analysis(
            server.context(),
            analysis_id,
            tab.video.file,
            settings,
            server.max_upload_bytes(),
            visitor_id=visitor_id(),
            expected_s=None if foretold is None else foretold.expected_s,
        )
    except RecognizerError as error:  # this visitor has too many runs already
        tab.problem = str(error)
    else:
        ANALYSIS.name(analysis_id)
    st.rerun()


@guard.part
def show_progress() -> None:
    """Draw the progress of the analysis and its timeline so far, if one is running."""
    job = state.tab().analyse.job
    if job is not None:
        progress.show_progress(job, "Stopping; the results so far are saved.")
        # a fragment of its own: the longer the timeline, the less often it is drawn
        guard.fragment(run_every=state.tab().analyse.pace.every_s)(_draw_so_far)(job)


def _draw_so_far(job: Job[StoredAnalysis]) -> None:
    status, pace = job.progress, state.tab().analyse.pace
    if not isinstance(status, Status) or status.growing is None:
        return
    began_s = time.thread_time()
    timeline = status.growing.timeline()
    if timeline is not None and timeline.people:
        if sum(len(track.time_s) for track in timeline.people) > _MOST_MEASURED:
            timeline = replace(timeline, camera=None)
        draw_swimlane(timeline, timeline.segments(*state.tab().filters.thresholds), key="growing-timeline")
    if pace.is_too_fast(time.thread_time() - began_s):
        st.rerun()


@guard.part
def show_awaited() -> None:
    """If the camera session in the address is not over yet, say so."""
    if state.tab().analyse.awaited_id is not None:
        _awaited()


@guard.fragment(run_every=_POLL_S)
def _awaited() -> None:
    analyse = state.tab().analyse
    if analyse.awaited_id is None:
        return
    if analyse.awaited_id in server.context().live_analyses:
        st.info(
            "This page's session is still running in another tab or being saved. It appears here when it has ended.",
            icon=":material/hourglass:",
        )
        return
    analyse.awaited_id = None
    ANALYSIS.forget()
    st.rerun()
