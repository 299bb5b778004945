"""The filmstrips of a set, how good it is, questions and look-alikes on the page.

What must be quick goes between the browser and the server's own addresses (``routes.py``), without a rerun of the page.
"""

from __future__ import annotations

from typing import Final

from recognizer.dashboard.parts.module_component import ModuleComponent

_ACTIONS: Final = ModuleComponent(
    "own_actions",
    "actions",
    "workbench/workbench.css",
    "workbench/editing.css",
    "workbench/note_line.css",
    "own_actions/own_actions.css",
)


def show_actions(set_id: str, revision: int) -> None:
    """Draw the actions of a set.

    Args:
        set_id: the set.
        revision: with another one, the browser reads everything again.
    """
    _ACTIONS.show(
        {"api": f"recognizer/actions/{set_id}/", "revision": revision},
        key=f"own-actions-{set_id.replace('_', '.')}",  # Streamlit refuses keys with two underscores
    )
