"""The search over all videos of a batch: every bout of an action that is long and sure enough, with a link to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from recognizer.batch.findings import BoutOrder, BoutQuery, Findings
from recognizer.batch.places import Batch
from recognizer.batch.tally import video_time
from recognizer.dashboard import guard
from recognizer.dashboard.batches.budgets import chosen_findings
from recognizer.dashboard.batches.opening import link_to
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.export.csv_file import rows_csv
from recognizer.export.table import Column

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_MOST_ROWS: Final = 500

_ORDERS: Final[dict[BoutOrder, str]] = {"longest": "Longest first", "surest": "Most probable first", "video": "Video"}

_COLUMNS: Final = (
    Column("result", str, "the video's result, as in the manifest"),
    Column("id", str, "the video"),
    Column("group", str, "the user's group"),
    Column("person_id", int, "1, 2, … within the video"),
    Column("start_s", float, "start, in seconds from the start of the video", 3),
    Column("end_s", float, "end, in seconds", 3),
    Column("duration_s", float, "end_s - start_s", 3),
    Column("confidence", float, "mean probability of the label, 0 to 1", 4),
)


@guard.part
def draw_search(batch: Batch) -> None:
    """Draw what is looked for, and what was found."""
    findings = chosen_findings(batch)
    query = _choose(batch, findings)
    if query is None:
        st.caption("Choose an action: each time that somebody does it is listed, and a click shows it.")
        return
    found = findings.bouts(query)
    if not found.num_rows:
        st.caption("No bout fits; ask for shorter or less probable ones.")
        return
    first = found.slice(0, _MOST_ROWS)
    st.dataframe(
        _table(batch, first),
        hide_index=True,
        width="stretch",
        column_config={
            "Show": st.column_config.LinkColumn(display_text="Show", help="Opens the moment in another tab.", width=60),
            **{title: st.column_config.NumberColumn(format="%.1f") for title in ("From (s)", "To (s)", "Length (s)")},
            "Probability": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    row = st.container(horizontal=True, vertical_alignment="center")
    offer_download(
        row,
        "All of them (CSV)",
        lambda: rows_csv(_COLUMNS, (tuple(one.values()) for one in found.to_pylist())),
        f"{batch.name}-{query.action}.csv",
        "text/csv",
        "One row per bout.",
    )
    row.caption(_said(found, first.num_rows))


def _choose(batch: Batch, findings: Findings) -> BoutQuery | None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    action = row.selectbox(
        "Action", findings.actions, index=None, placeholder="Type a name", key=f"bout-{batch.batch_id}", width=240
    )
    length_s = row.number_input(
        "At least (s)", 0.0, value=0.0, step=0.5, format="%.1f", key=f"bout-s-{batch.batch_id}", width=130
    )
    confidence = row.number_input(
        "Probability from", 0.0, 1.0, 0.0, step=0.05, format="%.2f", key=f"bout-p-{batch.batch_id}", width=150
    )
    groups = [group for group in findings.groups if group]
    chosen = (
        row.multiselect("Groups", groups, key=f"bout-groups-{batch.batch_id}", placeholder="All groups", width=200)
        if groups
        else []
    )
    order: BoutOrder = row.selectbox(
        "Order", list(_ORDERS), format_func=lambda one: _ORDERS[one], key=f"bout-order-{batch.batch_id}", width=180
    )
    return None if action is None else BoutQuery(action, length_s, confidence, tuple(chosen), order)


def _table(batch: Batch, found: pa.Table) -> pd.DataFrame:
    import pandas as pd

    rows = found.to_pylist()
    table = pd.DataFrame(
        {
            "Show": [link_to(batch, one["video"], one["person_id"], one["start_s"]) for one in rows],
            "Video": [one["id"] for one in rows],
            "Group": [one["group"] for one in rows],
            "Person": [one["person_id"] for one in rows],
            "From (s)": [one["start_s"] for one in rows],
            "To (s)": [one["end_s"] for one in rows],
            "Length (s)": [one["duration_s"] for one in rows],
            "Probability": [one["confidence"] for one in rows],
        }
    )
    return table if table["Group"].any() else table.drop(columns="Group")


def _said(found: pa.Table, shown: int) -> str:
    import pyarrow.compute as pc

    count, total_s = found.num_rows, pc.sum(found["duration_s"]).as_py()
    first = f"The first {shown:,} of " if shown < count else ""
    return f"{first}{count:,} {'bout' if count == 1 else 'bouts'}, {video_time(total_s)} in all."
