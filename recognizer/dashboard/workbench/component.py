"""The workbench on a page: mounts it, and takes over the thresholds that its sliders set.

What must be quick goes between the browser and the server's own addresses (``routes.py``), without a rerun of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from recognizer.dashboard import guard, state
from recognizer.dashboard.parts.module_component import ModuleComponent
from recognizer.service.workbench import Kind

_WORKBENCH: Final = ModuleComponent(
    "workbench", "workbench", "workbench/workbench.css", "workbench/lanes.css", "workbench/editing.css"
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
    _WORKBENCH.show(
        {
            "api": f"recognizer/{kind}/{item_id}/",
            "revision": revision,
            "view": view,
            "goTo": None if goes_to is None else {"number": goes_to.number, "timeS": goes_to.time_s},
        },
        key=key,
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
