"""The status next to the camera's picture: everyone's last minute, and how the stream runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import streamlit as st

from recognizer import plots
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ANALYSIS
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.parts.progress import unsaved_text
from recognizer.dashboard.text import plain, seconds, sentence

if TYPE_CHECKING:
    from recognizer.dashboard.state import LiveTab
    from recognizer.live.camera import TabCamera
    from recognizer.live.stats import LabelingStats, LiveStats
    from recognizer.timeline.model import Timeline

WINDOW_S = 60.0
"""The timeline next to the picture shows this much of the past."""

_SHORTEST_S = 10.0
"""Shortest time axis, so that the first seconds do not rush past."""

_LATE_S = 5.0
"""A label that takes longer is told of before it comes; until then, the figures of earlier labels would hold."""

_STOP_TAKES_S = 10.0
"""Whoever presses Stop closes the connection and tells the page, on a busy machine later; otherwise it broke."""

_SILENT_S = 3.0
"""An older picture is no longer live."""

_HOW_TO_BEGIN: Final = "Press Start and allow the camera; everyone's actions in the last minute appear here."
_HOW_TO_PLAY: Final = "Press Start; everyone's actions in the last minute appear here."

_WAITS: Final = "Waiting for a picture; everyone's actions in the last minute appear here."

_POLL_S = 1.0
_LEGEND_PX = 230


@guard.fragment(run_every=_POLL_S)
def show_status() -> None:
    """Draw the last minute and how the stream runs; leave the picture alone."""
    live = state.tab().live
    camera = live.camera
    if camera is None:
        return
    session = camera.session
    if session is None:
        _show_before_start(live, camera)
        return
    if session.analysis_id != ANALYSIS.named():
        # for a reload to find this session again; only a run of the whole page can set the address
        st.rerun()
    stream = session.stream
    stats = stream.stats()
    since_s = max(0.0, stats.time_s - WINDOW_S)
    if stats.problem:
        st.warning(sentence(state.tab().with_upload_names(stats.problem)))
    if session.unsaved_because is not None:
        st.caption(f":material/save: {sentence(unsaved_text(session.unsaved_because))}")
    labels: dict[int, list[str]] = {}
    for one in stream.overlay.shown():
        labels.setdefault(one.person_id, []).append(plain(one.text))
    people = " · ".join(f"**Person {person_id}** {', '.join(texts)}" for person_id, texts in labels.items())
    st.markdown(people or "Nobody is in the picture.")
    min_confidence = camera.controls.min_confidence
    said = stream.timeline(since_s=since_s)
    _rolling_timeline(stream.names.timeline(said), min_confidence, stats.time_s, "camera-timeline")
    if stream.names.problem is not None:
        st.info(sentence(stream.names.problem), icon=":material/label:")
    elif stream.names.are_chosen and stream.names.mode == "beside":
        st.caption(f"The same people, labelled by {plain(stats.classifier)}")
        _rolling_timeline(said, min_confidence, stats.time_s, "camera-network-timeline")
    other = stream.other_timeline(since_s=since_s)
    if stats.other_classifier is not None and other is not None:
        st.caption(f"The same people, labelled by {plain(stats.other_classifier)}")
        _rolling_timeline(other, min_confidence, stats.time_s, "camera-second-timeline")
    st.caption("  \n".join(_in_words(stats)))


def _show_before_start(live: LiveTab, camera: TabCamera) -> None:
    latest = camera.latest
    is_over = live.connected and not camera.is_waiting and camera.ended_for_s > _STOP_TAKES_S
    if latest is not None and is_over and live.feed is None:
        latest.call_lost()
    ended = latest.ended if latest is not None else None
    if ended is not None and ended.lost and ended.run.analysis_id != live.shown_session_id:
        st.rerun()  # rerun the whole page: it shows the stored session
    if not live.connected:
        st.caption(_HOW_TO_BEGIN if live.feed is None else _HOW_TO_PLAY)
    elif camera.is_waiting:
        st.caption(_WAITS)


@guard.fragment(run_every=_POLL_S)
def show_picture_problem() -> None:
    """Say why there is no picture, where it would be: the status is far below it on a phone."""
    live = state.tab().live
    camera = live.camera
    if camera is None:
        return
    problem = None if live.feed is None else live.feed.problem
    if camera.session is None:
        if problem is not None and camera.is_waiting:  # otherwise a session was lost, which is said already
            st.warning(sentence(problem))
    elif problem is not None:
        from recognizer.live.watchdog import GONE_AFTER_S

        ends = f"Everything so far is saved; the session ends after {GONE_AFTER_S:.0f} s without a picture."
        st.warning(f"{sentence(problem)} {ends}")
    elif (silent_s := camera.silent_s) > _SILENT_S:
        is_feed = live.feed is not None
        why = "the camera sends none" if is_feed else "the browser's tab is asleep or the connection was lost"
        st.warning(
            f"No picture for {silent_s:.0f} s: {why}. "
            "Everything so far is saved; if the picture does not come back, press Stop, then Start."
        )


def _rolling_timeline(timeline: Timeline, min_confidence: float, now_s: float, key: str) -> None:
    # the line of movement would take a fifteenth of a core once a second; the ended session shows it
    timeline = replace(timeline, camera=None)
    figure = plots.swimlane(
        timeline, timeline.segments(min_confidence), server.palette(), dark=is_dark(), legend_width_px=_LEGEND_PX
    )
    first_s = max(0.0, now_s - WINDOW_S)
    layout = figure["layout"]
    layout["uirevision"] = None
    layout["xaxis"] |= {
        "range": [plots.time_on_axis(timeline, t) for t in (first_s, max(now_s, _SHORTEST_S))],
        "autorange": False,
        "minallowed": None,
        "maxallowed": None,
    }
    show_chart(figure, key, "Timeline of the last minute: who does what, when", mode_bar=False)


def _in_words(stats: LiveStats) -> list[str]:
    skipped = _counted(stats.skipped_frames, "frame")
    lines = [
        f"**{stats.frames_per_s:.0f}** frames/s, drawn **{stats.delay_ms:.0f} ms** after arrival (95 % within "
        f"**{stats.delay_95_ms:.0f} ms**)",
        f"Detection runs **{stats.detections_per_s:.0f}** times a second; {skipped} skipped",
    ]
    if stats.other_labeling is None:
        lines += _labeling_in_words(stats.labeling)
    else:
        lines += [f"{stats.classifier}: {line}" for line in _labeling_in_words(stats.labeling)]
        lines += [f"{stats.other_classifier}: {line}" for line in _labeling_in_words(stats.other_labeling)]
    if stats.left_out_frames:
        left_out = _counted(stats.left_out_frames, "frame")
        lines.append(f"{left_out} left out of the recording because the machine is busy")
    if stats.changing:
        lines.append("Loading the new settings; until then the previous ones are in use")
    return lines


def _labeling_in_words(labeling: LabelingStats) -> list[str]:
    lines = []
    if labeling.clip_ms is not None and labeling.behind_s is not None:
        behind = seconds(labeling.behind_s)
        lines.append(f"**{labeling.clip_ms:.0f} ms** to classify a clip; a label is **{behind}** behind the picture")
    if labeling.waiting_s > max(_LATE_S, 2 * (labeling.behind_s or 0.0)):
        lines.append(f"A clip has waited **{seconds(labeling.waiting_s)}** for its label: the machine is busy")
    if labeling.joined_clips:
        joined = _counted(labeling.joined_clips, "clip")
        lines.append(f"{joined} joined with the next; such a label covers a longer time")
    if labeling.dropped_clips:
        lines.append(f"{_counted(labeling.dropped_clips, 'clip')} skipped: try a faster classifier")
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
