"""The player of a shown analysis, above its timeline: the annotated video, or a camera's recording."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.parts.chart import aspect_of, followed_player
from recognizer.dashboard.parts.video_card import poster_of
from recognizer.dashboard.server import context, palette
from recognizer.dashboard.text import sentence
from recognizer.errors import VideoError
from recognizer.service.store import StoredAnalysis
from recognizer.service.tasks import start_rendering

DRAWN_UNASKED_S = 120.0
"""The annotated video of a longer clip is drawn when it is asked for."""

# so large that labels can be read, and so small that the timeline below is in sight
_MOST_WIDTH_PX = 640
_MOST_HEIGHT_PX = 320

_HINT = "Click in the timeline to go there in the video; drag to zoom in, click twice to see all of it."

_POLL_S = 0.5


def plays_current_video() -> bool:
    """Whether the video that was dropped in last is the one that the results play."""
    tab = state.tab()
    return (
        tab.video is not None
        and tab.run is not None
        and tab.run.timeline.video.sha256 == tab.video.file.sha256
        and bool(tab.run.timeline.people)
    )


def annotated_video(run: StoredAnalysis) -> Path | None:
    """The annotated video of an analysis, or what a camera recorded, once it is there."""
    if _is_of_camera(run):
        return run.video_path if run.video_path.is_file() else None
    rendering = _rendering(run)
    path = rendering.job.result if rendering is not None else None
    return path if path is not None and path.is_file() else None


def show_player(run: StoredAnalysis) -> None:
    """Draw the player and, while the annotated video is not there, how it comes to be."""
    if _is_of_camera(run):
        if run.video_path.is_file():  # a camera's video is kept only where it was recorded
            _play(run, run.video_path)
            st.caption(_HINT)
        return
    if not run.video_path.is_file():
        st.info("The video itself is no longer kept here; drop it in again to see it annotated.")
        return
    is_long = run.timeline.analysed_s > DRAWN_UNASKED_S
    if not is_long and _rendering(run) is None:
        _start_rendering(run)
    rendering = _rendering(run)
    is_finished = rendering is not None and rendering.job.finished  # asked once: it may come to its end meanwhile
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
        if st.button("Draw the annotated video"):
            _start_rendering(run)
            st.rerun()
    elif is_finished:
        _offer_again()
    else:
        _drawing()


def _play(run: StoredAnalysis, path: Path) -> None:
    with followed_player(aspect_of(run.timeline.video)):
        st.video(str(path), start_time=int(state.tab().jump_s), width=_width_px(run))


def _is_of_camera(run: StoredAnalysis) -> bool:
    return run.timeline.video.sha256 is None


def _rendering(run: StoredAnalysis) -> state.Rendering | None:
    rendering = state.tab().rendering
    return rendering if rendering is not None and rendering.run_id == run.run_id else None


def _original(run: StoredAnalysis) -> Path | None:
    """The video as it was dropped in, where browsers play it."""
    video = state.tab().video
    is_it = video is not None and video.playable and video.file.path == run.video_path
    return run.video_path if is_it else None


def _width_px(run: StoredAnalysis) -> int:
    video = run.timeline.video
    return min(_MOST_WIDTH_PX, round(_MOST_HEIGHT_PX * video.width / video.height))


def _still(run: StoredAnalysis) -> None:
    """As large as the player that takes its place, so that the timeline below stays where it is."""
    try:
        picture = poster_of(str(run.video_path))
    except VideoError as error:
        st.error(sentence(str(error)))
    else:
        st.image(picture, width=_width_px(run))


def _start_rendering(run: StoredAnalysis) -> None:
    tab = state.tab()
    job = start_rendering(context(), run, palette(), *tab.thresholds)
    tab.rendering = state.Rendering(job, run.run_id, tab.thresholds)


@st.fragment(run_every=_POLL_S)
def _drawing() -> None:
    rendering = state.tab().rendering
    if rendering is None or rendering.job.finished:
        st.rerun()
        return
    progress = rendering.job.progress
    st.progress(progress.share if progress and progress.share else 0.0, "Drawing the annotated video")


@st.fragment(run_every=2.0)
def _offer_again() -> None:
    """The sliders may have moved since the video was drawn."""
    tab = state.tab()
    if tab.run is None or tab.rendering is None or tab.rendering.thresholds == tab.thresholds:
        return
    st.caption("The sliders have moved since this video was drawn.")
    if st.button("Draw it again with these thresholds"):
        _start_rendering(tab.run)
        st.rerun()
