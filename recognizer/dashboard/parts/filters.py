"""Filters of predictions: minimum confidence and duration, and people who appeared only for a moment."""

from __future__ import annotations

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.text import people
from recognizer.timeline.model import BRIEF_S, Timeline

_CONFIDENCE_KEY = "min-confidence"
_DURATION_KEY = "min-duration"
_BRIEF_KEY = "shows-brief"


def adopt_thresholds(min_confidence: float, min_duration_s: float) -> None:
    """Show the next result with these thresholds; call this before the sliders are drawn."""
    filters = state.tab().filters
    filters.min_confidence, filters.min_duration_s = min_confidence, min_duration_s
    state.set_widget(_CONFIDENCE_KEY, min_confidence)
    state.set_widget(_DURATION_KEY, min_duration_s)


def thresholds() -> tuple[float, float]:
    """Return minimum confidence and minimum duration (s) from the sliders, wherever on the page they are drawn."""
    filters = state.tab().filters
    state.restore_widget(_CONFIDENCE_KEY, filters.min_confidence)
    state.restore_widget(_DURATION_KEY, filters.min_duration_s)
    filters.min_confidence = state.widget(_CONFIDENCE_KEY)
    filters.min_duration_s = state.widget(_DURATION_KEY)
    return filters.thresholds


def draw_thresholds() -> None:
    """Draw the two sliders."""
    confidence, duration = st.columns(2)
    confidence.slider(
        "Minimum confidence",
        0.0,
        1.0,
        step=0.05,
        key=_CONFIDENCE_KEY,
        help="Below this confidence the timeline says unknown. Unless it is calibrated, it is the network's own "
        "probability, which is not the chance of being right.",
    )
    duration.slider(
        "Minimum duration",
        0.0,
        10.0,
        step=0.25,
        format="%.2f s",
        key=_DURATION_KEY,
        help="Shorter actions are replaced by the action around them if it is the same on both sides, and by unknown "
        "otherwise.",
    )


def shows_brief(timeline: Timeline) -> bool:
    """Return whether to show people who appeared only for a moment; True if there are none."""
    if not timeline.brief_ids:
        return True
    filters = state.tab().filters
    state.restore_widget(_BRIEF_KEY, filters.shows_brief)
    filters.shows_brief = state.widget(_BRIEF_KEY)
    return filters.shows_brief


def draw_brief(timeline: Timeline) -> None:
    """Draw the switch that shows people who appeared only for a moment, if there are any."""
    brief = len(timeline.brief_ids)
    if brief:
        st.toggle(
            f"Show {people(brief)} seen for under {BRIEF_S:g} s",
            key=_BRIEF_KEY,
            help="Mostly passers-by and false detections. They are left out of the chart, the tables and the count "
            "above; downloads and the annotated video include them.",
        )
