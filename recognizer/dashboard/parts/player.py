"""The player above a timeline: the annotated video, or a camera's recording."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.parts.chart import aspect_of, followed_player, player_begins_s
from recognizer.dashboard.parts.progress import show_bar
from recognizer.dashboard.parts.video_card import poster_of
from recognizer.dashboard.text import sentence
from recognizer.errors import RecognizerError
from recognizer.service.store import StoredAnalysis
from recognizer.service.tasks import start_rendering

ANNOTATED_UNASKED_S = 120.0
"""Longer videos are annotated only on request."""

# large enough for readable labels, small enough to leave the timeline in sight
_MOST_WIDTH_PX = 640
_MOST_HEIGHT_PX = 320

_HINT = "Click in the timeline to go there in the video. Drag to zoom in; double-click to zoom out."


def plays_current_video() -> bool:
    """Return whether the results play the current video."""
    tab = state.tab()
    shown = tab.analyse.shown
    return (
        tab.video is not None
        and shown is not None
        and shown.video_path == tab.video.file.path
        and bool(shown.timeline.people)
    )


def annotated_video(run: StoredAnalysis) -> Path | None:
    """Return the annotated video of an analysis, or a camera's recording; None until there is one."""
    if _is_of_camera(run):
        return run.video_path if run.video_path.is_file() else None
    rendering = _rendering(run)
    path = rendering.job.result if rendering is not None else None
    return path if path is not None and path.is_file() else None


def show_player(run: StoredAnalysis) -> None:
    """Draw the player, and the progress of the annotated video until it is ready."""
    if _is_of_camera(run):
        if run.video_path.is_file():  # a camera session has a video only if it was recorded
            _play(run, run.video_path)
            st.caption(_HINT)
        return
    if not server.context().store.is_here(run.video_path):
        st.info("The video is no longer stored here; drop it in again to see it annotated.")
        return
    is_long = run.timeline.analysed_s > ANNOTATED_UNASKED_S
    if not is_long and _rendering(run) is None:
        _start_rendering(run)
    rendering = _rendering(run)
    is_finished = rendering is not None and rendering.job.finished  # read once: it may finish in the meantime
    failure = rendering.job.error if rendering is not None and is_finished else None
    playable = annotated_video(run) if is_finished else None
    if playable is None and (is_long or failure):
        playable = _original(run)
    if playable is not None:
        _play(run, playable)
    elif not failure:
        _still(run)
    if failure:
        st.error(sentence(failure))
    elif playable is not None:
        st.caption(_HINT)
    if rendering is None:
        if st.button("Make the annotated video"):
            _start_rendering(run)
            st.rerun()
    elif is_finished:
        _offer_again()
    else:
        show_bar(rendering.job, "Making the annotated video")


def _play(run: StoredAnalysis, path: Path) -> None:
    with followed_player(aspect_of(run.timeline.video)):
        start_s = max(0.0, state.tab().analyse.jump_s - player_begins_s(run.timeline))
        st.video(str(path), start_time=int(start_s), width=_width_px(run))


def _is_of_camera(run: StoredAnalysis) -> bool:
    return run.timeline.video.sha256 is None


def _rendering(run: StoredAnalysis) -> state.Rendering | None:
    rendering = state.tab().analyse.rendering
    return rendering if rendering is not None and rendering.analysis_id == run.analysis_id else None


def _original(run: StoredAnalysis) -> Path | None:
    """Return the uploaded video if browsers play it."""
    video = state.tab().video
    is_it = video is not None and video.playable and video.file.path == run.video_path
    return run.video_path if is_it else None


def _width_px(run: StoredAnalysis) -> int:
    video = run.timeline.video
    return min(_MOST_WIDTH_PX, round(_MOST_HEIGHT_PX * video.width / video.height))


def _still(run: StoredAnalysis) -> None:
    """Draw a picture of the player's size, so that the timeline below does not move when the player appears."""
    try:
        picture = poster_of(str(run.video_path))
    except RecognizerError as error:
        st.error(sentence(str(error)))
    else:
        st.image(picture, width=_width_px(run))


def _start_rendering(run: StoredAnalysis) -> None:
    tab = state.tab()
    thresholds = tab.filters.thresholds
    job = start_rendering(server.context(), run, server.palette(), *thresholds)
    tab.analyse.rendering = state.Rendering(job, run.analysis_id, thresholds)


@st.fragment(run_every=2.0)
def _offer_again() -> None:
    """Offer to annotate again if the sliders have moved since."""
    tab = state.tab()
    shown, rendering = tab.analyse.shown, tab.analyse.rendering
    if shown is None or rendering is None or rendering.thresholds == tab.filters.thresholds:
        return
    st.caption("The thresholds have changed since this video was made.")
    if st.button("Make it again with these thresholds"):
        _start_rendering(shown)
        st.rerun()
