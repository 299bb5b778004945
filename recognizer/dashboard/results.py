"""What came out of an analysis: timeline, tables, annotated video, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from recognizer import export, plots
from recognizer.clips import shortest_stay_s
from recognizer.dashboard import state
from recognizer.dashboard.chart import show_chart
from recognizer.dashboard.services import keep_colours, palette, services
from recognizer.dashboard.text import people, plain, seconds, sentence
from recognizer.runs import start_rendering
from recognizer.store import Run
from recognizer.timeline import BRIEF_S, Timeline
from recognizer.types import Segment

DRAWN_UNASKED_S = 120.0
"""The annotated video of a longer clip is drawn when it is asked for."""

PLAYER_WIDTH_PX = 800
"""Wide enough to read the labels, and the tables above stay in sight."""

_CONFIDENCE_KEY = "min-confidence"
_DURATION_KEY = "min-duration"
_BRIEF_KEY = "shows-brief"

_POLL_S = 0.5


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
    _explore()
    _annotated_video()


def adopt_thresholds(min_confidence: float, min_duration_s: float) -> None:
    """Show the next analysis with these thresholds; call before ``show_results`` draws the sliders."""
    state.tab().thresholds = (min_confidence, min_duration_s)
    state.set_widget(_CONFIDENCE_KEY, min_confidence)
    state.set_widget(_DURATION_KEY, min_duration_s)


def _summary(run: Run) -> str:
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
    min_confidence, min_duration_s = choose_thresholds()
    shown = timeline if choose_brief(timeline) else timeline.without_brief
    segments = shown.segments(min_confidence, min_duration_s)
    draw_swimlane(shown, segments, key=f"timeline-{run.run_id}")
    keep_colours()
    st.caption(
        "The labels are the 400 actions of Kinetics-400. There is no walking, standing or sitting among them, and "
        "somebody who does none of the 400 still gets the nearest: raise the minimum confidence to read unknown there."
        if timeline.settings.checkpoint_path is None
        else "The labels are those of your checkpoint; somebody who does none of them still gets the nearest."
    )
    _downloads(run, min_confidence, min_duration_s)
    _tables(run, shown, segments)


def choose_thresholds() -> tuple[float, float]:
    """Draw the two sliders that decide which segments there are; returns minimum confidence and duration (s)."""
    tab = state.tab()
    for key, value in zip((_CONFIDENCE_KEY, _DURATION_KEY), tab.thresholds, strict=True):
        state.restore_widget(key, value)
    confidence, duration = st.columns(2)
    min_confidence = confidence.slider(
        "Minimum confidence",
        0.0,
        1.0,
        step=0.05,
        key=_CONFIDENCE_KEY,
        help="Where the network's best guess is less probable than this, the timeline says unknown. The probability is "
        "the network's own, unless it is calibrated; it is not the chance of being right.",
    )
    min_duration_s = duration.slider(
        "Minimum duration",
        0.0,
        10.0,
        step=0.25,
        format="%.2f s",
        key=_DURATION_KEY,
        help="Shorter actions are not counted: between two stretches of one other action they become that action, "
        "elsewhere unknown.",
    )
    tab.thresholds = (min_confidence, min_duration_s)
    return tab.thresholds


def choose_brief(timeline: Timeline) -> bool:
    """Draw the control that shows who was there for a moment, where there is anybody; returns whether it is on."""
    brief = len(timeline.brief_ids)
    if not brief:
        return True
    tab = state.tab()
    state.restore_widget(_BRIEF_KEY, tab.shows_brief)
    tab.shows_brief = st.toggle(
        f"Show {people(brief)} seen for under {BRIEF_S:g} s",
        key=_BRIEF_KEY,
        help="Mostly passers-by, and what the detector took for a person for a moment. They are left out of the chart, "
        "the tables and the count above; the downloads and the annotated video always have them.",
    )
    return tab.shows_brief


def draw_swimlane(timeline: Timeline, segments: Sequence[Segment], key: str) -> None:
    """Draw the timeline of each person in the page's theme."""
    figure = plots.swimlane(timeline, segments, palette(), dark=is_dark())
    show_chart(figure, key, "Timeline: who does what, when")


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


