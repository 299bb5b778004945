"""The app: page configuration and navigation, nothing else."""

from pathlib import Path

import streamlit as st

from recognizer.dashboard import navigation, state

st.set_page_config(
    page_title="Who does what, when",
    page_icon=Path(__file__).parent / "docs" / "icon.png",  # a named icon would be fetched from the internet
    layout="wide",
    menu_items={"About": "Tells who does what, when, in a video. Free software under the AGPL-3.0."},
)
state.note_app()
st.navigation(navigation.pages()).run()
