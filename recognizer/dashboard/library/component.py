"""The list of runs on the page: it talks to the server's own addresses (``routes.py``), without a rerun of the page."""

from __future__ import annotations

from typing import Any, Final

from recognizer.dashboard import guard
from recognizer.dashboard.parts import sign_in
from recognizer.dashboard.parts.module_component import ModuleComponent

_LIBRARY: Final = ModuleComponent(
    "library",
    "library",
    "workbench/workbench.css",
    "workbench/editing.css",
    "workbench/note_line.css",
    "library/library.css",
)


def show_library() -> dict[str, Any] | None:
    """Draw the list; return what the visitor wants to open, or None."""
    data = {"api": "recognizer/library/", "person": sign_in.person()}
    shown = _LIBRARY.show(data, key="library", on_wish_change=guard.callback(lambda: None))
    wish = shown.get("wish")
    return wish if isinstance(wish, dict) else None
