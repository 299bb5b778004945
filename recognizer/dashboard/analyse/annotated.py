"""The annotated video: made on request, as the analysis is shown at that moment."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.named_run import named_run
from recognizer.dashboard.parts.progress import show_bar
from recognizer.dashboard.parts.visitor import visitor_id
from recognizer.dashboard.text import sentence
from recognizer.export import Content
from recognizer.service.drawing_tasks import rendering_path, start_rendering
from recognizer.service.playable import PLAIN, RECORDING
from recognizer.service.store import StoredAnalysis

_TITLE = "Annotated video (MP4)"
_HELP = "A copy of the video with everyone's box, name and label, as shown above."


def offer_annotated(place: DeltaGenerator, run: StoredAnalysis, content: Content, shown: str) -> None:
    """Draw the button that makes the annotated video, or the download if it is there.

    Args:
        place: where to draw it.
        run: the analysis.
        content: what is shown of it.
        shown: identifies what is shown; a video of anything else is out of date.
    """
    if not server.context().store.is_here(run.video_path):
        return
    stem = named_run(run.analysis_id, run.video_name).file_stem
    if run.timeline.video.sha256 is None:
        offer_download(place, "Recording (MP4)", run.video_path.absolute, f"{stem}.mp4", "video/mp4")
        if run.timeline.provenance.get(RECORDING) != PLAIN:  # that of an earlier version has labels in its picture
            return
    analyse = state.tab().analyse
    if analyse.wants_rendering:
        analyse.wants_rendering = False
        analyse.rendering = _started(run, content, shown)
    rendering = analyse.rendering
    path = rendering_path(server.context(), run, shown)
    if rendering is None or rendering.analysis_id != run.analysis_id or rendering.shown != shown:
        # after a refresh, or in another tab
        job = server.context().jobs.unfinished_about(path)
        rendering = None if job is None else state.Rendering(job, run.analysis_id, shown)
        analyse.rendering = rendering or analyse.rendering
    if rendering is not None and not rendering.job.finished:
        place.button("Making the annotated video", icon=":material/hourglass:", disabled=True)
    elif path.is_file():
        offer_download(place, _TITLE, path.absolute, f"{stem}-annotated.mp4", "video/mp4", _HELP)
    else:
        place.button(
            "Make the annotated video", icon=":material/movie_edit:", help=_HELP, on_click=guard.callback(_want)
        )


@guard.part
def show_rendering(run: StoredAnalysis) -> None:
    """Draw the progress of the annotated video, or why there is none."""
    rendering = state.tab().analyse.rendering
    if rendering is None or rendering.analysis_id != run.analysis_id:
        return
    if rendering.job.finished:
        if rendering.job.error is not None:
            st.error(sentence(rendering.job.error))
    else:
        show_bar(rendering.job, "Making the annotated video")


def _want() -> None:
    # the run that comes with this press knows what is shown by now: a slider may have been left in the same moment
    state.tab().analyse.wants_rendering = True


def _started(run: StoredAnalysis, content: Content, shown: str) -> state.Rendering:
    job = start_rendering(server.context(), run, content, server.palette(), shown, visitor_id=visitor_id())
    return state.Rendering(job, run.analysis_id, shown)
