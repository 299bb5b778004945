"""What starts an analysis: the video and the button; they make room once there is a result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard
from recognizer.dashboard.analyse import analysis, results
from recognizer.dashboard.parts import video_card
from recognizer.settings import Settings

_LESS_SPACE_CSS = """<style>
.stMainBlockContainer { padding-top: 3.9rem; }
.stMainBlockContainer > .stVerticalBlock { gap: 0.5rem; }
@media (min-width: 1100px) { .st-key-result-header { flex-wrap: nowrap; } } /* the caption wraps, not the buttons */
</style>"""


@dataclass(frozen=True)
class Controls:
    """Where the controls are.

    Attributes:
        row: the header of a result, which has the button; None if there is no result.
        place: the place for choosing a video.
    """

    row: DeltaGenerator | None
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
        row = results.draw_header()
        controls = Controls(row, row.popover("Another video", icon=":material/video_file:"))
    else:
        controls = Controls(None, st.container())
    with controls.place:
        yield controls


@guard.part
def offer_analysis(controls: Controls, settings: Settings) -> None:
    """Draw the current video, and the button that analyses it unless an analysis is running."""
    if controls.row is None:
        place, label = video_card.show_video(), "Analyse"
    else:
        place, label = controls.row, "Analyse again"
        with controls.place:
            video_card.show_facts()
    if place is None or not analysis.can_start():
        return
    kind: Literal["primary", "secondary"] = "primary" if controls.row is None else "secondary"
    if place.button(label, type=kind, icon=":material/play_arrow:"):
        analysis.start(settings)
