"""Drop in a video, see who does what, when, take the table."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.analyse import results, run
from recognizer.dashboard.parts import history, player, sidebar, video_card

navigation.enter_through_app("analyse")
st.title("Who does what, when")
st.markdown("Drop in a video and get a timeline of actions for every person in it. Nothing leaves this machine.")
run.wait_until_ready()
run.take_up_address()
run.take_over_finished()
video_card.choose_video()
history.offer_earlier_analysis()
settings = sidebar.choose_settings(video_card.frame_rate_hz())
run.show_problem()
video_card.show_video(below_facts=lambda: run.offer_analysis(settings), has_player=not player.plays_current_video())
run.show_progress()
run.show_awaited()
results.show_results()
history.remember_analysis()
