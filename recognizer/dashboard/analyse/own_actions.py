"""The choice of a set of own actions that names an analysis, and how."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.actions.provenance import Mode
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ACTIONS
from recognizer.dashboard.analyse import analysis
from recognizer.dashboard.parts import history
from recognizer.dashboard.parts.own_names import WIDTH_PX, Modes, choose_mode, choose_set
from recognizer.dashboard.parts.visitor import may_correct, refuse_looking
from recognizer.dashboard.text import plain, sentence, shortened
from recognizer.errors import RecognizerError, StoreError
from recognizer.service.opened import Opened
from recognizer.service.reruns import rerun_of
from recognizer.service.store import StoredAnalysis

_MODES: Final[Modes] = {
    "instead": (
        "Mine, else the network's",
        "One lane a person: your name where one fits, the network's label elsewhere.",
    ),
    "beside": ("Both, in two lanes", "Two lanes a person: yours, which you can correct, and the network's."),
    "only": ("Mine only", "One lane a person: your name where one fits, unknown elsewhere."),
}

_log = logging.getLogger(__name__)


def with_own_names(run: StoredAnalysis, opened: Opened) -> Opened:
    """Return an analysis of this browser as it is shown with the browser's latest set that names people in it.

    It is shown with that set from now on, unless its user has ever chosen what it is shown with.
    """
    own = server.context().own_actions
    try:
        if run.analysis_id not in history.own_analyses() or own.chosen(run.analysis_id).number:
            return opened
        if not may_correct(run.analysis_id):  # a browser remembers what a link led to
            return opened
        for one in reversed(own.summaries(history.own_sets())):
            if own.fit(one.set_id, run.analysis_id).fits and own.head(one.set_id) is not None:
                return own.choose(run.analysis_id, one.set_id)
    except StoreError as error:  # the result is worth more than its names
        _log.warning("an analysis is shown without choosing a set of own actions: %s", error)
    return opened


@guard.part
def draw_own_actions(place: DeltaGenerator, run: StoredAnalysis, opened: Opened) -> None:
    """Draw a popover with the choice of a set and of how its names are shown; a choice changes the whole page."""
    own = opened.own
    title = "My actions"
    if own is not None and own.problem is None:
        title = f"Named by {plain(shortened(own.actions.title, 24))}"
    with place.popover(title, icon=":material/label:"):
        st.caption(
            "Name what people do in your own words: click Select time below, drag over a stretch of somebody's lane, "
            "choose Teach and type a name. Everybody is named a moment later.",
            width=WIDTH_PX,
        )
        if server.context().own_actions.naming.space(run) is None:
            _offer_features(run)
        else:
            _choose_set(run, opened)
        if own is not None and own.problem is not None:  # above the picture it would push the lanes out of the window
            st.info(sentence(own.problem), icon=":material/label:", width=WIDTH_PX)
        st.page_link(
            "pages/my_actions.py",
            label="Open My actions",
            icon=":material/arrow_forward:",
            query_params=None if own is None else {ACTIONS.parameter: own.actions.set_id},
        )


def _offer_features(run: StoredAnalysis) -> None:
    """Say that nothing can be taught, and offer the analysis once more."""
    kept = run.timeline.settings.keep_features
    why = "without the features that names are taught with" if kept else "with Keep features off"
    st.info(f"This analysis was made {why}, so it has no names of your own.", icon=":material/info:", width=WIDTH_PX)
    try:
        rerun = rerun_of(server.context(), run)
    except RecognizerError as error:
        st.caption(sentence(str(error)), width=WIDTH_PX)
        return
    takes = "This is quick" if rerun.from_crops else "People are looked for again"
    tab = state.tab()
    can_start = analysis.can_start() and tab.video is not None and tab.video.file.path == run.video_path
    if can_start and st.button(
        "Analyse once more", icon=":material/replay:", help=f"{takes}, and your corrections stay."
    ):
        analysis.start(rerun.settings)


def _choose_set(run: StoredAnalysis, opened: Opened) -> None:
    own = server.context().own_actions
    chosen = own.chosen(run.analysis_id)
    if chosen.set_id is not None:
        history.know_set(chosen.set_id)  # the workbench may have made it, and it stays here when it is not chosen
    known = own.summaries(history.own_sets())
    fits = {one.set_id: own.fit(one.set_id, run.analysis_id) for one in known}
    by_id = {one.set_id: one for one in known if fits[one.set_id].fits or one.set_id == chosen.set_id}
    if by_id:
        choose_set("Names on this analysis", run.analysis_id, by_id, chosen.set_id, partial(_choose, run.analysis_id))
    if chosen.set_id is not None:
        choose_mode(run.analysis_id, chosen.mode, _MODES, partial(_choose, run.analysis_id, chosen.set_id))
    if opened.own is not None and opened.own.remark is not None:
        st.caption(plain(opened.own.remark), width=WIDTH_PX)
    for one in known:
        why = fits[one.set_id].why
        if why is not None:
            st.caption(plain(why), width=WIDTH_PX)
    if (problem := state.tab().analyse.own_actions_problem) is not None:
        st.error(sentence(problem), icon=":material/error:", width=WIDTH_PX)


def _choose(analysis_id: str, set_id: str | None, mode: Mode | None = None) -> None:
    analyse, own = state.tab().analyse, server.context().own_actions
    analyse.own_actions_problem = None
    try:
        refuse_looking(analysis_id)
        own.choose(analysis_id, set_id, mode or own.chosen(analysis_id).mode)
    except RecognizerError as error:
        analyse.own_actions_problem = str(error)
