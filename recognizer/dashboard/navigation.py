"""The pages of the app, and the one way into them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from recognizer.dashboard import state


def pages() -> list[StreamlitPage]:
    """All pages, in the order of the menu."""
    return [
        st.Page("pages/analyse.py", title="Analyse a video", icon=":material/movie:", default=True),
        st.Page("pages/compare.py", title="Compare classifiers", icon=":material/compare_arrows:"),
        st.Page("pages/live.py", title="Live camera", icon=":material/videocam:"),
    ]


def enter_through_app(page: str) -> None:
    """Begin the page of this name.

    Until ``app.py`` has run once, Streamlit takes the files in ``pages`` for an app of the old kind and runs the one
    that the address names by itself: then declare the pages, and begin again through ``app.py``.
    """
    if not state.came_through_app():
        st.navigation(pages())
        st.rerun()
    state.tab().page = page
