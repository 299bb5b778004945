"""Earlier analyses, comparisons and sets of actions, to open again.

Each browser remembers its own, so that nobody sees another person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Final, Literal

import streamlit as st

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ACTIONS, ANALYSIS, COMPARISON, Address
from recognizer.dashboard.parts import component_files, sign_in
from recognizer.dashboard.workbench.assets import modules_path
from recognizer.service.store import StoredSummary

_Kind = Literal["analyses", "comparisons", "sets"]

_MOST: Final = 100
"""As in ``memory.js``."""

_remember = st.components.v2.component("recognizer_history", js=component_files.script("parts/history.js"))


@guard.part
def remember_analysis(*, hears: bool = True) -> None:
    """Have the browser remember the analysis in the address, finished or not, and report its other ones.

    Args:
        hears: False if a report must not run the page again, for example while a camera is being opened.
    """
    _exchange("analyses", ANALYSIS.named(), hears=hears)


@guard.part
def remember_comparison() -> None:
    """Have the browser remember the comparison in the address, and report its other ones, its analyses and its sets."""
    _exchange("comparisons", COMPARISON.named())
    _exchange("analyses", None)
    _exchange("sets", None)


@guard.part
def remember_set(*, hears: bool = True) -> None:
    """Have the browser remember the set of actions in the address, and report its other ones.

    Args:
        hears: see ``remember_analysis``.
    """
    _exchange("sets", ACTIONS.named(), hears=hears)


def own_analyses() -> list[str]:
    """Return the ids of this browser's analyses, oldest first, as far as it has reported them."""
    return list(state.tab().history.own.get("analyses", []))


def own_sets() -> list[str]:
    """Return the ids of this browser's sets of actions, oldest first, as far as it has reported them."""
    return list(state.tab().history.own.get("sets", []))


def listed_sets() -> list[str]:
    """Return the ids of ``own_sets`` without those that this tab's user took off the list."""
    forgotten = state.tab().history.forgotten_sets
    return [set_id for set_id in own_sets() if set_id not in forgotten]


def forget_set(set_id: str) -> None:
    """Have the browser forget a set of actions; it stays stored, for analyses and addresses that need it."""
    history = state.tab().history
    history.forgotten_sets.append(set_id)
    history.own["sets"] = [one for one in own_sets() if one != set_id]


def recall_set(set_id: str) -> None:
    """Have the browser remember a set that it was to forget, if it was."""
    history = state.tab().history
    history.forgotten_sets = [one for one in history.forgotten_sets if one != set_id]


def know_set(set_id: str) -> None:
    """Count a set as one of this browser's until the browser reports them again."""
    own = state.tab().history.own.setdefault("sets", [])
    if set_id not in own:
        own.append(set_id)


def _exchange(kind: _Kind, named: str | None, *, hears: bool = True) -> None:
    known = state.tab().history.own.get(kind, []) if hears else None
    forgotten = state.tab().history.forgotten_sets if kind == "sets" else []
    if known is not None:
        known = [name for name in known if name not in forgotten]
    data = {
        "kind": kind,
        "named": named,
        "known": known,
        "forgotten": forgotten,
        "modules": modules_path(),
        "person": sign_in.person(),
    }
    _remember(data=data, key=f"own-{kind}", on_names_change=guard.callback(partial(_hear, kind)), height=0)


def _hear(kind: _Kind) -> None:
    names = state.widget(f"own-{kind}").get("names")
    if isinstance(names, list):
        state.tab().history.own[kind] = [name for name in names if isinstance(name, str)][-_MOST:]


@guard.part
def offer_earlier_analysis() -> None:
    """Draw a choice of this browser's other analyses, if there are any; choosing one opens it."""
    analyse = state.tab().analyse
    if analyse.job is not None:
        return
    others = _others("analyses", analyse.shown.analysis_id if analyse.shown is not None else None)
    _offer("Open an earlier analysis", server.context().store.stored_analyses(others), ANALYSIS)


@guard.part
def offer_earlier_comparison() -> None:
    """Draw a choice of this browser's other comparisons, if there are any; choosing one opens it."""
    compare = state.tab().compare
    if compare.job is not None:
        return
    others = _others("comparisons", compare.shown.comparison_id if compare.shown is not None else None)
    _offer("Open an earlier comparison", server.context().comparisons.stored_comparisons(others), COMPARISON)


def _others(kind: _Kind, shown: str | None) -> list[str]:
    return [name for name in state.tab().history.own.get(kind, []) if name != shown]


def _offer(label: str, stored: Sequence[StoredSummary], address: Address) -> None:
    if not stored:
        return
    tab = state.tab()
    by_id = {one.item_id: one for one in stored}
    chosen: str | None = st.selectbox(
        label,
        list(by_id),
        index=None,
        key=f"earlier-{tab.history.choices}",
        format_func=lambda stored_id: f"{by_id[stored_id].name}, {local_time(by_id[stored_id].created_at)}",
        placeholder=f"{len(by_id)} made in this browser",
        width=480,
    )
    st.page_link("pages/library.py", label="Everything is in the library", icon=":material/video_library:")
    if chosen is not None:
        tab.history.choices += 1  # the next field has another key and no choice
        tab.problem = None
        address.open(chosen)
        st.rerun()


def local_time(time: datetime) -> str:
    """Return a time as text, in the browser's time zone."""
    offset_min = st.context.timezone_offset
    if offset_min is not None:
        time = time.astimezone(timezone(-timedelta(minutes=offset_min)))
    return f"{time:%d %b %Y, %H:%M}"
