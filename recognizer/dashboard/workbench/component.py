"""The workbench on a page: mounts it, and takes over the thresholds that its sliders set.

What must be quick goes between the browser and the server's own addresses (``routes.py``), without a rerun of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final

import streamlit as st

from recognizer.dashboard import guard, state
from recognizer.dashboard.workbench.assets import modules_path
from recognizer.service.workbench import Kind

_HTML: Final = '<div class="workbench"></div>'


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


_mount = st.components.v2.component(
    "recognizer_workbench",
    html=_HTML,
    css=_text("workbench.css") + _text("lanes.css") + _text("editing.css"),
    js=_text("loader.js"),
    isolate_styles=True,
)


def show_workbench(
    item_id: str,
    revision: int,
    *,
    kind: Kind = "analysis",
    shown_filter: dict[str, Any] | None = None,
    goes_to: state.GoTo | None = None,
    on_edit: Callable[[], None] = lambda: None,
) -> None:
    """Draw the workbench of a stored analysis or comparison, with the thresholds of this browser tab.

    Args:
        item_id: the id of the analysis or comparison.
        revision: of its corrections and groups, or of a comparison's entries; with another one, the workbench reads
            everything again.
        kind: what it is.
        shown_filter: the chosen segments, as the workbench's addresses take it; None for all.
        goes_to: the moment to go to, if it is another one than before.
        on_edit: called before the page runs again because a correction was stored.
    """
    key = f"workbench-{item_id}"
    filters = state.tab().filters
    view = {
        "minConfidence": filters.min_confidence,
        "minDurationS": filters.min_duration_s,
        "showsBrief": filters.shows_brief,
        "filter": shown_filter,
    }
    _mount(
        key=key,
        data={
            "api": f"recognizer/{kind}/{item_id}/",
            "modules": modules_path(),
            "revision": revision,
            "view": view,
            "goTo": None if goes_to is None else {"number": goes_to.number, "timeS": goes_to.time_s},
        },
        on_view_change=guard.callback(lambda: adopt_view(state.widget(key).view)),
        on_edited_change=guard.callback(on_edit),
    )


def adopt_view(view: Mapping[str, Any] | None) -> None:
    """Make what the workbench's sliders were set to the thresholds of this browser tab."""
    if view is None:
        return
    filters = state.tab().filters
    filters.min_confidence = min(max(float(view["minConfidence"]), 0.0), 1.0)
    filters.min_duration_s = max(float(view["minDurationS"]), 0.0)
    filters.shows_brief = bool(view["showsBrief"])
