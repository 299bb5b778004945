"""The classifiers' lanes: in the workbench, and in a chart beside the user's own labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from recognizer import plots
from recognizer.comparison.model import Comparison, Lane
from recognizer.comparison.scoring import Scored
from recognizer.dashboard import server, state
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.workbench.component import show_workbench
from recognizer.service.comparisons import StoredComparison
from recognizer.timeline.model import PersonTrack

MOST_PEOPLE_AT_FIRST = 4
"""Most people drawn beside the user's labels at first: the ones in view longest."""


def draw_workbench(shown: StoredComparison, comparison: Comparison) -> None:
    """Draw the video, its people, and one classifier's lane above another.

    Args:
        shown: the comparison.
        comparison: the part of it that is wanted.
    """
    compare = state.tab().compare
    drawn = compare.drawn
    if drawn is None or drawn.comparison_id != shown.comparison_id or _ran(drawn.comparison) != _ran(comparison):
        compare.drawn, compare.drawn_number = replace(shown, comparison=comparison), compare.drawn_number + 1
    assert compare.drawn is not None
    server.context().workbench.hold(compare.drawn)
    show_workbench(shown.comparison_id, compare.drawn_number, kind="comparison", goes_to=compare.goes_to)


def draw_beside_truth(shown: StoredComparison, comparison: Comparison, lanes: Sequence[Lane], scored: Scored) -> None:
    """Draw a chart for each chosen person: the user's labels, and below them each classifier's."""
    for person_id in _choose_people(_shown_people(comparison)):
        st.markdown(f"**Person {person_id}**")
        figure = plots.classifier_lanes(lanes, person_id, server.palette(), truth=scored.truth, dark=is_dark())
        label = f"Person {person_id}: each classifier's labels over time"
        show_chart(figure, f"lanes-{shown.comparison_id}-{person_id}", label)


def _ran(comparison: Comparison) -> list[tuple[str, int]]:
    return [(entry.name, id(entry.timeline)) for entry in comparison.finished]


def _shown_people(comparison: Comparison) -> tuple[PersonTrack, ...]:
    timeline = comparison.timeline
    if timeline is None:
        return ()
    return timeline.people if state.tab().filters.shows_brief else timeline.without_brief.people


def _choose_people(tracks: Sequence[PersonTrack]) -> list[int]:
    """Draw the choice of people if there are many, and return the numbers of the chosen ones."""
    everyone = [track.person_id for track in tracks]
    if len(everyone) <= MOST_PEOPLE_AT_FIRST:
        return everyone
    longest = sorted(tracks, key=lambda track: -track.present_s)[:MOST_PEOPLE_AT_FIRST]
    chosen = st.multiselect(
        "People",
        everyone,
        sorted(track.person_id for track in longest),
        format_func=lambda person_id: f"Person {person_id}",
        key="compare-people",
        help="Starts with the people in view longest. Tables and downloads include everyone.",
    )
    return sorted(chosen)
