"""Open the camera, see every person's action as it happens, keep the timeline."""

import streamlit as st

from recognizer.dashboard import (
    analysis,
    camera_beside,
    camera_setup,
    camera_view,
    history,
    navigation,
    results,
    sidebar,
)

navigation.enter_through_app("live", shows_camera=True)
st.title("Live camera")
st.markdown(
    "See what everybody in front of the camera does, as it happens. The picture goes to the machine that this page "
    "comes from, and nowhere else."
)
with st.container():  # what comes and goes in here must not move the picture, which would end the stream
    analysis.wait_until_ready()
    analysis.take_up_address()
    settings = sidebar.choose_settings()
    analysis.show_problem()
    ready = camera_setup.prepare(settings)
picture, beside = st.columns([3, 2], gap="medium")
if ready:
    with picture:
        camera_view.show_camera(settings)
    with beside:
        camera_beside.show_beside()
analysis.show_awaited()
camera_view.offer_sessions()
camera_view.offer_comparison()
results.show_results()
history.remember_analysis(hears=False)
