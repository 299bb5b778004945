"""Which set of own actions names an analysis, and how."""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.actions.provenance import Mode
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ACTIONS
from recognizer.dashboard.analyse import analysis
from recognizer.dashboard.parts import history
from recognizer.dashboard.text import plain, sentence, shortened
from recognizer.errors import RecognizerError
from recognizer.service.action_sets import SetSummary
from recognizer.service.opened import Opened
from recognizer.service.reruns import rerun_of
from recognizer.service.store import StoredAnalysis

_MODES: Final[dict[Mode, tuple[str, str]]] = {
    "instead": (
        "Mine, else the network's",
        "One lane a person: your name where one fits, the network's label elsewhere.",
    ),
    "beside": ("Both, in two lanes", "Two lanes a person: yours, which you can correct, and the network's."),
    "only": ("Mine only", "One lane a person: your name where one fits, unknown elsewhere."),
}

_NO_SET: Final = "The network's labels"
_NO_ID: Final = ""
"""Streamlit would take None for no choice at all."""

_WIDTH_PX: Final = 420


def with_own_names(run: StoredAnalysis, opened: Opened) -> Opened:
    """Return an analysis of this browser as it is shown with the browser's latest set that names people in it.

    It is shown with that set from now on, unless its user has ever chosen what it is shown with.
    """
    own = server.context().own_actions
    if run.analysis_id not in history.own_analyses() or own.chosen(run.analysis_id).number:
        return opened
    for one in reversed(own.summaries(history.own_sets())):
        if own.fit(one.set_id, run.analysis_id).fits and own.head(one.set_id) is not None:
            return own.choose(run.analysis_id, one.set_id)
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
            width=_WIDTH_PX,
        )
        if server.context().own_actions.naming.space(run) is None:
            _offer_features(run)
        else:
            _choose_set(run, opened)
        if own is not None and own.problem is not None:  # above the picture it would push the lanes out of the window
            st.info(sentence(own.problem), icon=":material/label:", width=_WIDTH_PX)
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
    st.info(f"This analysis was made {why}, so it has no names of your own.", icon=":material/info:", width=_WIDTH_PX)
    try:
        rerun = rerun_of(server.context(), run)
    except RecognizerError as error:
        st.caption(sentence(str(error)), width=_WIDTH_PX)
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
        _draw_sets(run.analysis_id, by_id, chosen.set_id)
    if chosen.set_id is not None:
        _draw_modes(run.analysis_id, chosen.set_id, chosen.mode)
    if opened.own is not None and opened.own.remark is not None:
        st.caption(plain(opened.own.remark), width=_WIDTH_PX)
    for one in known:
        why = fits[one.set_id].why
        if why is not None:
            st.caption(plain(why), width=_WIDTH_PX)
    if (problem := state.tab().analyse.own_actions_problem) is not None:
        st.error(sentence(problem), icon=":material/error:", width=_WIDTH_PX)


def _draw_sets(analysis_id: str, by_id: dict[str, SetSummary], chosen_id: str | None) -> None:
    key = f"own-set-{analysis_id}"
    state.set_widget(key, chosen_id or _NO_ID)
    st.radio(
        "Names on this analysis",
        [_NO_ID, *by_id],
        key=key,
        format_func=lambda set_id: plain(by_id[set_id].title) if set_id else _NO_SET,
        captions=["", *(_names(one) for one in by_id.values())],
        on_change=guard.callback(lambda: _choose(analysis_id, state.widget(key) or None)),
        width=_WIDTH_PX,
    )


def _draw_modes(analysis_id: str, set_id: str, mode: Mode) -> None:
    key = f"own-mode-{analysis_id}"
    state.set_widget(key, mode)
    st.radio(
        "How they are shown",
        list(_MODES),
        key=key,
        format_func=lambda one: _MODES[one][0],
        captions=[caption for _, caption in _MODES.values()],
        on_change=guard.callback(lambda: _choose(analysis_id, set_id, state.widget(key))),
        width=_WIDTH_PX,
    )


def _names(one: SetSummary) -> str:
    shown = ", ".join(one.names[:6]) + (" …" if len(one.names) > 6 else "")
    return plain(shown) or "nothing taught yet"


def _choose(analysis_id: str, set_id: str | None, mode: Mode | None = None) -> None:
    analyse, own = state.tab().analyse, server.context().own_actions
    analyse.own_actions_problem = None
    try:
        own.choose(analysis_id, set_id, mode or own.chosen(analysis_id).mode)
    except RecognizerError as error:
        analyse.own_actions_problem = str(error)
