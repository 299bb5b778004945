"""What Plotly's charts offer around themselves, on the page and in the report."""

from __future__ import annotations

from typing import Any, Final

NO_CLOUD: Final[dict[str, Any]] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "modeBarButtonsToRemove": ["sendChartToCloud"],
}
"""Nothing leaves the machine; without a choice of ours a button offers to take the chart to Plotly's cloud."""
