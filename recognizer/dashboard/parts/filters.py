"""Filters of predictions that every page shares; the workbench has their sliders."""

from __future__ import annotations

from recognizer.dashboard import state


def adopt_thresholds(min_confidence: float, min_duration_s: float) -> None:
    """Show the next result with these thresholds."""
    filters = state.tab().filters
    filters.min_confidence, filters.min_duration_s = min_confidence, min_duration_s
