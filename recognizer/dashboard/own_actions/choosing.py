"""The choice of a set: this browser's own ones, new ones, and those from files."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.actions.model import MOST_TITLE_CHARS, ActionSet
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ACTIONS
from recognizer.dashboard.own_actions.words import counted
from recognizer.dashboard.parts import history
from recognizer.dashboard.parts.own_names import WIDTH_PX
from recognizer.dashboard.text import plain
from recognizer.errors import RecognizerError
from recognizer.service.action_sets import SetSummary
from recognizer.service.set_editing import FIRST_TITLE


def restore_from_address() -> None:
    """Show the set in the address; without one, the latest of this browser."""
    tab = state.tab()
    problem = ACTIONS.restore(tab.own_actions.set_id, _restore)
    if problem is not None:
        tab.own_actions.problem = problem
    if tab.own_actions.set_id is None:
        latest = server.context().own_actions.summaries(history.listed_sets()[::-1])
        if latest:
            _open(latest[0].set_id)


def shown_set() -> ActionSet | None:
    """Return the set that is shown; None if there is none, or it cannot be read: the tab's problem says why."""
    tab = state.tab().own_actions
    try:
        return None if tab.set_id is None else server.context().own_actions.load(tab.set_id)
    except RecognizerError as error:
        tab.problem = str(error)
        return None


def choose_set(shown: ActionSet | None) -> DeltaGenerator:
    """Draw the choice of a set, its title and what begins another; return the place for what else can be done."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    set_id = state.tab().own_actions.set_id
    if set_id is not None:
        _choose(row, set_id)
    if shown is not None:
        _rename(row, shown)
    row.button(
        "New set",
        icon=":material/add:",
        on_click=guard.callback(_begin),
        help="For other actions, or with another classifier.",
    )
    if set_id is not None:
        row.button(
            "Remove from my list",
            icon=":material/playlist_remove:",
            on_click=guard.callback(lambda: _remove(set_id)),
            help="Only from this browser's list: shared addresses and analyses that are named by the set keep it.",
        )
    _offer_return()
    return row


def _remove(set_id: str) -> None:
    tab = state.tab().own_actions
    (tab.removed,) = server.context().own_actions.summaries([set_id])
    tab.set_id, tab.problem = None, None
    history.forget_set(set_id)
    ACTIONS.name(None)


def _offer_return() -> None:
    removed = state.tab().own_actions.removed
    if removed is None:
        return
    line = st.container(horizontal=True, vertical_alignment="center")
    line.markdown(f"**{plain(removed.title)}** is no longer on this browser's list.", width="content")
    line.button(
        "Undo", icon=":material/undo:", key="own-actions-return", on_click=guard.callback(lambda: show(removed.set_id))
    )


def _restore(set_id: str) -> bool:
    found = bool(server.context().own_actions.summaries([set_id]))
    if found:
        state.tab().own_actions.set_id = set_id
    return found


def show(set_id: str) -> None:
    """Show another set, which is on the browser's list from now on."""
    tab = state.tab().own_actions
    tab.problem, tab.removed = None, None
    _open(set_id)


def _open(set_id: str) -> None:
    state.tab().own_actions.set_id = set_id
    history.recall_set(set_id)
    ACTIONS.name(set_id)


def _choose(place: DeltaGenerator, shown_id: str) -> None:
    ids = dict.fromkeys([*history.listed_sets()[::-1], shown_id])
    by_id = {one.set_id: one for one in server.context().own_actions.summaries(list(ids))}
    key = "own-actions-set"
    state.set_widget(key, shown_id)
    place.selectbox(
        "Set of actions",
        list(by_id),
        key=key,
        format_func=lambda set_id: _described(by_id[set_id]),
        on_change=guard.callback(lambda: show(state.widget(key))),
        width=WIDTH_PX,
    )


def _described(summary: SetSummary) -> str:
    facts = "empty"
    if summary.names or summary.examples:
        facts = f"{counted(len(summary.names), 'action')}, {counted(summary.examples, 'moment')}"
    return f"{summary.title} ({facts})"


def _rename(place: DeltaGenerator, shown: ActionSet) -> None:
    key = f"own-actions-title-{shown.set_id}"
    with place.popover("Title", icon=":material/edit:"):
        st.text_input(
            "Title of the set",
            shown.title,
            max_chars=MOST_TITLE_CHARS,
            key=key,
            on_change=guard.callback(
                lambda: tried(lambda: server.context().own_actions.set_title(shown.set_id, state.widget(key)))
            ),
        )


def _begin() -> None:
    own = server.context().own_actions
    titles = {one.title for one in own.summaries(history.own_sets())}
    number = next(k for k in range(1, len(titles) + 2) if _numbered(k) not in titles)
    tried(lambda: show(own.create(_numbered(number))))


def _numbered(number: int) -> str:
    return FIRST_TITLE if number == 1 else f"{FIRST_TITLE} {number}"


def tried(act: Callable[[], object]) -> None:
    """Change something, and keep the sentence about what went wrong."""
    tab = state.tab().own_actions
    try:
        act()
    except RecognizerError as error:
        tab.problem = str(error)
    else:
        tab.problem = None
