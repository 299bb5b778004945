"""Find everything that was analysed: open it, run it again, name it, delete it."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.library import component, opening
from recognizer.dashboard.parts import problem

navigation.enter_through_app("library")
st.title("Library")

# show
problem.show_problems()
wish = component.show_library()

# leave
if wish is not None:
    opening.follow(wish)
