"""The app: page configuration and navigation, nothing else."""

import streamlit as st

from recognizer.dashboard import navigation, state

navigation.configure()
state.note_app()
st.navigation(navigation.pages()).run()
