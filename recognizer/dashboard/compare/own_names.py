"""The choice of a set of own actions that names a comparison, and how."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.actions.provenance import Mode
from recognizer.comparison.model import Comparison
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import ACTIONS
from recognizer.dashboard.parts import history
from recognizer.dashboard.parts.own_names import WIDTH_PX, Modes, choose_mode, choose_set
from recognizer.dashboard.parts.visitor import refuse_looking
from recognizer.dashboard.text import plain, sentence, shortened
from recognizer.errors import ActionsError, RecognizerError
from recognizer.service.compared_names import NamedComparison, choose, named_comparison, why_not
from recognizer.service.comparisons import StoredComparison

_MODES: Final[Modes] = {
    "instead": ("Mine, else the classifier's", "Your name where one fits, the classifier's label elsewhere."),
    "beside": ("Both, in two lanes", "A lane of your names next to that of the classifier."),
    "only": ("Mine only", "Your name where one fits, unknown elsewhere."),
}


def with_own_names(shown: StoredComparison, comparison: Comparison) -> NamedComparison:
    """Return the wanted part of a comparison as it is shown: with own names, if the user has chosen a set."""
    return named_comparison(server.context().own_actions.naming, shown, comparison)


@guard.part
def draw_own_names(
    place: DeltaGenerator, shown: StoredComparison, comparison: Comparison, named: NamedComparison
) -> None:
    """Draw a popover with the choice of a set and of how its names are shown.

    Args:
        place: where.
        shown: the stored comparison.
        comparison: the wanted part of it, with the classifiers' labels.
        named: the same as it is shown.
    """
    title = "My actions" if named.title is None else f"Named by {plain(shortened(named.title, 24))}"
    with place.popover(title, icon=":material/label:"):
        st.caption(
            "Compare with your own words for what people do: choose a set that you have taught in an analysis.",
            width=WIDTH_PX,
        )
        _choose(shown, comparison)
        if (problem := state.tab().compare.own_names_problem) is not None:
            st.error(sentence(problem), icon=":material/error:", width=WIDTH_PX)
        chosen_id = server.context().own_actions.chosen(shown.comparison_id).set_id
        st.page_link(
            "pages/my_actions.py",
            label="Open My actions",
            icon=":material/arrow_forward:",
            query_params=None if chosen_id is None else {ACTIONS.parameter: chosen_id},
        )


def _choose(shown: StoredComparison, comparison: Comparison) -> None:
    own, item_id = server.context().own_actions, shown.comparison_id
    chosen = own.chosen(item_id)
    known = {one.set_id: one for one in own.summaries([*history.own_sets(), *filter(None, [chosen.set_id])])}
    why = {set_id: _why_not(shown, comparison, set_id) for set_id in known}
    by_id = {set_id: one for set_id, one in known.items() if why[set_id] is None or set_id == chosen.set_id}
    if by_id:
        title, act = "Names in this comparison", partial(_chosen, shown)
        choose_set(title, item_id, by_id, chosen.set_id, act, no_set="The networks' labels")
    if chosen.set_id in by_id:
        choose_mode(item_id, chosen.mode, _MODES, partial(_chosen, shown, chosen.set_id))
    for reason in dict.fromkeys(why[set_id] for set_id in known if set_id not in by_id):
        if reason is not None:
            st.caption(plain(reason), width=WIDTH_PX)
    if not known:
        st.caption("You have no set yet: teach one on the page of an analysis.", width=WIDTH_PX)


def _why_not(shown: StoredComparison, comparison: Comparison, set_id: str) -> str | None:
    """Return one sentence that says why a set fits no entry; None if it fits one."""
    naming = server.context().own_actions.naming
    try:
        actions = naming.set(set_id)
    except ActionsError as error:  # other sets may fit
        return str(error)
    reasons = [why_not(naming, shown, entry, actions) for entry in comparison.finished] if actions is not None else []
    return None if None in reasons else next(iter(reasons), None)


def _chosen(shown: StoredComparison, set_id: str | None, mode: Mode | None = None) -> None:
    compare, own = state.tab().compare, server.context().own_actions
    compare.own_names_problem = None
    try:
        refuse_looking(shown.comparison_id)
        choose(own.naming, shown, set_id, mode or own.chosen(shown.comparison_id).mode)
    except RecognizerError as error:
        compare.own_names_problem = str(error)
