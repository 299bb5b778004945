"""The result of an analysis: player, timeline, tables, downloads."""

from __future__ import annotations

from functools import partial

import streamlit as st

from recognizer import export
from recognizer.clips.sampling import shortest_stay_s
from recognizer.dashboard import server, state
from recognizer.dashboard.analyse.exports import draw_downloads, draw_excerpt
from recognizer.dashboard.analyse.summaries import draw_summaries
from recognizer.dashboard.parts.filters import draw_brief, draw_thresholds, shows_brief, thresholds
from recognizer.dashboard.parts.player import show_player
from recognizer.dashboard.parts.swimlane import draw_swimlane
from recognizer.dashboard.parts.video_card import draw_reading
from recognizer.dashboard.text import people, plain, seconds
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.model import BRIEF_S, Timeline
from recognizer.types import Segment


def show_results() -> None:
    """Draw the shown analysis."""
    analyse = state.tab().analyse
    run = analyse.shown
    if run is None:
        return
    timeline = run.timeline
    st.subheader("Timeline" if analyse.job is None else "Previous analysis")
    st.caption(_summary(run))
    for note in timeline.notes:
        st.info(plain(note), icon=":material/info:")
    if not timeline.people:
        draw_reading(timeline.reading)
    if not timeline.people and not timeline.complete:
        st.info("The analysis was cancelled before anyone was found.", icon=":material/person_off:")
        return
    if not timeline.people:
        st.info(
            "Nobody was found in this video. If there are people in it, lower Detector confidence under More or choose "
            "a larger Detector, and analyse it again.",
            icon=":material/person_off:",
        )
        return
    with st.container():  # messages that come and go here must not move the chart: it would lose its zoom
        show_player(run)
        draw_reading(timeline.reading)
    _explore()


def _summary(run: StoredAnalysis) -> str:
    timeline = run.timeline
    classifier = timeline.provenance.get("classifier", timeline.settings.video_classifier_model)
    backend = timeline.provenance.get("classifier_backend")
    brief = len(timeline.brief_ids)
    parts = [
        plain(run.video_name),
        people(len(timeline.people) - brief) + (f" and {brief} seen for under {BRIEF_S:g} s" if brief else ""),
        f"{seconds(timeline.analysed_s)} analysed" + ("" if timeline.complete else " before it was cancelled"),
        f"classifier {plain(classifier)}" + (f" ({backend})" if backend else ""),
        f"{timeline.settings.num_video_sequence_samples} samples, every {_ordinal(timeline.settings.skip_frame)} frame",
    ]
    return " · ".join(parts)


def _ordinal(number: int) -> str:
    if number == 1:
        return ""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


@st.fragment
def _explore() -> None:
    """Draw charts, tables and downloads; the sliders redraw only this part."""
    run = state.tab().analyse.shown
    if run is None:
        return
    timeline = run.timeline
    if not timeline.predictions:
        st.info(_too_short(timeline), icon=":material/timer:")
    min_confidence, min_duration_s = thresholds()
    shown = timeline if shows_brief(timeline) else timeline.without_brief
    segments = shown.segments(min_confidence, min_duration_s)
    draw_swimlane(shown, segments, key=f"timeline-{run.analysis_id}", follows=True)
    draw_thresholds()
    draw_brief(timeline)
    server.save_colours()
    labels = (
        "The labels are the 400 actions of Kinetics-400. Walking, standing and sitting are not among them, and a "
        "person who does none of the 400 still gets the closest label. Raise Minimum confidence to show unknown "
        "instead."
        if timeline.settings.checkpoint_path is None
        else "The labels are those of your checkpoint. A person who does none of these actions still gets the closest "
        "label."
    )
    moves = "The thin line in a lane shows where that person is still, slow or fast."
    st.caption(labels if timeline.camera is None else f"{labels} {moves}")
    draw_downloads(run, min_confidence, min_duration_s)
    content = export.content_of(
        Corrected(shown), run.video_name, min_confidence=min_confidence, min_duration_s=min_duration_s
    )
    draw_summaries(content, run.analysis_id, partial(_go_to, run))


def _too_short(timeline: Timeline) -> str:
    if len(timeline.small_ids) == len(timeline.people):
        return "Nobody is large enough in the picture to be classified."
    needed_s = shortest_stay_s(timeline.settings, timeline.frame_rate_hz)
    longest_s = max(end_s - start_s for track in timeline.people for start_s, end_s in track.presence)
    return (
        f"Nobody was in view long enough to be classified: a clip needs {seconds(needed_s)}, and the longest stay is "
        f"{seconds(longest_s)}. Lower Sequence length or Skip interval and analyse the video again."
    )


def _go_to(run: StoredAnalysis, segment: Segment) -> None:
    draw_excerpt(run, segment)
    analyse = state.tab().analyse
    if segment.start_s != analyse.jump_s:
        analyse.jump_s = segment.start_s
        st.rerun()
