"""Buttons that download what is made when they are pressed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Final

from streamlit import runtime

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_MOST_HELD: Final = 8
_LARGEST_HELD_BYTES: Final = 16_000_000
"""A larger file is on its way for so long that holding it on is no help: what is being sent stays anyway."""

_made = count()


def offer_download(
    place: DeltaGenerator,
    label: str,
    make: Callable[[], str | bytes],
    file_name: str,
    mime: str,
    help_text: str | None = None,
) -> None:
    """Draw a button that downloads what ``make`` gives. It is called on another thread, once for each press."""

    def make_and_hold() -> str | bytes:
        made = make()
        _hold(made.encode() if isinstance(made, str) else made, file_name, mime)
        return made

    place.download_button(
        label, make_and_hold, file_name, mime, on_click="ignore", icon=":material/download:", help=help_text
    )


def _hold(content: bytes, file_name: str, mime: str) -> None:
    """Keep the last files that were made until their browsers have fetched them.

    Streamlit throws a file away that was made for a download as soon as two runs of pages or fragments have ended,
    anybody's: while people watch their analyses that can be sooner than the browser asks for it. A file that is equal
    in content, type and name is the same to Streamlit, so one that is held here, in one of a few places, stays.
    """
    if runtime.exists() and len(content) <= _LARGEST_HELD_BYTES:
        place = f"held-{next(_made) % _MOST_HELD}"
        manager = runtime.get_instance().media_file_mgr
        manager.add(content, mime, place, file_name=file_name, is_for_static_download=True)
