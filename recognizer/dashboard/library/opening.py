"""From the list of runs to the page that shows one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.address import ANALYSIS, COMPARISON
from recognizer.dashboard.parts.sidebar import adopt
from recognizer.dashboard.parts.video_card import restore_video
from recognizer.errors import SettingsError
from recognizer.service.runs import Run
from recognizer.settings import Settings, settings_from

_ANALYSE: Final = "pages/analyse.py"

_PAGES: Final = {"comparison": "pages/compare.py", "live": "pages/live.py"}

_AGAIN: Final = "Change the settings in the sidebar, then press **Analyse again**."

_GONE: Final = "This run is not on this machine any more; it was deleted."


def follow(wish: Mapping[str, Any]) -> None:
    """Go to the page that a visitor asked for in the list.

    Args:
        wish: ``page``: "analyse", "open" to see a run, or "again" to run it with other settings; and its ``id``.
    """
    if wish.get("page") == "analyse":
        st.switch_page(_ANALYSE)
    run = server.library().runs.load(str(wish.get("id", "")))
    if run is None or run.removed_at is not None:
        state.tab().problem = _GONE
        st.rerun()
    server.library().opened(run.run_id, run.video_file)
    if run.is_finished and not _has_result(run):
        _begin_again(run)
    if wish.get("page") == "again" and run.kind == "analysis":
        state.tab().hint = _AGAIN
    parameter = COMPARISON.parameter if run.kind == "comparison" else ANALYSIS.parameter
    st.switch_page(_PAGES.get(run.kind, _ANALYSE), query_params={parameter: run.result_id})


def _has_result(run: Run) -> bool:
    """Return whether opening a run shows a result, from which it can be run again."""
    context = server.context()
    if run.kind == "comparison":
        return context.comparisons.has(run.result_id)
    return context.workbench.analysis(run.result_id) is not None


def _begin_again(run: Run) -> NoReturn:
    """Go to the page with the video and settings of a run that has no result, and say why it has none."""
    tab = state.tab()
    restore_video(server.context().store.file_path(run.video_file), run.video_name, run.video_sha256)
    given = run.request.get("settings")
    settings = _settings(given[0] if isinstance(given, list) and given else given)
    if settings is not None:
        adopt(settings)
    tab.of_video.show(None)
    if run.problem:
        tab.problem = run.problem
    st.switch_page(_PAGES.get(run.kind, _ANALYSE))


def _settings(given: object) -> Settings | None:
    """Return the settings in a request; None if this version cannot use them."""
    if not isinstance(given, Mapping):
        return None
    try:
        return settings_from(given)
    except (SettingsError, TypeError):
        return None
