"""The pages of the app, and the only way into them."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

from recognizer.dashboard import guard, state
from recognizer.dashboard.parts import refusals, sign_in

_HINT_CSS: Final = """<style>
[data-testid=stToastContainer] { top: auto !important; bottom: 1rem !important; }
</style>"""
"""At the upper edge, a hint covers the button that it speaks of."""

_ACCENT_CSS: Final = """<style>
.stApp :is([data-testid=stTab][aria-selected=true], [data-variant=segmented_control][aria-checked=true],
[data-testid=stSliderThumbValue]) { color: light-dark(#0F6B66, #4DB6AC) !important; }
</style>"""
"""In the dark theme, the accent is dark enough for white text on it, and so too dark for text in it."""

_ICON = Path(__file__).resolve().parents[2] / "docs" / "icon.png"


@cache
def _icon() -> str:
    """Return the icon as a data URL: as a file, it would need a sign-in."""
    return f"data:image/png;base64,{base64.b64encode(_ICON.read_bytes()).decode()}"


def configure() -> None:
    """Set the app's title and icon. Call this before declaring the pages, or their icons come from the internet."""
    st.set_page_config(
        page_title="Who does what, when",
        page_icon=_icon(),
        layout="wide",
        menu_items={"About": "Shows who does what, when, in a video. Free software under the AGPL-3.0."},
    )


def pages() -> list[st.Page]:
    """Return all pages in the order of the menu."""
    return [
        st.Page("pages/analyse.py", title="Analyse a video", icon=":material/movie:", default=True),
        st.Page("pages/compare.py", title="Compare classifiers", icon=":material/compare_arrows:"),
        st.Page("pages/library.py", title="Library", icon=":material/video_library:"),
        st.Page("pages/batches.py", title="Batches", icon=":material/dynamic_feed:"),
        st.Page("pages/my_actions.py", title="My actions", icon=":material/label:"),
        st.Page("pages/live.py", title="Live camera", icon=":material/videocam:"),
    ]


def run() -> None:
    """Run the page in the address; only ``app.py`` calls this."""
    with guard.page():
        page = st.navigation(pages(), position="sidebar" if sign_in.is_let_in() else "hidden")
        sign_in.require()
        state.tab().came_through_app = True
        st.html(_ACCENT_CSS)
        page.run()
        refusals.explain_refusals()
        st.html(_HINT_CSS)
        _give_hint()


def _give_hint() -> None:
    tab = state.tab()
    if tab.hint is not None:
        st.toast(tab.hint, icon=":material/lightbulb:", duration="long")
        tab.hint = None


def enter_through_app(page: str, *, shows_camera: bool = False) -> None:
    """Begin a page, and end the tab's camera unless the page shows it.

    Until a script calls ``st.navigation``, Streamlit treats the folder ``pages`` as an app of the old kind and runs the
    page's file without ``app.py``. In that case, declare the pages and begin again.

    Args:
        page: the page's name.
        shows_camera: whether the page shows the camera.
    """
    tab = state.tab()
    if not tab.came_through_app:
        configure()
        st.navigation(pages())
        st.rerun()
    tab.page = page
    camera = tab.live.camera
    if camera is not None and camera.session is not None and not shows_camera:
        camera.end_soon()
