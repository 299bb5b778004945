"""The pages of the app, and the one way into them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from recognizer.dashboard import state


def pages() -> list[StreamlitPage]:
    """All pages, in the order of the menu."""
    return [
        st.Page("pages/analyse.py", title="Analyse a video", icon=":material/movie:", default=True),
        st.Page("pages/live.py", title="Live camera", icon=":material/videocam:"),
    ]


def enter_through_app(*, shows_camera: bool = False) -> None:
    """Begin a page. A camera that runs ends where the page does not show it; its own page shows what it saw.

    Until ``app.py`` has run once, Streamlit takes the files in ``pages`` for an app of the old kind and runs the one
    that the address names by itself: then declare the pages, and begin again through ``app.py``.
    """
    if not state.came_through_app():
        st.navigation(pages())
        st.rerun()
    camera = state.tab().camera
    if camera is not None and camera.running and not shows_camera:
        camera.end_soon()
