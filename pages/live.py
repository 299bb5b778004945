"""Open the camera, see every person's action as it happens, keep the timeline."""

import streamlit as st

from recognizer.dashboard import analysis, camera_view, navigation, results, sidebar

navigation.enter_through_app("live")
st.title("Live camera")
st.markdown("See what everybody in front of the camera does, as it happens. The picture stays on this machine.")
analysis.wait_until_ready()
settings = sidebar.choose_settings()
camera_view.prepare(settings)
picture, beside = st.columns([3, 2], gap="medium")
with picture:
    camera_view.show_camera(settings)
with beside:
    camera_view.show_beside()
results.show_results()
