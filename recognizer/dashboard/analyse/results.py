"""What came out of an analysis: player, timeline, tables, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from recognizer import export, plots
from recognizer.clips.sampling import shortest_stay_s
from recognizer.dashboard import state
from recognizer.dashboard.parts.chart import show_chart
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.player import annotated_video, show_player
from recognizer.dashboard.server import keep_colours, palette
from recognizer.dashboard.text import people, plain, seconds
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.model import BRIEF_S, Timeline
from recognizer.types import Segment

_CONFIDENCE_KEY = "min-confidence"
_DURATION_KEY = "min-duration"
_BRIEF_KEY = "shows-brief"
_TABLES_KEY = "tables"

_QUICKLY_WRITTEN = 500
"""Up to so many clips the CSV and the JSON are made at each move of a slider, in some milliseconds."""


def show_results() -> None:
    """Draw the shown analysis."""
    run = state.tab().run
    if run is None:
        return
    timeline = run.timeline
    st.subheader("Timeline" if state.tab().analysis is None else "The analysis before")
    st.caption(_summary(run))
    for note in timeline.notes:
        st.info(plain(note), icon=":material/info:")
    if not timeline.people and not timeline.complete:
        st.info("The analysis was cancelled before anybody was found.", icon=":material/person_off:")
        return
    if not timeline.people:
        st.info(
            "Nobody was found in this video. If there are people in it, lower Detector confidence under More or choose "
            "a larger detector, and analyse it again.",
            icon=":material/person_off:",
        )
        return
    with st.container():  # what comes and goes in here must not move the chart, which would forget its zoom
        show_player(run)
    _explore()


def adopt_thresholds(min_confidence: float, min_duration_s: float) -> None:
    """Show the next analysis with these thresholds; call before ``show_results`` draws the sliders."""
    state.tab().thresholds = (min_confidence, min_duration_s)
    state.set_widget(_CONFIDENCE_KEY, min_confidence)
    state.set_widget(_DURATION_KEY, min_duration_s)


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
    """Charts, tables and downloads; the sliders redraw this part alone."""
    tab = state.tab()
    run = tab.run
    if run is None:
        return
    timeline = run.timeline
    if not timeline.predictions:
        st.info(_too_short(timeline), icon=":material/timer:")
    min_confidence, min_duration_s = thresholds()
    shown = timeline if shows_brief(timeline) else timeline.without_brief
    segments = shown.segments(min_confidence, min_duration_s)
    draw_swimlane(shown, segments, key=f"timeline-{run.run_id}", follows=True)
    draw_thresholds()
    draw_brief(timeline)
    keep_colours()
    st.caption(
        "The labels are the 400 actions of Kinetics-400. There is no walking, standing or sitting among them, and "
        "somebody who does none of the 400 still gets the nearest: raise the minimum confidence to read unknown there."
        if timeline.settings.checkpoint_path is None
        else "The labels are those of your checkpoint; somebody who does none of them still gets the nearest."
    )
    _downloads(run, min_confidence, min_duration_s)
    _tables(run, shown, segments)


def thresholds() -> tuple[float, float]:
    """Minimum confidence and minimum duration (s), as their sliders say, whether they are drawn above or below."""
    tab = state.tab()
    for key, value in zip((_CONFIDENCE_KEY, _DURATION_KEY), tab.thresholds, strict=True):
        state.restore_widget(key, value)
    tab.thresholds = (state.widget(_CONFIDENCE_KEY), state.widget(_DURATION_KEY))
    return tab.thresholds


def draw_thresholds() -> None:
    """Draw the two sliders that decide which segments there are."""
    confidence, duration = st.columns(2)
    confidence.slider(
        "Minimum confidence",
        0.0,
        1.0,
        step=0.05,
        key=_CONFIDENCE_KEY,
        help="Where the network's best guess is less probable than this, the timeline says unknown. The probability is "
        "the network's own, unless it is calibrated; it is not the chance of being right.",
    )
    duration.slider(
        "Minimum duration",
        0.0,
        10.0,
        step=0.25,
        format="%.2f s",
        key=_DURATION_KEY,
        help="Shorter actions are not counted: between two stretches of one other action they become that action, "
        "elsewhere unknown.",
    )


def shows_brief(timeline: Timeline) -> bool:
    """Whether those are shown who were there for a moment, where there is anybody."""
    if not timeline.brief_ids:
        return True
    tab = state.tab()
    state.restore_widget(_BRIEF_KEY, tab.shows_brief)
    tab.shows_brief = state.widget(_BRIEF_KEY)
    return tab.shows_brief


def draw_brief(timeline: Timeline) -> None:
    """Draw the control that shows who was there for a moment, where there is anybody."""
    brief = len(timeline.brief_ids)
    if brief:
        st.toggle(
            f"Show {people(brief)} seen for under {BRIEF_S:g} s",
            key=_BRIEF_KEY,
            help="Mostly passers-by, and what the detector took for a person for a moment. They are left out of the "
            "chart, the tables and the count above; the downloads and the annotated video always have them.",
        )


def draw_swimlane(timeline: Timeline, segments: Sequence[Segment], key: str, *, follows: bool = False) -> None:
    """Draw the timeline of each person in the page's theme."""
    figure = plots.swimlane(timeline, segments, palette(), dark=is_dark())
    show_chart(figure, key, "Timeline: who does what, when", follows=follows)


