"""The videos of a batch, a page of rows at a time: those that failed with the reason, and those that can be opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import streamlit as st

from recognizer.batch.messages import State
from recognizer.batch.places import Batch
from recognizer.batch.watching import Order, RowQuery, VideoRow, Watcher
from recognizer.dashboard import guard, state
from recognizer.dashboard.batches.known import progress_of
from recognizer.dashboard.batches.opening import link_to
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.text import for_visitors
from recognizer.export.csv_file import rows_csv
from recognizer.export.table import Column

if TYPE_CHECKING:
    import pandas as pd

_ROWS: Final = 200
"""Rows of a page: as many as a browser shows at once without delay."""

_COLUMNS: Final = (
    Column("id", str, "the user's id for the video, or the name of its file"),
    Column("group", str, "the user's group"),
    Column("state", str, "done, failed or waiting"),
    Column("video_s", float, "seconds of video", 3),
    Column("took_s", float, "seconds of work", 3),
    Column("speed", float, "times real time", 3),
    Column("people", int, "how many people were found"),
    Column("segments", int, "how many segments they have"),
    Column("error", str, "why there is no result"),
    Column("ended_at", str, "when it ended, UTC"),
)

_ORDERS: Final[dict[Order, str]] = {
    "id": "Name",
    "group": "Group",
    "latest": "Latest first",
    "longest": "Longest first",
    "slowest": "Slowest first",
}


@guard.part
def draw_videos(batch: Batch) -> None:
    """Draw what to show, the rows, and their download."""
    watcher = Watcher(batch)
    query = _choose(batch, watcher)
    found = watcher.count(query)
    if not found:
        st.caption(_none(query))
        return
    pages = -(-found // _ROWS)
    page = 1
    if pages > 1:
        page = st.number_input("Page", 1, pages, key=f"page-{batch.batch_id}-{query}", width=160)
    rows = watcher.rows(query, _ROWS, (page - 1) * _ROWS)
    st.dataframe(
        _table(batch, rows),
        hide_index=True,
        width="stretch",
        placeholder="–",
        column_config={
            "Open": st.column_config.LinkColumn(
                display_text="Open", help="Opens the results in another tab.", width=60
            ),
            "Length (s)": st.column_config.NumberColumn(format="%.1f"),
            "Times real time": st.column_config.NumberColumn(format="%.2f"),
            "Error": st.column_config.TextColumn(width="large" if query.state == "failed" else "medium"),
        },
    )
    row = st.container(horizontal=True, vertical_alignment="center")
    what = {"failed": "Failures (CSV)"}.get(query.state or "", "These videos (CSV)")
    offer_download(
        row, what, lambda: _csv(watcher, query), f"{batch.name}-videos.csv", "text/csv", "One row per video."
    )
    if pages > 1:
        row.caption(f"Videos {(page - 1) * _ROWS + 1:,} to {(page - 1) * _ROWS + len(rows):,} of {found:,}.")


def _none(query: RowQuery) -> str:
    """Return why there is no row: since a second try, no video of the chosen state may be left."""
    if query.text or query.group is not None:
        return "No video matches; clear the filters to see the others."
    return "No video matches." if query.state is None else f"No {query.state} video; choose *All* to see the others."


def _choose(batch: Batch, watcher: Watcher) -> RowQuery:
    """Draw which videos are shown, and return them."""
    key = f"state-{batch.batch_id}"
    state.restore_widget(key, "failed" if progress_of(batch).failed else "all")
    row = st.container(horizontal=True, vertical_alignment="bottom")
    # without counts: a label that changes while a command works would lose the choice
    shown: State | Literal["all"] | None = row.segmented_control(
        "State", ["all", *get_args(State)], format_func=str.capitalize, required=True, key=key
    )
    text = row.text_input("Name, group or error", key=f"text-{batch.batch_id}", width=240)
    groups = [group for group in watcher.groups() if group]
    group: str | None = None
    if groups:
        group = row.selectbox(
            "Group", groups, index=None, placeholder="All groups", key=f"group-{batch.batch_id}", width=180
        )
    order: Order = row.selectbox(
        "Order", list(_ORDERS), format_func=lambda one: _ORDERS[one], key=f"order-{batch.batch_id}", width=160
    )
    return RowQuery(None if shown == "all" else shown, text, group, order)


def _table(batch: Batch, rows: list[VideoRow]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        "Open": [link_to(batch, one.result) if one.state == "done" else None for one in rows],
        "Video": [one.id for one in rows],
        "Group": [one.group for one in rows],
        "State": [one.state for one in rows],
        "Error": [for_visitors(one.error) or None for one in rows],
        "Length (s)": [one.video_s or None for one in rows],
        "Times real time": [one.speed or None for one in rows],
        "People": pd.array([one.people if one.state == "done" else None for one in rows], "Int64"),
        "Segments": pd.array([one.segments if one.state == "done" else None for one in rows], "Int64"),
    }
    filled = {title for title, cells in columns.items() if any(not pd.isna(cell) and cell != "" for cell in cells)}
    return pd.DataFrame({title: cells for title, cells in columns.items() if title in filled})


def _csv(watcher: Watcher, query: RowQuery) -> str:
    return rows_csv(
        _COLUMNS,
        (
            (
                one.id,
                one.group,
                one.state,
                one.video_s,
                one.took_s,
                one.speed,
                one.people,
                one.segments,
                for_visitors(one.error),
                one.ended_at,
            )
            for one in watcher.rows(query)
        ),
    )
