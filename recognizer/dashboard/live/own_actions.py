"""Which set of own actions names the people in front of the camera, and how."""

from __future__ import annotations

from typing import Final

import streamlit as st

from recognizer.actions.provenance import Mode
from recognizer.dashboard import server
from recognizer.dashboard.parts import history
from recognizer.dashboard.text import plain

_MODES: Final[dict[Mode, str]] = {"instead": "Mine, else the network's", "beside": "Both", "only": "Mine only"}


def choose_names() -> tuple[str | None, Mode]:
    """Draw the choice, if this browser has sets; return the set, None for the network's labels, and the mode."""
    titles = {one.set_id: one.title for one in server.context().own_actions.summaries(history.own_sets()[::-1])}
    if not titles:
        return None, "instead"
    set_id = st.selectbox(
        "Names",
        list(titles),
        index=None,
        placeholder="The network's labels",
        key="camera-set",
        format_func=lambda one: plain(titles.get(one, "")),
        help="Name people's actions in your own words, with one of the sets of My actions. What you teach meanwhile "
        "counts at once.",
    )
    if set_id is None:
        return None, "instead"
    mode = st.radio(
        "How they are shown",
        list(_MODES),
        key="camera-set-mode",
        format_func=_MODES.__getitem__,
        horizontal=True,
        label_visibility="collapsed",
    )
    return set_id, mode or "instead"
