"""A corrected analysis as the truth of a comparison of the same video."""

from __future__ import annotations

from pathlib import PurePath

import streamlit as st

from recognizer import export
from recognizer.annotations.reading import read_labels
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.compare.labels import save_labels
from recognizer.dashboard.parts.history import local_time, own_analyses
from recognizer.dashboard.text import plain, sentence
from recognizer.errors import RecognizerError, TruthError
from recognizer.service.comparisons import StoredComparison
from recognizer.service.workbench import have_same_people


def adopt_waiting() -> None:
    """Make the corrected analysis that waits to be the truth that of the shown comparison, if both are of one video."""
    compare = state.tab().compare
    waiting, shown = compare.truth_from, compare.shown
    if waiting is None or shown is None or waiting.video_path != shown.video.path:
        return
    compare.truth_from = None
    try:
        name, data = _labels_of(shown, waiting.analysis_id)
        save_labels(shown, read_labels(data, name), data)
    except RecognizerError as error:
        compare.problem = sentence(str(error))


@guard.part
def tell_waiting() -> None:
    """Say that a corrected analysis waits for a comparison, if there is none of its video yet."""
    compare = state.tab().compare
    waiting = compare.truth_from
    if waiting is None or (compare.shown is not None and compare.shown.video.path == waiting.video_path):
        return
    place, button = st.columns([5, 1], vertical_alignment="center")
    place.info(
        f"Your corrected analysis of {plain(waiting.name)} becomes the truth of its next comparison.",
        icon=":material/fact_check:",
    )
    if button.button("Not this time", width="stretch"):
        compare.truth_from = None
        st.rerun()


def offer_corrected(shown: StoredComparison) -> None:
    """Draw a button for each corrected analysis of this video that this browser has made."""
    for one in server.context().workbench.corrected_analyses(own_analyses(), shown.video.path):
        st.button(
            f"Use your corrected analysis of {local_time(one.created_at)}",
            icon=":material/fact_check:",
            key=f"truth-of-{one.item_id}",
            on_click=guard.callback(_want),
            args=(state.WaitingTruth(one.item_id, shown.video.name, shown.video.path),),
        )


def _want(truth: state.WaitingTruth) -> None:
    # a slider that was left in the same moment is heard after this press, and before the page runs
    state.tab().compare.truth_from = truth
    st.rerun()  # all of the page: the fragment with this button draws the labels that there were


def _labels_of(shown: StoredComparison, analysis_id: str) -> tuple[str, bytes]:
    """Return a corrected analysis as the name and content of a file of labels."""
    opened = server.context().workbench.opened(analysis_id)
    if opened is None:
        raise TruthError("the corrected analysis is no longer on this machine; analyse the video again.")
    # without groups: classifiers are scored on the labels that they know
    corrected = opened.revision.corrections.applied_to(opened.said)
    segments = corrected.segments(*state.tab().filters.thresholds)
    timeline = shown.comparison.timeline
    same_people = timeline is not None and have_same_people(opened.machine, timeline)
    text = export.truth_csv(corrected, segments, same_people=same_people)
    return f"{PurePath(shown.video.name).stem}-corrected.csv", text.encode()
