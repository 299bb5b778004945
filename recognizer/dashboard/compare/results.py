"""The result of a comparison: lanes, agreement, differences, scores, costs, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer import export
from recognizer.comparison.grouping import grouped, grouped_truth
from recognizer.comparison.model import CANCELLED, Comparison, Entry, Lane
from recognizer.comparison.scoring import Scored, score_lanes
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.compare.comparison import as_wanted
from recognizer.dashboard.compare.differences import show_differences
from recognizer.dashboard.compare.lanes import draw_workbench
from recognizer.dashboard.compare.own_names import draw_own_names, with_own_names
from recognizer.dashboard.compare.truth import choose_truth, show_scores
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.label_groups import Groupable, draw_groups
from recognizer.dashboard.parts.named_run import name_tab, named_run
from recognizer.dashboard.parts.number_columns import draw_numbers
from recognizer.dashboard.parts.unsaved import show_unsaved
from recognizer.dashboard.parts.video_card import draw_reading
from recognizer.dashboard.text import people, plain, sentence
from recognizer.export.report import COST_NOTE, KAPPA_NOTE, comparison_report
from recognizer.service.comparisons import StoredComparison
from recognizer.timeline.groups import LabelGroups


@guard.part
def show_results(wanted: Sequence[Entry]) -> None:
    """Draw the shown comparison.

    Args:
        wanted: the entries in the rows; others are not drawn.
    """
    compare = state.tab().compare
    shown = compare.shown
    if shown is None:
        return
    comparison = as_wanted(shown.comparison, wanted)
    if not comparison.entries:
        return
    st.subheader("Comparison" if compare.job is None else "The comparison so far")
    show_unsaved(shown.comparison_id, "comparison")
    for entry in comparison.entries:
        runs_again = compare.job is not None and entry.problem == CANCELLED
        if entry.problem is not None and not runs_again:
            st.warning(f"**{plain(entry.name)}** did not run: {sentence(entry.problem)}", icon=":material/block:")
    timeline = comparison.timeline
    if timeline is None:
        return
    count = len(timeline.people) - len(timeline.brief_ids)
    named = named_run(shown.comparison_id, shown.video.name)
    name_tab(named)
    st.caption(f"{plain(named.name)} · {people(count)} · {timeline.analysed_s:.1f} s")
    if named.remark:
        st.caption(plain(named.remark))
    for note in timeline.notes:
        st.info(plain(note), icon=":material/info:")
    draw_reading(timeline.reading)
    if not timeline.people:
        st.info("Nobody was found in this video.", icon=":material/person_off:")
        return
    _explore(shown, comparison)


@guard.fragment()
def _explore(shown: StoredComparison, comparison: Comparison) -> None:
    """Draw the workbench, tables and downloads; the sliders redraw only this part."""
    place, tools = st.container(), st.container(horizontal=True, vertical_alignment="center")
    ran = comparison
    own = with_own_names(shown, ran)
    draw_own_names(tools, shown, ran, own)
    groups = _choose_groups(tools, shown, own.comparison)
    comparison = grouped(own.comparison, groups)
    for note in own.notes:
        st.caption(plain(note))
    chosen_thresholds = state.tab().filters.thresholds
    lanes = comparison.lanes(*chosen_thresholds)
    truth = choose_truth(shown, lanes[0].timeline)
    scored = score_lanes(lanes, grouped_truth(truth, groups)) if truth is not None else None
    with place:
        draw_workbench(shown, comparison, scored.truth if scored is not None else (), groups)
    server.save_colours()
    _downloads(shown, comparison, lanes, chosen_thresholds, scored, groups)
    if scored is not None:
        show_scores(scored)
    if len(lanes) > 1:
        st.subheader("Agreement")
        draw_numbers(export.agreement_table(lanes, [track.person_id for track in comparison.people]))
        st.caption(KAPPA_NOTE)
        st.subheader("Where they differ")
        show_differences(shown, lanes)
    if ran.has_costs:
        st.subheader("Cost of each classifier")
        costs = export.cost_table(ran)
        draw_numbers(costs[costs["Clips"].notna()])  # the others have not run yet
        st.caption(COST_NOTE)


def _choose_groups(place: DeltaGenerator, shown: StoredComparison, comparison: Comparison) -> LabelGroups | None:
    """Draw the editor of label groups, and return those that are chosen."""
    workbench, comparison_id = server.context().workbench, shown.comparison_id
    groups = workbench.comparison_groups(comparison_id)
    timelines = tuple(entry.timeline for entry in comparison.entries if entry.timeline is not None)
    store = partial(workbench.set_comparison_groups, comparison_id)
    draw_groups(place, Groupable(comparison_id, timelines, groups, store))
    if groups is not None:
        place.caption(f"Everything here, downloads too, counts {plain(groups.in_words)}.")
    return groups


def _downloads(
    shown: StoredComparison,
    comparison: Comparison,
    lanes: Sequence[Lane],
    chosen_thresholds: tuple[float, float],
    scored: Scored | None,
    groups: LabelGroups | None,
) -> None:
    named = named_run(shown.comparison_id, shown.video.name)
    name = f"{named.file_stem}-compared"
    min_confidence, min_duration_s = chosen_thresholds
    row = st.container(horizontal=True)
    offer_download(
        row,
        "Segments as CSV",
        lambda: export.comparison_csv(lanes),
        f"{name}.csv",
        "text/csv",
        "One row per segment, with its classifier.",
    )
    offer_download(
        row,
        "Everything as JSON",
        lambda: export.comparison_json(
            comparison,
            min_confidence=min_confidence,
            min_duration_s=min_duration_s,
            scores=scored.scores if scored is not None else (),
            groups=groups,
        ),
        f"{name}.json",
        "application/json",
        "Each classifier's timeline, agreement, differences, scores and costs.",
    )
    offer_download(
        row,
        "Report (HTML)",
        lambda: comparison_report(
            comparison,
            named.name,
            server.palette(),
            min_confidence=min_confidence,
            min_duration_s=min_duration_s,
            scored=scored,
            groups=groups,
        ),
        f"{name}.html",
        "text/html",
        "Charts and tables in one file that works offline.",
    )