def _downloads(run: Run, min_confidence: float, min_duration_s: float) -> None:
    timeline = run.timeline
    name = Path(run.video_name).stem
    row = st.container(horizontal=True)
    row.download_button(
        "Timeline as CSV",
        lambda: export.segments_csv(timeline, timeline.segments(min_confidence, min_duration_s)),
        f"{name}.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
        help="One row a segment, with the thresholds above, of everyone. Opens in every spreadsheet and statistics "
        "program.",
    )
    row.download_button(
        "Everything as JSON",
        lambda: export.timeline_json(timeline, min_confidence=min_confidence, min_duration_s=min_duration_s),
        f"{name}.json",
        "application/json",
        on_click="ignore",
        icon=":material/download:",
        help="Settings, versions, who was there when, and the five best labels of every clip.",
    )


def _tables(run: Run, timeline: Timeline, segments: Sequence[Segment]) -> None:
    who, how_long, all_segments = st.tabs(["Who appeared when", "Time per action", "All segments"])
    with who:
        st.dataframe(export.appearances_table(timeline), hide_index=True, width="stretch")
    with how_long:
        if segments:
            figure = plots.time_per_action(timeline, segments, palette(), dark=is_dark())
            show_chart(figure, f"time-per-action-{run.run_id}", "Time per action: how long each person did what")
        st.dataframe(export.time_per_action_table(timeline, segments), hide_index=True, width="stretch")
    with all_segments:
        chosen = st.dataframe(
            export.segments_table(timeline, segments),
            hide_index=True,
            width="stretch",
            on_select="rerun",
            selection_mode="single-row",
            key="segments",
        )
        if run.video_path.is_file():  # of a camera there is one only where it was recorded
            st.caption("Choose a row to start the annotated video there.")
        rows = chosen["selection"]["rows"]
        if rows and rows[0] < len(segments) and segments[rows[0]].start_s != state.tab().jump_s:
            state.tab().jump_s = segments[rows[0]].start_s
            st.rerun()


def _annotated_video() -> None:
    tab = state.tab()
    run = tab.run
    if run is None:
        return
    if run.timeline.video.sha256 is None:
        _recording(run)
        return
    st.subheader("Annotated video")
    if not run.video_path.is_file():
        st.info("The video itself is no longer kept here; drop it in again to see it annotated.")
        return
    rendering = tab.rendering
    if rendering is None or rendering.run_id != run.run_id:
        if run.timeline.analysed_s > DRAWN_UNASKED_S and not st.button("Draw the annotated video"):
            return
        rendering = _start_rendering(run)
    if not rendering.job.finished:
        _drawing()
        return
    if rendering.job.error is not None:
        st.error(sentence(rendering.job.error))
    elif rendering.job.result is not None and rendering.job.result.is_file():
        _player(run, rendering.job.result)
    _offer_again()


def _recording(run: Run) -> None:
    """A camera's picture was annotated as it was recorded, if it was recorded."""
    if run.video_path.is_file():
        st.subheader("Recording")
        _player(run, run.video_path)


def _start_rendering(run: Run) -> state.Rendering:
    tab = state.tab()
    job = start_rendering(services(), run, palette(), *tab.thresholds)
    tab.rendering = state.Rendering(job, run.run_id, tab.thresholds)
    return tab.rendering


def _player(run: Run, path: Path) -> None:
    st.video(str(path), start_time=int(state.tab().jump_s), width=PLAYER_WIDTH_PX)
    st.download_button(
        "Annotated video (MP4)",
        path.read_bytes,
        f"{Path(run.video_name).stem}-annotated.mp4",
        "video/mp4",
        on_click="ignore",
        icon=":material/download:",
    )


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
