"""The app: page configuration and navigation, nothing else."""

import streamlit as st

st.set_page_config(
    page_title="Who does what, when",
    page_icon=":material/directions_run:",
    layout="wide",
    menu_items={"About": "Tells who does what, when, in a video. Free software under the AGPL-3.0."},
)
st.navigation([st.Page("pages/analyse.py", title="Analyse a video", icon=":material/movie:", default=True)]).run()
