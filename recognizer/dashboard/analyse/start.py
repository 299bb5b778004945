"""The start of an analysis: the video and the button; they make room once there is a result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard, state
from recognizer.dashboard.analyse import analysis, results
from recognizer.dashboard.parts import video_card
from recognizer.service.estimates import Estimate
from recognizer.settings import Settings

_SHORT_VIDEO_S: Final = 60.0
"""A shorter video takes no time that anybody would want to know before."""

_LESS_SPACE_CSS = """<style>
.stMainBlockContainer { padding-top: 3.9rem; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.5rem; }
@media (min-width: 1100px) { .st-key-result-header { flex-wrap: nowrap; } } /* the caption wraps, not the buttons */
.st-key-result-header > :first-child { min-width: min(100%, 18rem); }
.st-key-result-header h3 { padding: 0 0 1rem; overflow-wrap: anywhere; } /* Streamlit draws 1rem over what follows */
</style>"""


@dataclass(frozen=True)
class Controls:
    """The places of the controls.

    Attributes:
        header: the header of a result, which has the button; None if there is no result.
        place: the place for choosing a video.
    """

    header: results.Header | None
    place: DeltaGenerator


def draw_title() -> DeltaGenerator:
    """Draw the page's title and introduction, and return their place, which a result takes over."""
    place = st.empty()
    with place.container():
        st.title("Who does what, when")
        st.markdown(
            "Drop in a video and get a timeline of actions for every person in it. Nothing leaves this machine."
        )
    return place


@contextmanager
def choosing(title: DeltaGenerator) -> Iterator[Controls]:
    """Yield the controls, with the place for choosing a video as the current one.

    The result of the current video gets the page: its header takes the place of the title, and the choice of another
    video folds into it.
    """
    if results.shows_current_video():
        title.empty()
        st.html(_LESS_SPACE_CSS)
        header = results.draw_header()
        controls = Controls(header, header.row.popover("Another video", icon=":material/video_file:"))
    else:
        controls = Controls(None, st.container())
    with controls.place:
        yield controls


@guard.part
def offer_analysis(controls: Controls, settings: Settings) -> None:
    """Draw the current video, and the button that analyses it unless an analysis is running."""
    if controls.header is None:
        place, label = video_card.show_video(), "Analyse"
    else:
        place, label = controls.header.row, "Analyse again"
        with controls.place:
            video_card.show_facts()
    if place is None or not analysis.can_start():
        return
    expected = analysis.expected(settings)
    text = _duration_text(expected)
    has_news = controls.header is None or _differ_from_shown(settings)
    kind: Literal["primary", "secondary"] = "primary" if has_news else "secondary"
    in_row = controls.header is not None
    if place.button(label, type=kind, icon=":material/play_arrow:", help=text if in_row else None):
        analysis.start(settings)
    elif controls.header is not None and has_news:
        controls.header.about.caption("The settings have changed: **Analyse again** uses them.")
    if text is None or in_row:
        return
    if expected is not None and expected.is_long:
        place.warning(text, icon=":material/hourglass:")
    else:
        place.caption(text)


def _differ_from_shown(settings: Settings) -> bool:
    shown = state.tab().analyse.shown
    return shown is not None and settings != shown.timeline.settings


def _duration_text(expected: Estimate | None) -> str | None:
    """Return how long the analysis will take, in words; None if that is not worth saying."""
    if expected is not None:
        return expected.text
    video = state.tab().video
    length_s = None if video is None else video.info.duration_s
    if length_s is not None and length_s < _SHORT_VIDEO_S:
        return None
    return "How long this takes here is known after a first analysis with these networks."
