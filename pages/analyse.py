"""Drop in a video, see who does what, when, and download the table."""

from recognizer.dashboard import navigation
from recognizer.dashboard.analyse import analysis, results, start
from recognizer.dashboard.parts import history, problem, ready, sidebar, video_card

navigation.enter_through_app("analyse")
title = start.draw_title()
ready.wait_until_ready()

# after a refresh, or when the job has ended
analysis.restore_from_address()
analysis.take_over_finished()

# controls
with start.choosing(title) as controls:
    video_card.choose_video()
    history.offer_earlier_analysis()
settings = sidebar.choose_settings(video_card.frame_rate_hz(), video_card.duration_s())
problem.show_problems()
start.offer_analysis(controls, settings)

# show
analysis.show_progress()
analysis.show_awaited()
results.show_results(has_header=controls.header is not None)
history.remember_analysis()
history.remember_set()
