"""Download buttons whose files are made when they are pressed.

Streamlit's own buttons can do so too, but it renumbers such a file with every run of the page, and deletes it when
anybody's run ends; a press in that moment is lost. Here a button's address stays the same for as long as its tab is
open. See docs/decisions/068-downloads-from-our-own-address.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.parts import component_files
from recognizer.dashboard.streamlit_private import page_is_being_drawn
from recognizer.service.offers import Offer

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_ADDRESS: Final = "recognizer/download"
"""Where the server answers, relative to the app's address (``workbench/routes.py``)."""

_HTML = '<button type="button"><span class="icon" aria-hidden="true"></span><span class="label"></span></button>' + (
    '<div class="problem" role="alert" hidden></div>'
)


_button = st.components.v2.component(
    "recognizer_download",
    html=_HTML,
    css=component_files.text("parts/downloads.css"),
    js=component_files.script("parts/downloads.js"),
)


def offer_download(
    place: DeltaGenerator,
    label: str,
    make: Callable[[], str | bytes | Path],
    file_name: str,
    mime: str,
    help_text: str | None = None,
    *,
    in_menu: bool = False,
) -> None:
    """Draw a button that downloads the file that ``make`` returns.

    What comes with the press counts, such as a field that was left by it: the page is drawn first.

    Args:
        place: where to draw it.
        label: its text.
        make: returns the file's content, or the path of a file that exists; called on another thread, once per press.
            The page shows a ``RecognizerError`` that it raises.
        file_name: the file's name in the browser.
        mime: the file's type.
        help_text: describes the file.
        in_menu: draw it as an entry of a menu.
    """
    offer = state.tab().downloads.renew(label, Offer(file_name, mime, make, page_is_being_drawn()))
    server.offers().add(offer)
    data = {
        "label": label,
        "path": f"{_ADDRESS}/{offer.token}/{quote(file_name, safe='')}",
        "name": file_name,
        "help": help_text or "",
        "inMenu": in_menu,
    }
    with place:
        _button(
            key=f"download-{label}-{file_name}", data=data, width="stretch" if in_menu else "content", height="content"
        )
