"""A newcomer's page: how to begin, in three steps."""

from __future__ import annotations

from typing import Final

import streamlit as st

_STEPS: Final = (
    (
        "Analyse a video",
        "In it, somebody does what you want to name: sits, stands, lifts a box. Videos like those that you care about "
        "teach most.",
    ),
    (
        "Mark a moment",
        "Click **Select time**, drag over a second or two of a lane, choose **Teach as an example** and type your "
        "own name. Or select a segment and press **T**.",
    ),
    (
        "Mark a few more",
        "Three to five of each action, in different videos, and about ten that are *none of these*. Everybody in your "
        "videos is named at once.",
    ),
)


def show_steps() -> None:
    """Draw the steps, with a link to the page where they begin."""
    for number, (column, (title, words)) in enumerate(zip(st.columns(3, gap="medium"), _STEPS, strict=True), 1):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{number}. {title}**\n\n{words}")
            if number == 1:
                st.page_link("pages/analyse.py", label="Analyse a video", icon=":material/movie:")
