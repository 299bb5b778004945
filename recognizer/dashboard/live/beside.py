"""What goes on beside the camera's picture: the last minute of everybody, and how the stream runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from recognizer import plots
from recognizer.dashboard import state
from recognizer.dashboard.analyse.results import is_dark
from recognizer.dashboard.parts.chart import show_chart
from recognizer.dashboard.parts.sidebar import named
from recognizer.dashboard.server import palette
from recognizer.dashboard.text import plain, seconds, sentence

if TYPE_CHECKING:
    from recognizer.live import LiveStats
    from recognizer.live.stats import NamingStats
    from recognizer.timeline.model import Timeline

WINDOW_S = 60.0
"""How much of the past the timeline beside the picture shows."""

_SHORTEST_S = 10.0
"""The time axis is never shorter, so that the first seconds do not race."""

_SILENT_S = 3.0
"""A picture that is older is not live any more."""

_POLL_S = 1.0
_LEGEND_PX = 230


@st.fragment(run_every=_POLL_S)
def show_beside() -> None:
    """Draw the last minute and how the stream runs; does not touch the picture."""
    tab = state.tab()
    camera = tab.camera
    if camera is None:
        return
    if tab.feed is not None and tab.feed.problem is not None:
        st.warning(sentence(tab.feed.problem))
    stats = camera.stats()
    if stats is None:
        ended = camera.ended
        if ended is not None and ended.lost and ended.run.run_id != tab.camera_run_id:
            st.rerun()  # the whole page: it shows what was kept
        st.caption("Press Start, allow the camera, and the last minute of everybody's actions appears here.")
        return
    if camera.run_id != state.run_in_address():
        # a reload of the page finds this stream again, and an address is only set by a run of the whole page
        st.rerun()
    since_s = max(0.0, stats.time_s - WINDOW_S)
    timeline = camera.timeline(since_s=since_s)
    if timeline is None:
        return
    _tell_trouble(stats)
    said: dict[int, list[str]] = {}
    for one in camera.shown():
        said.setdefault(one.person_id, []).append(plain(one.text))
    people = " · ".join(f"**Person {person_id}** {', '.join(texts)}" for person_id, texts in said.items())
    st.markdown(people or "Nobody is in the picture.")
    _rolling_timeline(timeline, camera.min_confidence, stats.time_s, "camera-timeline")
    second = camera.second_timeline(since_s=since_s)
    if stats.second_classifier is not None and second is not None:
        st.caption(f"The same people, as {plain(stats.second_classifier)} sees them")
        _rolling_timeline(second, camera.min_confidence, stats.time_s, "camera-second-timeline")
    st.caption("  \n".join(_in_words(stats)))


def _tell_trouble(stats: LiveStats) -> None:
    if stats.silent_s > _SILENT_S:
        st.warning(
            f"No picture has come for {stats.silent_s:.0f} s: the browser's tab sleeps or the line is broken. What was "
            "seen is kept; press Stop, then Start, if it does not come back."
        )
    if stats.problem:
        st.warning(sentence(named(stats.problem)))


def _rolling_timeline(timeline: Timeline, min_confidence: float, now_s: float, key: str) -> None:
    figure = plots.swimlane(
        timeline, timeline.segments(min_confidence), palette(), dark=is_dark(), legend_width_px=_LEGEND_PX
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
    passed_over = _counted(stats.dropped_frames, "frame")
    lines = [
        f"**{stats.frames_per_s:.0f}** frames/s, drawn **{stats.delay_ms:.0f} ms** after they came, nearly all within "
        f"**{stats.delay_95_ms:.0f} ms**",
        f"People are looked for **{stats.followed_per_s:.0f}** times a second; {passed_over} passed over",
    ]
    if stats.second_naming is None:
        lines += _naming_in_words(stats.naming)
    else:
        lines += [f"{stats.classifier}: {line}" for line in _naming_in_words(stats.naming)]
        lines += [f"{stats.second_classifier}: {line}" for line in _naming_in_words(stats.second_naming)]
    if stats.left_out_frames:
        lines.append(f"{_counted(stats.left_out_frames, 'frame')} left out of the recording: the machine is busy")
    if stats.changing:
        lines.append("Loading the new settings; the ones before go on until then")
    return lines


def _naming_in_words(naming: NamingStats) -> list[str]:
    if naming.clip_ms is None or naming.behind_s is None:
        return []
    behind = seconds(naming.behind_s)
    lines = [f"**{naming.clip_ms:.0f} ms** to name a clip; a label is **{behind}** behind the picture"]
    if naming.joined_clips:
        joined = _counted(naming.joined_clips, "clip")
        lines.append(f"{joined} joined with the next while the classifier was busy; such a label covers a longer time")
    if naming.dropped_clips:
        lines.append(f"{_counted(naming.dropped_clips, 'clip')} passed over: try a quicker classifier")
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
