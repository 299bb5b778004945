"""Earlier analyses, to be opened again. The browser remembers which are its own, so that nobody is shown another's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Final

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.services import services
from recognizer.store import RunName

_KEY: Final = "history"

_MOST: Final = 100

_JS: Final = """
const PLACE = 'who-does-what-when.analyses';

function remembered() {
    try {
        const runs = JSON.parse(localStorage.getItem(PLACE));
        return Array.isArray(runs) ? runs.filter(run => typeof run === 'string') : [];
    } catch {
        return [];  // a browser that keeps nothing, or not what was put there
    }
}

export default function ({data, setStateValue}) {
    let runs = remembered();
    if (data.named && !runs.includes(data.named)) {
        runs = [...runs, data.named].slice(-data.most);
        try {
            localStorage.setItem(PLACE, JSON.stringify(runs));
        } catch (error) {
            console.warn(error);
        }
    }
    if (JSON.stringify(runs) !== JSON.stringify(data.known)) setStateValue('runs', runs);
}
"""

_remember = st.components.v2.component("recognizer_history", js=_JS)


def remember() -> None:
    """Have the browser remember the analysis in the address, be it finished or not, and hear which others it has."""
    data = {"named": state.run_in_address(), "known": state.tab().own_runs, "most": _MOST}
    _remember(data=data, key=_KEY, on_runs_change=_hear, height=0)


def _hear() -> None:
    runs = state.widget(_KEY).get("runs")
    if isinstance(runs, list):
        state.tab().own_runs = [run for run in runs if isinstance(run, str)][-_MOST:]


def offer_earlier() -> None:
    """Draw a choice of this browser's other analyses, if there are any; the one that is chosen is shown."""
    tab = state.tab()
    if tab.analysis is not None:
        return
    shown = tab.run.run_id if tab.run is not None else None
    names = {name.run_id: name for name in services().store.run_names(tab.own_runs) if name.run_id != shown}
    if not names:
        return
    chosen = st.selectbox(
        "Open an earlier analysis",
        list(names),
        index=None,
        key=f"earlier-{tab.opened}",
        format_func=lambda run_id: _told(names[run_id]),
        placeholder=f"{len(names)} made in this browser",
        width=480,
    )
    if chosen is not None:
        tab.opened += 1  # the next choice has another key, and nothing is chosen in it
        tab.seen_runs.discard(chosen)
        tab.problem = None
        state.name_run_in_address(chosen)
        st.rerun()


def _told(name: RunName) -> str:
    return f"{name.video_name}, {_local(name.created_at):%d %b %Y, %H:%M}"


def _local(time: datetime) -> datetime:
    """In the browser's time zone."""
    offset_min = st.context.timezone_offset
    return time if offset_min is None else time.astimezone(timezone(-timedelta(minutes=offset_min)))
