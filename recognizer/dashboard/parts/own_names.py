"""The choice of a set of own actions, and of how its names are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from recognizer.actions.provenance import Mode
from recognizer.dashboard import guard, state
from recognizer.dashboard.text import plain
from recognizer.service.action_sets import SetSummary

Modes = Mapping[Mode, tuple[str, str]]
"""The name of each mode, and what it shows."""

WIDTH_PX: Final = 420

_NO_ID: Final = ""
"""Streamlit would take None for no choice at all."""


def choose_set(
    title: str,
    item_id: str,
    by_id: Mapping[str, SetSummary],
    chosen_id: str | None,
    choose: Callable[[str | None], None],
    *,
    no_set: str = "The network's labels",
) -> None:
    """Draw the choice of a set.

    Args:
        title: of the choice.
        item_id: identifies what is named.
        by_id: the sets.
        chosen_id: the chosen one; None for none.
        choose: called with another choice.
        no_set: the name of the choice of none.
    """
    key = f"own-set-{item_id}"
    state.set_widget(key, chosen_id or _NO_ID)
    st.radio(
        title,
        [_NO_ID, *by_id],
        key=key,
        format_func=lambda set_id: plain(by_id[set_id].title) if set_id else no_set,
        captions=["", *(_names(one) for one in by_id.values())],
        on_change=guard.callback(lambda: choose(state.widget(key) or None)),
        width=WIDTH_PX,
    )


def choose_mode(item_id: str, mode: Mode, modes: Modes, choose: Callable[[Mode], None]) -> None:
    """Draw the choice of how the names of a set are shown; ``choose`` is called with another choice."""
    key = f"own-mode-{item_id}"
    state.set_widget(key, mode)
    st.radio(
        "How they are shown",
        list(modes),
        key=key,
        format_func=lambda one: modes[one][0],
        captions=[caption for _, caption in modes.values()],
        on_change=guard.callback(lambda: choose(state.widget(key))),
        width=WIDTH_PX,
    )


def _names(one: SetSummary) -> str:
    shown = ", ".join(one.names[:6]) + (" …" if len(one.names) > 6 else "")
    return plain(shown) or "nothing taught yet"
