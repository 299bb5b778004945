"""The result of an analysis: player, timeline, tables, downloads."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from recognizer import export, plots
from recognizer.clips.sampling import shortest_stay_s
from recognizer.dashboard import server, state
from recognizer.dashboard.analyse.exports import draw_downloads, draw_excerpt
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.parts.filters import draw_brief, draw_thresholds, shows_brief, thresholds
from recognizer.dashboard.parts.player import show_player
from recognizer.dashboard.parts.swimlane import draw_swimlane
from recognizer.dashboard.parts.video_card import draw_reading
from recognizer.dashboard.text import people, plain, seconds
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.model import BRIEF_S, Timeline
from recognizer.types import Segment

_TABLES_KEY = "tables"


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
    _tables(run, shown, segments)


def _too_short(timeline: Timeline) -> str:
    if len(timeline.small_ids) == len(timeline.people):
        return "Nobody is large enough in the picture to be classified."
    needed_s = shortest_stay_s(timeline.settings, timeline.frame_rate_hz)
    longest_s = max(end_s - start_s for track in timeline.people for start_s, end_s in track.presence)
    return (
        f"Nobody was in view long enough to be classified: a clip needs {seconds(needed_s)}, and the longest stay is "
        f"{seconds(longest_s)}. Lower Sequence length or Skip interval and analyse the video again."
    )


def _tables(run: StoredAnalysis, timeline: Timeline, segments: Sequence[Segment]) -> None:
    who, how_long, which = st.tabs(
        ["Who appeared when", "Time per action", "All segments"], key=_TABLES_KEY, on_change="rerun"
    )
    # only the open table is made: for a long timeline, each takes as long as the chart at every move of a slider
    if who.open:
        who.dataframe(export.appearances_table(timeline), hide_index=True, width="stretch")
    if how_long.open:
        with how_long:
            _time_per_action(run, timeline, segments)
    if which.open:
        with which:
            _all_segments(run, timeline, segments)


def _time_per_action(run: StoredAnalysis, timeline: Timeline, segments: Sequence[Segment]) -> None:
    if segments:
        figure = plots.time_per_action(timeline, segments, server.palette(), dark=is_dark())
        show_chart(figure, f"time-per-action-{run.analysis_id}", "Time per action: how long each person did what")
    st.dataframe(export.time_per_action_table(timeline, segments), hide_index=True, width="stretch")


def _all_segments(run: StoredAnalysis, timeline: Timeline, segments: Sequence[Segment]) -> None:
    chosen = st.dataframe(
        export.segments_table(timeline, segments),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="segments",
    )
    if run.video_path.is_file():  # a camera session has a video only if it was recorded
        st.caption("Select a row to start the video there.")
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(segments):
        draw_excerpt(run, segments[rows[0]])
    analyse = state.tab().analyse
    if rows and rows[0] < len(segments) and segments[rows[0]].start_s != analyse.jump_s:
        analyse.jump_s = segments[rows[0]].start_s
        st.rerun()
