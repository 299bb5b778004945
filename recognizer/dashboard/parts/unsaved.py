"""A notice about what could not be saved: why, that it is kept, and a button that tries again."""

from __future__ import annotations

from typing import Final

import streamlit as st

from recognizer.dashboard import guard, server
from recognizer.dashboard.text import for_visitors, plain
from recognizer.service.kept_corrections import unsaved_id

_POLL_S: Final = 2.0


def show_unsaved(item_id: str, what: str) -> None:
    """Say that a result or its corrections are not saved; draw nothing if they are.

    Args:
        item_id: the analysis, session or comparison.
        what: what it is, such as "analysis".
    """
    with st.container():  # always there: the notice must not move what is below it to another place in the page's tree
        if _waiting(item_id, what):
            _show(item_id, what)


def _waiting(item_id: str, what: str) -> dict[str, str]:
    """Return what of an item waits to be saved, by the id under which it waits."""
    of_ids = {item_id: f"This {what}", unsaved_id(item_id): f"What you changed in this {what}"}
    unsaved = server.context().unsaved
    return {waiting_id: title for waiting_id, title in of_ids.items() if unsaved.problem(waiting_id) is not None}


@guard.fragment(run_every=_POLL_S)
def _show(item_id: str, what: str) -> None:
    waiting = _waiting(item_id, what)
    if not waiting:
        st.success(f"The {what} is saved now.", icon=":material/check:")
        return
    unsaved = server.context().unsaved
    for waiting_id, title in waiting.items():
        text, button = st.columns([5, 1], vertical_alignment="center")
        reason = plain(for_visitors(unsaved.problem(waiting_id) or ""))
        text.warning(
            f"{title} is not saved yet: {reason} It is complete below and can be downloaded. The server keeps it in "
            "memory until it ends, and saves it by itself as soon as it can.",
            icon=":material/save:",
        )
        button.button(
            "Save now",
            key=f"save-{waiting_id}",
            width="stretch",
            on_click=guard.callback(unsaved.save_now),
            args=(waiting_id,),
        )
