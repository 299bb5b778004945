"""Open the camera, see every person's action as it happens, keep the timeline."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.analyse import results, run
from recognizer.dashboard.live import beside, setup, view
from recognizer.dashboard.parts import history, sidebar

navigation.enter_through_app("live", shows_camera=True)
st.title("Live camera")
st.markdown(
    "See what everybody in front of the camera does, as it happens. The picture goes to the machine that this page "
    "comes from, and nowhere else."
)
with st.container():  # what comes and goes in here must not move the picture, which would end the stream
    run.wait_until_ready()
    run.take_up_address()
    settings = sidebar.choose_settings()
    run.show_problem()
    ready = setup.prepare(settings)
picture, side = st.columns([3, 2], gap="medium")
if ready:
    with picture:
        view.show_camera(settings)
    with side:
        beside.show_beside()
run.show_awaited()
view.offer_sessions()
view.offer_comparison()
results.show_results()
history.remember_analysis(hears=False)
