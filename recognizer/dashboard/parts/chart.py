"""Charts that keep their zoom: a new figure is drawn into the existing chart.

``st.plotly_chart`` replaces the whole chart for every new figure, and draws each twice. A chart of time can follow the
page's player: a line marks the current time, and a click moves the player.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from zlib import crc32

import streamlit as st

from recognizer.dashboard.streamlit_private import serve_folder
from recognizer.plots.config import NO_CLOUD
from recognizer.plots.layout import Figure
from recognizer.timeline.model import Timeline
from recognizer.types import VideoInfo

_CONFIG: Final = {
    **NO_CLOUD,
    "scrollZoom": False,
    "modeBarButtonsToRemove": [*NO_CLOUD["modeBarButtonsToRemove"], "lasso2d", "select2d"],
}
_PLOTLY_JS: Final = "plotly.min.js"

_PLAYER: Final = "followed-player"

_HTML: Final = """
<div style="position: relative">
    <div class="recognizer-chart" role="img"></div>
    <div class="recognizer-moment" hidden style="position: absolute; left: 0; width: 2px; margin-left: -1px;
        pointer-events: none; will-change: transform"></div>
</div>
"""

_JS: Final = files(__package__).joinpath("chart.js").read_text("utf-8")

_draw = st.components.v2.component("recognizer_chart", html=_HTML, js=_JS, isolate_styles=False)


def is_dark() -> bool:
    """Return whether the page is shown in dark colours."""
    return st.context.theme.type == "dark"


def aspect_of(video: VideoInfo) -> str:
    """Return width over height as CSS writes it."""
    return f"{video.width} / {video.height}" if video.width and video.height else "auto"


def player_begins_s(timeline: Timeline) -> float:
    """Return the timeline's time at the zero of the video that is played: a camera's recording has its own clock."""
    return timeline.reading.first_picture_s if timeline.video.sha256 is None else 0.0


@contextmanager
def followed_player(aspect: str = "auto") -> Iterator[None]:
    """Mark the player that is drawn in this block as the one that the page's charts follow; one per page.

    Args:
        aspect: width over height as CSS writes it, so that nothing moves when the video has loaded.
    """
    with st.container(key=_PLAYER):
        st.html(f"<style>.st-key-{_PLAYER} video {{ aspect-ratio: {aspect}; }}</style>")
        yield


def show_chart(
    figure: Figure, key: str, label: str, *, mode_bar: bool = True, follows: bool = False, player_begins_s: float = 0.0
) -> None:
    """Draw a figure at its layout's height and the full width.

    Args:
        figure: changed in place.
        key: names the chart. Figures with the same key share one chart and its zoom.
        label: what the chart shows, for screen readers.
        mode_bar: whether Plotly's buttons appear.
        follows: whether the chart marks the player's current time, and a click moves the player. Its horizontal axis
            is then the video's time, in seconds or as a date.
        player_begins_s: the video's time at the player's zero.
    """
    config = {**_CONFIG, **({} if mode_bar else {"displayModeBar": False})}
    library = _library()
    if library is None:
        st.plotly_chart(figure, theme=None, key=key, config=config)
        return
    _name_traces(figure)
    message = {
        "figure": figure,
        "config": config,
        "label": label,
        "library": library,
        "player": _player(follows),
        "playerBeginsS": player_begins_s,
    }
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # as bytes: Streamlit would escape text, and escape it again to hash it
    _draw(data=text.encode(), key=key, height=figure["layout"]["height"])


def _player(follows: bool) -> str | None:
    return f".st-key-{_PLAYER} video" if follows else None


def _library() -> str | None:
    """Return the address of the installed plotly.js, relative to the app's; None if Plotly came without it."""
    spec = find_spec("plotly")  # importing Plotly is slow, and its Python is not needed
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "package_data"
    if not (folder / _PLOTLY_JS).is_file():
        return None
    return f"{serve_folder('plotly', folder)}/{_PLOTLY_JS}?{version('plotly')}"


def _name_traces(figure: Figure) -> None:
    """Give each trace an id of its own, so that traces hidden in the legend stay hidden when the order changes."""
    seen: Counter[str] = Counter()
    for trace in figure["data"]:
        name = f"{trace['type']} {trace.get('name')}"
        trace["uid"] = f"trace{crc32(name.encode())}n{seen[name]}"  # alphanumeric: Plotly uses it as a CSS class
        seen[name] += 1
