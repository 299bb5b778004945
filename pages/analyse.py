"""Drop in a video, see who does what, when, and download the table."""

import streamlit as st

from recognizer.dashboard import navigation
from recognizer.dashboard.analyse import analysis, results
from recognizer.dashboard.parts import history, player, problem, ready, sidebar, video_card

navigation.enter_through_app("analyse")
st.title("Who does what, when")
st.markdown("Drop in a video and get a timeline of actions for every person in it. Nothing leaves this machine.")
ready.wait_until_ready()

# after a refresh, or when the job has ended
analysis.restore_from_address()
analysis.take_over_finished()

# controls
video_card.choose_video()
history.offer_earlier_analysis()
settings = sidebar.choose_settings(video_card.frame_rate_hz())
problem.show_problems()
place = video_card.show_video(has_player=not player.plays_current_video())

# start
if place is not None and analysis.can_start():
    pressed = place.button("Analyse", type="primary", icon=":material/play_arrow:")
    if pressed:
        analysis.start(settings)

# show
analysis.show_progress()
analysis.show_awaited()
results.show_results()
history.remember_analysis()
