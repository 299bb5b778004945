"""Time per action over all videos of a batch: by group, or by video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import streamlit as st

from recognizer import plots
from recognizer.batch.findings import Findings, longest
from recognizer.batch.places import Batch
from recognizer.batch.watching import Watcher
from recognizer.dashboard import guard, server
from recognizer.dashboard.batches.known import findings_of
from recognizer.dashboard.batches.words import settings_names, videos
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.export.csv_file import rows_csv
from recognizer.export.table import Column

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_LANES: Final = 40
_ACTIONS_AT_FIRST: Final = 8
"""As many as the palette has colours without a pattern."""

_GROUPS, _VIDEOS = "By group", "By video"
_NO_GROUP: Final = "without a group"

_COLUMNS: Final = (
    Column("id", str, "the video, or empty for a whole group"),
    Column("group", str, "the user's group"),
    Column("action", str, "the label"),
    Column("time_s", float, "seconds of all people together", 3),
    Column("bouts", int, "how many segments"),
    Column("seen_s", float, "seconds in which people are in view, all together", 3),
)


@guard.part
def draw_budgets(batch: Batch) -> None:
    """Draw what to show, the chart, and the numbers."""
    import pyarrow.compute as pc

    findings = chosen_findings(batch)
    actions = findings.actions
    if not actions:
        st.caption("Nobody did anything that has a name yet.")
        return
    row = st.container(horizontal=True, vertical_alignment="bottom")
    has_groups = any(findings.groups)
    by = _GROUPS if has_groups else _VIDEOS
    if has_groups:
        by = row.segmented_control("Bars", (_GROUPS, _VIDEOS), default=by, required=True, key=f"by-{batch.batch_id}")
    chosen = row.multiselect(
        "Actions",
        actions,
        key=f"actions-{batch.batch_id}",
        placeholder=f"The {min(_ACTIONS_AT_FIRST, len(actions))} that took longest",
        width=420,
    )
    as_shares = row.toggle("Share of the time in view", key=f"shares-{batch.batch_id}")
    wanted = chosen or actions[:_ACTIONS_AT_FIRST]
    if by == _GROUPS:
        names = {group: ("", group) for group in findings.groups}
        sums = findings.by_group.filter(pc.field("action").isin(wanted))
        seen_s = findings.seen_by_group
    else:
        names = _chosen_videos(batch, findings)
        sums, seen_s = findings.by_video(names, wanted), findings.seen_by_video
    _draw_chart(batch, by, sums, names, seen_s, as_shares=as_shares)
    name = f"{batch.name}-{'groups' if by == _GROUPS else 'videos'}.csv"
    offer_download(
        st.container(), "These times (CSV)", lambda: _csv(sums, names, seen_s), name, "text/csv", "One row per action."
    )


def _draw_chart(
    batch: Batch,
    by: str,
    sums: pa.Table,
    names: Mapping[str, tuple[str, str]],
    seen_s: Mapping[str, float],
    *,
    as_shares: bool,
) -> None:
    import pyarrow.compute as pc

    lanes = longest(sums, _MOST_LANES)
    if not lanes:
        st.caption("Nobody did any of these.")
        return
    shown = sums.filter(pc.field("lane").isin(lanes)).to_pylist()
    figure = plots.time_budgets(
        [plots.TimeSpent(one["lane"], one["action"], one["time_s"]) for one in shown],
        {lane: names[lane][0] or names[lane][1] or _NO_GROUP for lane in lanes},
        seen_s,
        server.palette(),
        as_shares=as_shares,
        dark=is_dark(),
    )
    server.save_colours()
    show_chart(figure, f"budgets-{batch.batch_id}-{by}", f"Time per action, {by.lower()}")
    if len(lanes) == _MOST_LANES:
        st.caption(f"The chart has the {_MOST_LANES} bars with the most time; the download has all.")


def _csv(sums: pa.Table, names: Mapping[str, tuple[str, str]], seen_s: Mapping[str, float]) -> str:
    rows = (
        (*names[one["lane"]], one["action"], one["time_s"], one["bouts"], seen_s.get(one["lane"]))
        for one in sums.to_pylist()
    )
    return rows_csv(_COLUMNS, rows)


def _chosen_videos(batch: Batch, findings: Findings) -> dict[str, tuple[str, str]]:
    """Draw a choice of groups, and return id and group of their videos by result."""
    if len(findings.groups) < 2:
        return findings.videos()
    chosen = st.multiselect(
        "Groups",
        findings.groups,
        format_func=lambda group: group or _NO_GROUP,
        key=f"budget-groups-{batch.batch_id}",
        placeholder="All groups",
        width=420,
    )
    return findings.videos(chosen)


def chosen_findings(batch: Batch) -> Findings:
    """Return what was found; draw what is left out of it, and a choice of settings if videos have several."""
    findings = findings_of(batch)
    if findings.settings:
        recipes = Watcher(batch).recipes()
        names = settings_names({digest: recipes[digest] for digest in findings.settings})
        chosen = st.selectbox(
            "Settings",
            findings.settings,
            format_func=names.__getitem__,
            key=f"settings-{batch.batch_id}",
            help="Some videos were analysed with several settings. Each counts once: with these, or with the latest "
            "if it was not analysed with these.",
            width=420,
        )
        if chosen != findings.settings[0]:  # the latest, which count unless others are asked for
            findings = findings_of(batch, chosen)
    if findings.left_out:
        st.caption(f"{videos(findings.left_out)} that finished earlier are not counted yet.")
    return findings
