"""The pages of the app, and the one way into them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from recognizer.dashboard import state

_ICON = Path(__file__).resolve().parents[2] / "docs" / "icon.png"


def configure() -> None:
    """Name and icon of the app; before the pages are declared, whose named icons would be fetched from the internet."""
    st.set_page_config(
        page_title="Who does what, when",
        page_icon=_ICON,
        layout="wide",
        menu_items={"About": "Tells who does what, when, in a video. Free software under the AGPL-3.0."},
    )


def pages() -> list[st.Page]:
    """All pages, in the order of the menu."""
    return [
        st.Page("pages/analyse.py", title="Analyse a video", icon=":material/movie:", default=True),
        st.Page("pages/compare.py", title="Compare classifiers", icon=":material/compare_arrows:"),
        st.Page("pages/live.py", title="Live camera", icon=":material/videocam:"),
    ]


def enter_through_app(page: str, *, shows_camera: bool = False) -> None:
    """Begin the page of this name. A camera that runs ends where the page does not show it; its own shows what it saw.

    Until ``app.py`` has run once, Streamlit takes the files in ``pages`` for an app of the old kind and runs the one
    that the address names by itself: then declare the pages, and begin again through ``app.py``.
    """
    if not state.came_through_app():
        configure()
        st.navigation(pages())
        st.rerun()
    state.tab().page = page
    camera = state.tab().live.camera
    if camera is not None and camera.session is not None and not shows_camera:
        camera.end_soon()
