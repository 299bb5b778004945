"""Download buttons whose files are made when they are pressed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Final

from recognizer.dashboard.streamlit_private import hold_download

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from recognizer.timeline.model import Timeline

_QUICK_PREDICTIONS: Final = 500
"""With up to this many predictions, CSV and JSON take milliseconds."""

_MOST_HELD: Final = 8
_MOST_HELD_OF_NOW: Final = 64
"""Files that are made at once are small, and numerous while a slider moves; the browser checks each of them."""

_LARGEST_HELD_BYTES: Final = 16_000_000
"""Larger files need not be held: Streamlit stores a file while it is being sent."""

_made = count()


def is_quick(*timelines: Timeline) -> bool:
    """Return whether a table of these timelines takes so few milliseconds that it can be made with every drawing."""
    return sum(len(timeline.predictions) for timeline in timelines) <= _QUICK_PREDICTIONS


def offer_download(
    place: DeltaGenerator,
    label: str,
    make: Callable[[], str | bytes],
    file_name: str,
    mime: str,
    help_text: str | None = None,
    *,
    now: bool = False,
    in_menu: bool = False,
) -> None:
    """Draw a button that downloads the file that ``make`` returns.

    Args:
        place: where to draw it.
        label: its text.
        make: returns the file; called on another thread, once per press.
        file_name: the file's name in the browser.
        mime: the file's type.
        help_text: describes the file.
        now: call ``make`` at once, because it is quick. For a file that is made when the button is pressed, Streamlit
            changes its number with every run, and for a moment the browser asks for the old one in vain.
        in_menu: draw it as an entry of a menu.
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
        icon=None if in_menu else ":material/download:",
        help=help_text,
        type="tertiary" if in_menu else "secondary",
    )


def _hold(content: bytes, file_name: str, mime: str, most: int) -> None:
    """Hold the last ``most`` files until their browsers have fetched them.

    Streamlit deletes a file that was made for a download as soon as any two runs of pages or fragments have ended,
    including other people's. While they watch their analyses, that can be before the browser asks for the file.
    """
    if len(content) <= _LARGEST_HELD_BYTES:
        hold_download(content, mime, file_name, f"held-{next(_made) % most}-of-{most}")
