"""Tables and charts of an analysis: who does what for how long, in bins of time, after what, and with whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer import export, plots
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.named_run import named_run
from recognizer.dashboard.parts.number_columns import draw_numbers, number_columns
from recognizer.errors import capitalized
from recognizer.export import Content
from recognizer.export.rows import PEOPLE, SEGMENTS
from recognizer.export.summary_rows import BINS, BUDGET, TOGETHER, TRANSITIONS
from recognizer.export.table import Table
from recognizer.timeline import summaries
from recognizer.types import Segment

TABS_KEY: Final = "tables"
_SEGMENTS_KEY: Final = "segments"
_UNIT_KEY: Final = "transitions-unit"

_BINS_S: Final = (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0)
_MOST_BINS: Final = 2000
"""More bars than this are no chart that anybody reads; shorter bins are not offered."""

_BINS_AT_FIRST: Final = 20

_PLACE_KEY: Final = "summaries"
_PLACE_CSS: Final = f"<style>.st-key-{_PLACE_KEY} {{ min-height: 90vh; }}</style>"
"""Tabs differ in height: on a page that became shorter than where it is scrolled to, everything would jump."""

_COUNTS, _SHARES = "Counts", "Shares"


@guard.part
def draw_summaries(content: Content, analysis_id: str) -> None:
    """Draw a tab for each summary; only the open one is computed.

    Args:
        content: what is shown.
        analysis_id: names the charts, so that they keep their zoom.
    """
    draw: dict[str, Callable[[], None]] = {
        "Time per action": lambda: _budget(content, analysis_id),
        "In bins of time": lambda: _bins(content, analysis_id),
        "What follows what": lambda: _transitions(content, analysis_id),
        "At the same time": lambda: _together(content),
        "Who appeared when": lambda: _people(content),
        "All segments": lambda: _segments(content),
    }
    place = st.container(key=_PLACE_KEY)
    place.html(_PLACE_CSS)
    for tab, draw_one in zip(place.tabs(list(draw), key=TABS_KEY, on_change="rerun"), draw.values(), strict=True):
        # only the open one is made: for a long timeline, each takes as long as the chart at every change
        if tab.open:
            with tab:
                draw_one()


def _budget(content: Content, analysis_id: str) -> None:
    if content.segments:
        figure = plots.time_per_action(
            content.timeline, content.segments, server.palette(), dark=is_dark(), names=content.people_names
        )
        show_chart(figure, f"time-per-action-{analysis_id}", "Time per action: how long each person did what")
    _table(BUDGET, content)


def _bins(content: Content, analysis_id: str) -> None:
    lengths_s = [one for one in _BINS_S if content.end_s / one <= _MOST_BINS] or [_BINS_S[-1]]
    filters = state.tab().filters
    given_s = filters.bin_s if filters.bin_s in lengths_s else _fitting_bin_s(lengths_s, content.end_s)
    key = f"bin-s-{analysis_id}"
    state.restore_widget(key, given_s)
    filters.bin_s = st.selectbox("Length of a bin", lengths_s, format_func=_length, key=key, width=200)
    content = replace(content, bin_s=filters.bin_s)
    rows = summaries.in_bins(content.segments, content.timeline.people, content.bin_s, content.end_s)
    if rows:
        figure = plots.time_in_bins(content.timeline, content.segments, rows, server.palette(), dark=is_dark())
        show_chart(figure, f"bins-{analysis_id}", f"Time per action in bins of {_length(content.bin_s)}")
    _table(BINS, content)


def _fitting_bin_s(lengths_s: Sequence[float], end_s: float) -> float:
    return next((one for one in lengths_s if end_s / one <= _BINS_AT_FIRST), lengths_s[-1])


def _length(bin_s: float) -> str:
    return f"{bin_s:g} s" if bin_s < 60 else f"{bin_s / 60:g} min"


def _transitions(content: Content, analysis_id: str) -> None:
    found = summaries.transitions(content.segments)
    if not any(map(any, found.counts)):
        st.caption(f"No action follows another within {summaries.MAX_TRANSITION_GAP_S:g} s.")
        return
    state.restore_widget(_UNIT_KEY, _COUNTS)
    unit = st.segmented_control("Numbers", (_COUNTS, _SHARES), key=_UNIT_KEY, required=True)
    figure = plots.transition_matrix(found, as_shares=unit == _SHARES, dark=is_dark())
    show_chart(figure, f"transitions-{analysis_id}", "Transitions: which action follows which")
    if len(found.labels) > plots.MOST_TRANSITION_LABELS:
        st.caption(f"The picture has the {plots.MOST_TRANSITION_LABELS} most frequent actions; the table has all.")
    _table(TRANSITIONS, content)


def _together(content: Content) -> None:
    if len({one.person_id for one in content.segments}) < 2:
        st.caption("It takes two people with an action to do something at the same time.")
        return
    _table(TOGETHER, content)


def _people(content: Content) -> None:
    appearances = export.appearances_table(content.timeline, content.names)
    draw_numbers(appearances)
    _offer(PEOPLE, content)


def selected_row(content: Content) -> Segment | None:
    """Return the segment whose row is selected in the table of segments, and have the workbench go to a new one.

    Call this before the workbench is drawn.
    """
    analyse = state.tab().analyse
    rows = state.widget(_SEGMENTS_KEY)["selection"]["rows"] if state.has_widget(_SEGMENTS_KEY) else []
    row = rows[0] if rows and rows[0] < len(content.ordered) else None
    if row is None:
        analyse.selected_row = None
        return None
    segment: Segment = content.ordered[row]
    if row != analyse.selected_row:
        number = 1 if analyse.goes_to is None else analyse.goes_to.number + 1
        analyse.goes_to = state.GoTo(number, segment.person_id, segment.start_s)
        analyse.selected_row = row
    return segment


def _segments(content: Content) -> None:
    table = export.segments_table(content.timeline, content.ordered, content.names, content.checked)
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config=number_columns(table),
        on_select="rerun",
        selection_mode="single-row",
        key=_SEGMENTS_KEY,
        placeholder="–",
    )
    st.caption("Select a row to see it above, or to take it as a video of its own.")
    _offer(SEGMENTS, content)


def _table(table: Table, content: Content) -> None:
    meanings = {export.title_of(one): f"{capitalized(one.meaning)}." for one in table.columns}
    columns = {
        title: st.column_config.NumberColumn(help=meaning, format="%.2f")  # the same decimals in every row
        if title.endswith("(s)")
        else st.column_config.Column(help=meaning)
        for title, meaning in meanings.items()
    }
    if "Share" in columns:
        (share,) = (column for column in table.columns if column.name == "share")
        columns["Share"] = st.column_config.NumberColumn(help=f"{share.meaning}.", format="percent")
    st.dataframe(
        export.table_of(table, content), hide_index=True, width="stretch", column_config=columns, placeholder="–"
    )
    _offer(table, content)


def _offer(table: Table, content: Content) -> None:
    ending = ".csv" if table is SEGMENTS else f".{table.name}.csv"
    one = export.format_of(ending)
    place: DeltaGenerator = st.container()
    run = state.tab().analyse.shown
    stem = content.stem if run is None else named_run(run.analysis_id, run.video_name).file_stem
    offer_download(place, "This table (CSV)", lambda: one.write(content), f"{stem}{ending}", one.mime, table.meaning)
