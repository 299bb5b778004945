"""Follow batches, open their videos, and look into all of them at once."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.batches import choosing, looking, status
from recognizer.dashboard.parts import problem

navigation.enter_through_app("batches")
st.title("Batches")
problem.show_problems()

# controls
batch = choosing.choose_batch()

# show
if batch is not None:
    status.show_status(batch)
    looking.show_videos_and_findings(batch)
