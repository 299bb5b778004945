"""Options of Plotly's charts, on the page and in the report."""

from __future__ import annotations

from typing import Any, Final

NO_CLOUD: Final[dict[str, Any]] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["sendChartToCloud"],
}
"""Nothing leaves the machine; by default, a button uploads the chart to Plotly's cloud."""
