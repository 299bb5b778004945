"""The last problem, in one sentence."""

from __future__ import annotations

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.text import sentence


def show_problems(*problems: str | None) -> None:
    """Draw the tab's last problem and the page's own problems, if there are any."""
    tab = state.tab()
    for problem in (tab.problem, *problems):
        if problem is not None:
            st.error(sentence(tab.with_upload_names(problem)), icon=":material/error:")
