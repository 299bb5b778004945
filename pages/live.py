"""Open the camera, see every person's action as it happens, save the timeline."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.analyse import analysis, results
from recognizer.dashboard.live import networks, picture, sessions, status
from recognizer.dashboard.parts import history, problem, ready, sidebar

navigation.enter_through_app("live", shows_camera=True)
st.title("Live camera")
st.markdown(
    "See what everybody in front of the camera does, as it happens. The picture goes to the machine that serves this "
    "page, and nowhere else."
)
with st.container():  # messages that come and go here must not move the picture: that would end the stream
    ready.wait_until_ready()
    analysis.restore_from_address()
    settings = sidebar.choose_settings()
    problem.show_problems()
    are_ready = networks.prepare(settings)
left, right = st.columns([3, 2], gap="medium")
if are_ready:
    with left:
        picture.show_camera(settings)
    with right:
        status.show_status()
analysis.show_awaited()
sessions.offer_sessions()
sessions.offer_comparison()
results.show_results()
history.remember_analysis(hears=False)
history.remember_set(hears=not sessions.is_running())
