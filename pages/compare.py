"""Compare classifiers on one video: where they agree, where they differ, which is right."""

import streamlit as st

from recognizer.dashboard import navigation, state
from recognizer.dashboard.compare import comparison, corrected_truth, entries, results
from recognizer.dashboard.parts import history, problem, ready, sidebar, video_card

navigation.enter_through_app("compare")
st.title("Compare classifiers")
st.markdown(
    "See where classifiers differ on your own video, and which is right. People are found once, for all of them."
)
ready.wait_until_ready()

# after a refresh, or when the job has ended
comparison.restore_from_address()
comparison.take_over_finished()
corrected_truth.adopt_waiting()

# controls
video_card.choose_video()
video_card.offer_earlier_videos(history.own_analyses())
history.offer_earlier_comparison()
shared = sidebar.choose_shared_settings(video_card.frame_rate_hz())
problem.show_problems(state.tab().compare.problem)
corrected_truth.tell_waiting()
video_card.show_video()
wanted = entries.choose_entries(shared)

# start
comparison.offer_comparison(wanted)

# show
comparison.show_progress()
results.show_results(wanted)
history.remember_comparison()