def is_dark() -> bool:
    """Whether the page is shown in dark colours."""
    return st.context.theme.type == "dark"


def _too_short(timeline: Timeline) -> str:
    if len(timeline.small_ids) == len(timeline.people):
        return "Nobody was large enough to be named."
    needed_s = shortest_stay_s(timeline.settings, timeline.frame_rate_hz)
    longest_s = max(end_s - start_s for track in timeline.people for start_s, end_s in track.presence)
    return (
        f"Nobody was in view for long enough to be named: that takes {seconds(needed_s)}, and the longest stay is "
        f"{seconds(longest_s)}. Lower Sequence length or Skip interval and analyse the video again."
    )


def _downloads(run: StoredAnalysis, min_confidence: float, min_duration_s: float) -> None:
    timeline = run.timeline
    name = Path(run.video_name).stem
    is_quick = len(timeline.predictions) <= _QUICKLY_WRITTEN
    row = st.container(horizontal=True)
    offer_download(
        row,
        "Timeline as CSV",
        lambda: export.segments_csv(timeline, timeline.segments(min_confidence, min_duration_s)),
        f"{name}.csv",
        "text/csv",
        "One row a segment, with the thresholds above, of everyone. Opens in every spreadsheet and statistics program.",
        now=is_quick,
    )
    offer_download(
        row,
        "Everything as JSON",
        lambda: export.timeline_json(timeline, min_confidence=min_confidence, min_duration_s=min_duration_s),
        f"{name}.json",
        "application/json",
        "Settings, versions, who was there when, and the five best labels of every clip.",
        now=is_quick,
    )
    video = annotated_video(run)
    if video is not None:
        offer_download(row, "Annotated video (MP4)", video.read_bytes, f"{name}-annotated.mp4", "video/mp4")


def _tables(run: StoredAnalysis, timeline: Timeline, segments: Sequence[Segment]) -> None:
    who, how_long, which = st.tabs(
        ["Who appeared when", "Time per action", "All segments"], key=_TABLES_KEY, on_change="rerun"
    )
    # only the open one is made: of a long timeline they take as long as the chart, at each move of a slider
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
        figure = plots.time_per_action(timeline, segments, palette(), dark=is_dark())
        show_chart(figure, f"time-per-action-{run.run_id}", "Time per action: how long each person did what")
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
    if run.video_path.is_file():  # of a camera there is one only where it was recorded
        st.caption("Choose a row to start the video there.")
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(segments) and segments[rows[0]].start_s != state.tab().jump_s:
        state.tab().jump_s = segments[rows[0]].start_s
        st.rerun()
