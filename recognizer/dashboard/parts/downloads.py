"""Buttons that download what is made when they are pressed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Final

from recognizer.dashboard.streamlit_private import hold_download

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_MOST_HELD: Final = 8
_MOST_HELD_OF_NOW: Final = 64
"""These are small, and while a slider is held down they come fast: the browser looks whether each is there."""

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
    *,
    now: bool = False,
) -> None:
    """Draw a button that downloads what ``make`` gives.

    Args:
        place: where it stands.
        label: what it says.
        make: gives the file; called on another thread, once for each press.
        file_name: what the browser calls it.
        mime: its type.
        help_text: what it is.
        now: ``make`` is quick and is called at once. Streamlit knows a file that is made when the button is pressed by
            another number after each run, and for a moment the browser asks for the old one in vain.
    """

    def make_and_hold() -> str | bytes:
        made = make()
        most = _MOST_HELD_OF_NOW if now else _MOST_HELD
        _hold(made.encode() if isinstance(made, str) else made, file_name, mime, most)
        return made

    place.download_button(
        label,
        make_and_hold() if now else make_and_hold,
        file_name,
        mime,
        on_click="ignore",
        icon=":material/download:",
        help=help_text,
    )


def _hold(content: bytes, file_name: str, mime: str, most: int) -> None:
    """Hold the last ``most`` files until their browsers have fetched them.

    Streamlit deletes a file that was made for a download as soon as two runs of pages or fragments have ended,
    anybody's. While other people watch their analyses, that can be before the browser asks for it.
    """
    if len(content) <= _LARGEST_HELD_BYTES:
        hold_download(content, mime, file_name, f"held-{next(_made) % most}-of-{most}")
