"""The filmstrips of a set, how good it is, questions and look-alikes on the page.

What must be quick goes between the browser and the server's own addresses (``routes.py``), without a rerun of the page.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import streamlit as st

from recognizer.dashboard.workbench.assets import modules_path

_HTML: Final = '<div class="own-actions"></div>'


_OWN: Final = files("recognizer.dashboard.own_actions")
_WORKBENCH: Final = files("recognizer.dashboard.workbench")


def _text(*places: Traversable) -> str:
    return "".join(place.read_text("utf-8") for place in places)


_mount = st.components.v2.component(
    "recognizer_own_actions",
    html=_HTML,
    css=_text(_WORKBENCH / "workbench.css", _WORKBENCH / "editing.css", _OWN / "own_actions.css"),
    js=_text(_OWN / "loader.js"),
    isolate_styles=True,
)


def show_actions(set_id: str, revision: int) -> None:
    """Draw the actions of a set.

    Args:
        set_id: the set.
        revision: with another one, the browser reads everything again.
    """
    data = {"api": f"recognizer/actions/{set_id}/", "modules": modules_path("own_actions"), "revision": revision}
    _mount(key=f"own-actions-{set_id.replace('_', '.')}", data=data)  # Streamlit refuses keys with two underscores
