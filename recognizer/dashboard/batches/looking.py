"""The tabs below a batch's progress: its videos, time per action, and the search for moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from recognizer.batch.places import Batch
from recognizer.batch.watching import is_at_work
from recognizer.dashboard import guard
from recognizer.dashboard.batches.bouts import draw_search
from recognizer.dashboard.batches.budgets import draw_budgets
from recognizer.dashboard.batches.videos import draw_videos

_EVERY_S: Final = 10.0
"""Interval at which the rows of a running batch are drawn; charts and searches wait until they are asked for."""

_TABS_KEY: Final = "batch-tabs"
_PLACE_KEY: Final = "batch-findings"
_PLACE_CSS: Final = f"""<style>
.st-key-{_PLACE_KEY} {{ min-height: 80vh; }}
.st-key-{_PLACE_KEY} [data-testid="stButtonGroup"] button {{ min-height: 2.5rem; }}
</style>"""
"""Tabs differ in height: on a page that became shorter than where it is scrolled to, everything would jump. Buttons are
as high as the fields beside them, and so are their labels."""


@guard.fragment()
def show_videos_and_findings(batch: Batch) -> None:
    """Draw a tab for each; only the open one is made."""
    draw: dict[str, Callable[[Batch], None]] = {
        "Videos": guard.fragment(run_every=_EVERY_S if is_at_work(batch.folder) else None)(draw_videos),
        "Time per action": draw_budgets,
        "Find moments": draw_search,
    }
    place = st.container(key=_PLACE_KEY)
    place.html(_PLACE_CSS)
    for tab, draw_one in zip(place.tabs(list(draw), key=_TABS_KEY, on_change="rerun"), draw.values(), strict=True):
        if tab.open:
            with tab:
                draw_one(batch)
