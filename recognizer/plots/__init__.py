"""Charts of a timeline, for Plotly. They take a timeline and its segments and know no network and no page.

Each is imported when it is first used: Plotly takes a while to import, and the first page shows no chart.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recognizer.plots.confusion import confusion_matrix
    from recognizer.plots.evidence import Evidence
    from recognizer.plots.lanes import classifier_lanes
    from recognizer.plots.swimlane import swimlane
    from recognizer.plots.time_axis import LONG_VIDEO_S, time_on_axis
    from recognizer.plots.totals import time_per_action

__all__ = [
    "LONG_VIDEO_S",
    "Evidence",
    "classifier_lanes",
    "confusion_matrix",
    "swimlane",
    "time_on_axis",
    "time_per_action",
]

_MODULES = {
    "confusion": ("confusion_matrix",),
    "evidence": ("Evidence",),
    "lanes": ("classifier_lanes",),
    "swimlane": ("swimlane",),
    "time_axis": ("LONG_VIDEO_S", "time_on_axis"),
    "totals": ("time_per_action",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # over the module of the same name
    return value
