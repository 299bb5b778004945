"""The list of runs on the page: it talks to the server's own addresses (``routes.py``), without a rerun of the page."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import streamlit as st

from recognizer.dashboard import guard
from recognizer.dashboard.parts import sign_in
from recognizer.dashboard.workbench.assets import modules_path

_OWN: Final = files("recognizer.dashboard.library")
_WORKBENCH: Final = files("recognizer.dashboard.workbench")


def _text(*places: Traversable) -> str:
    return "".join(place.read_text("utf-8") for place in places)


_mount = st.components.v2.component(
    "recognizer_library",
    html='<div class="library"></div>',
    css=_text(_WORKBENCH / "workbench.css", _WORKBENCH / "editing.css", _OWN / "library.css"),
    js=_text(_OWN / "loader.js"),
    isolate_styles=True,
)


def show_library() -> dict[str, Any] | None:
    """Draw the list; return what the visitor wants to open, or None."""
    user = sign_in.user()
    data = {
        "api": "recognizer/library/",
        "modules": modules_path("library"),
        "person": "" if user is None else user.visitor_id,
    }
    shown = _mount(key="library", data=data, on_wish_change=guard.callback(lambda: None))
    wish = shown.get("wish")
    return wish if isinstance(wish, dict) else None
