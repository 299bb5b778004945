"""Teach actions of your own by example, and see how well they are recognized."""

import streamlit as st

from recognizer.dashboard import navigation, state
from recognizer.dashboard.own_actions import beginning, choosing, component, exchange
from recognizer.dashboard.parts import history, problem

navigation.enter_through_app("my_actions")
st.title("My actions")
st.markdown(
    "Name what people do in your own words. Mark a few moments, and everybody in your videos, old and new, is named a "
    "second later."
)

# after a refresh
choosing.restore_from_address()

# controls
shown = choosing.shown_set()
exchange.offer_files(choosing.choose_set(shown), shown)
problem.show_problems(state.tab().own_actions.problem)

# show
if shown is None or not shown.examples:
    beginning.show_steps()
if shown is not None:
    component.show_actions(shown.set_id, shown.revision)
history.remember_set()
