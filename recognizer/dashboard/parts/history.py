"""Earlier analyses and comparisons, to be opened again.

The browser remembers which are its own, so that nobody is shown another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from importlib.resources import files
from typing import Final, Literal

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.server import context
from recognizer.service.store import StoredSummary

_Kind = Literal["analyses", "comparisons"]

_MOST: Final = 100

_remember = st.components.v2.component(
    "recognizer_history", js=files(__package__).joinpath("history.js").read_text("utf-8")
)


def remember_analysis(*, hears: bool = True) -> None:
    """Have the browser remember the analysis in the address, be it finished or not, and hear which others it has.

    Args:
        hears: False where the page must not be drawn again for it, as while a camera is being opened.
    """
    _exchange("analyses", state.run_in_address(), hears=hears)


def remember_comparison() -> None:
    """The same of the comparison in the address."""
    _exchange("comparisons", state.comparison_in_address())


def _exchange(kind: _Kind, named: str | None, *, hears: bool = True) -> None:
    known = state.tab().own.get(kind, []) if hears else None
    data = {"kind": kind, "named": named, "known": known, "most": _MOST}
    _remember(data=data, key=f"own-{kind}", on_names_change=partial(_hear, kind), height=0)


def _hear(kind: _Kind) -> None:
    names = state.widget(f"own-{kind}").get("names")
    if isinstance(names, list):
        state.tab().own[kind] = [name for name in names if isinstance(name, str)][-_MOST:]


def offer_earlier_analysis() -> None:
    """Draw a choice of this browser's other analyses, if there are any; the one that is chosen is shown."""
    tab = state.tab()
    if tab.analysis is not None:
        return
    shown = tab.run.run_id if tab.run is not None else None
    chosen = _choice("Open an earlier analysis", context().store.stored_analyses(_others("analyses", shown)))
    if chosen is not None:
        tab.seen_runs.discard(chosen)
        tab.problem = None
        state.name_run_in_address(chosen)
        st.rerun()


def offer_earlier_comparison() -> None:
    """The same of this browser's other comparisons."""
    tab = state.tab()
    compare = tab.compare
    if compare.job is not None:
        return
    shown = compare.shown.comparison_id if compare.shown is not None else None
    chosen = _choice(
        "Open an earlier comparison", context().comparisons.stored_comparisons(_others("comparisons", shown))
    )
    if chosen is not None:
        tab.problem = None
        state.name_comparison_in_address(chosen)
        st.rerun()


def _others(kind: _Kind, shown: str | None) -> list[str]:
    return [name for name in state.tab().own.get(kind, []) if name != shown]


def _choice(label: str, kept: Sequence[StoredSummary]) -> str | None:
    if not kept:
        return None
    tab = state.tab()
    by_id = {one.item_id: one for one in kept}
    chosen: str | None = st.selectbox(
        label,
        list(by_id),
        index=None,
        key=f"earlier-{tab.opened}",
        format_func=lambda kept_id: f"{by_id[kept_id].video_name}, {_local(by_id[kept_id].created_at)}",
        placeholder=f"{len(by_id)} made in this browser",
        width=480,
    )
    if chosen is not None:
        tab.opened += 1  # the next choice has another key, and nothing is chosen in it
    return chosen


def _local(time: datetime) -> str:
    """In the browser's time zone."""
    offset_min = st.context.timezone_offset
    if offset_min is not None:
        time = time.astimezone(timezone(-timedelta(minutes=offset_min)))
    return f"{time:%d %b %Y, %H:%M}"
