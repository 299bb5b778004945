"""A player of a stored video. See docs/decisions/115-previews-from-our-own-address.md."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.parts import component_files

_ADDRESS: Final = "recognizer/play"
"""Where the server answers, relative to the app's address (``workbench/routes.py``)."""

_HTML: Final = '<video controls preload="metadata"></video><div class="problem" role="alert" hidden></div>'


_draw = st.components.v2.component(
    "recognizer_player",
    html=_HTML,
    css=component_files.text("parts/player.css"),
    js=component_files.script("parts/player.js"),
)


def show_player(path: Path, name: str) -> None:
    """Draw a player of a file that browsers play.

    Args:
        path: the file. While it is the same, the player goes on where it is, however often the page is drawn.
        name: the video's name.
    """
    played = state.tab().players.play(path)
    server.played().add(played)
    file_name = quote(f"{Path(name).stem}{path.suffix}", safe="", errors="replace")
    data = {"path": f"{_ADDRESS}/{played.token}/{file_name}", "label": name}
    _draw(key="player", data=data, height="content")
