"""Choose several classifiers, see where they agree and differ on one's own video, and which of them is right."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.analyse import run
from recognizer.dashboard.compare import entries
from recognizer.dashboard.compare import results as compare_results
from recognizer.dashboard.compare import run as compare_run
from recognizer.dashboard.parts import history, sidebar, video_card

navigation.enter_through_app("compare")
st.title("Compare classifiers")
st.markdown(
    "See where classifiers differ on your own video, and which is right. People are found once, for all of them."
)
run.wait_until_ready()
compare_run.take_up_address()
compare_run.take_over_finished()
video_card.choose_video()
history.offer_earlier_comparison()
shared = sidebar.choose_shared_settings(video_card.frame_rate_hz())
compare_run.show_problem()
video_card.show_video(below_facts=lambda: None)
wanted = entries.choose_entries(shared)
compare_run.offer_comparison(wanted)
compare_run.show_progress()
compare_results.show_results(wanted)
history.remember_comparison()
