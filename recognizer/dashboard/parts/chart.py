"""Charts that keep their zoom: a new figure is drawn into the existing chart.

``st.plotly_chart`` replaces the whole chart for every new figure, and draws each twice.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Final
from zlib import crc32

import streamlit as st

from recognizer.dashboard.parts import component_files
from recognizer.dashboard.parts.chart_route import library_address
from recognizer.plots.config import NO_CLOUD
from recognizer.plots.layout import Figure

_CONFIG: Final = {
    **NO_CLOUD,
    "scrollZoom": False,
    "modeBarButtonsToRemove": [*NO_CLOUD["modeBarButtonsToRemove"], "lasso2d", "select2d"],
}

_HTML: Final = '<div class="recognizer-chart" role="img"></div>'

_draw = st.components.v2.component(
    "recognizer_chart", html=_HTML, js=component_files.script("parts/chart.js"), isolate_styles=False
)


def is_dark() -> bool:
    """Return whether the page is shown in dark colours."""
    return st.context.theme.type == "dark"


def show_chart(figure: Figure, key: str, label: str, *, mode_bar: bool = True) -> None:
    """Draw a figure at its layout's height and the full width.

    Args:
        figure: changed in place.
        key: names the chart. Figures with the same key share one chart and its zoom.
        label: what the chart shows, for screen readers.
        mode_bar: whether Plotly's buttons appear.
    """
    config = {**_CONFIG, **({} if mode_bar else {"displayModeBar": False})}
    library = library_address()
    if library is None:
        st.plotly_chart(figure, theme=None, key=key, config=config)
        return
    _name_traces(figure)
    message = {"figure": figure, "config": config, "label": label, "library": library}
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # as bytes: Streamlit would escape text, and escape it again to hash it
    _draw(data=text.encode(), key=key, height=figure["layout"]["height"])


def _name_traces(figure: Figure) -> None:
    """Give each trace an id of its own, so that traces hidden in the legend stay hidden when the order changes."""
    seen: Counter[str] = Counter()
    for trace in figure["data"]:
        name = f"{trace['type']} {trace.get('name')}"
        trace["uid"] = f"trace{crc32(name.encode())}n{seen[name]}"  # alphanumeric: Plotly uses it as a CSS class
        seen[name] += 1
