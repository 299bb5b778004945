"""Charts of a timeline and its segments, for Plotly. Needs no network and no page."""

from __future__ import annotations

from recognizer.plots.budgets import TimeSpent, time_budgets
from recognizer.plots.confusion import confusion_matrix
from recognizer.plots.lanes import classifier_lanes
from recognizer.plots.swimlane import swimlane
from recognizer.plots.time_axis import LONG_VIDEO_S, time_on_axis
from recognizer.plots.time_bins import time_in_bins
from recognizer.plots.totals import time_per_action
from recognizer.plots.transitions import MOST_TRANSITION_LABELS, transition_matrix

__all__ = [
    "LONG_VIDEO_S",
    "MOST_TRANSITION_LABELS",
    "TimeSpent",
    "classifier_lanes",
    "confusion_matrix",
    "swimlane",
    "time_budgets",
    "time_in_bins",
    "time_on_axis",
    "time_per_action",
    "transition_matrix",
]
