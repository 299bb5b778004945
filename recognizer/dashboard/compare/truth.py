"""The user's own labels: their upload, and each classifier's score against them."""

from __future__ import annotations

import streamlit as st

from recognizer import export, plots
from recognizer.annotations.fitting import LabelledVideo
from recognizer.annotations.model import Truth
from recognizer.annotations.reading import read_labels
from recognizer.annotations.text import MAX_LABEL_BYTES
from recognizer.comparison.scoring import Scored
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.compare.corrected_truth import offer_corrected
from recognizer.dashboard.compare.labels import save_labels
from recognizer.dashboard.compare.questions import ask
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.parts.number_columns import draw_numbers
from recognizer.dashboard.streamlit_private import forget_uploads
from recognizer.dashboard.text import plain, sentence
from recognizer.errors import TruthError
from recognizer.service.comparisons import StoredComparison
from recognizer.timeline.model import Timeline


def choose_truth(shown: StoredComparison, timeline: Timeline) -> Truth | None:
    """Draw the upload field, or what was read and what only the user can say about it; return the labels to score."""
    if shown.labels is None:
        _upload(shown)
        return None
    words, button = st.columns([4, 1], vertical_alignment="center")
    count = "1 label" if shown.labels.count == 1 else f"{shown.labels.count} labels"
    words.caption(f"Your labels: {plain(shown.labels.name)}, {plain(shown.labels.format)}, {count}.")
    button.button("Remove them", width="stretch", on_click=guard.callback(_remove), args=(shown,))
    video = LabelledVideo.of(timeline, shown.video.name)
    try:
        truth = ask(shown, shown.labels, video)
    except TruthError as error:
        st.error(sentence(str(error)), icon=":material/error:")
        return None
    if truth.rows or truth.apart:
        return truth
    for note in truth.notes:
        st.info(plain(note), icon=":material/info:")
    return None


def _remove(shown: StoredComparison) -> None:
    save_labels(shown, None, None)
    st.rerun()  # all of the page: the fragment with this button draws the labels that there were


def _upload(shown: StoredComparison) -> None:
    """Draw the upload field; when a file is dropped in, store it and draw again."""
    with st.expander("Your own labels", icon=":material/fact_check:"):
        upload = st.file_uploader(
            "A file of labels",  # of any type, so that one that is not read is refused by its name
            key=f"truth-{state.tab().compare.truth_uploads}",
            help="A table with the columns action, start_s, end_s and, optionally, person_id; or a file of BORIS, "
            "ELAN, Praat, Audacity, DeepEthogram, SimBA, Label Studio or CVAT. A label without a person applies to "
            "everyone in view.",
            max_upload_size=server.upload_limit_mib(MAX_LABEL_BYTES),
        )
        if upload is None:
            offer_corrected(shown)
            st.caption(
                "Scores each classifier against them: share of time right, kappa, precision, recall and a confusion "
                "matrix."
            )
            return
        try:
            labels = read_labels(upload.getvalue(), upload.name)
        except TruthError as error:
            st.error(sentence(str(error)), icon=":material/error:")
            return
    save_labels(shown, labels, upload.getvalue())
    forget_uploads(upload)
    st.rerun()


def show_scores(scored: Scored) -> None:
    """Draw each classifier's scores."""
    st.subheader("Against your labels")
    if scored.truth:
        draw_numbers(export.scores_table(scored.scores))
    for note in scored.notes:
        st.caption(plain(note))
    by_name = dict(scored.scores)
    name = st.selectbox("Action by action", list(by_name), key="truth-classifier")
    score = by_name[name]
    if score.classes:
        draw_numbers(export.classes_table(score))
    if score.bouts:
        st.caption("Bouts: segments of one person and action that overlap are matched; errors are medians.")
        draw_numbers(export.bouts_table(score))
    if score.apart:
        st.caption("Actions that happen during others, each scored apart:")
        draw_numbers(export.apart_table(score))
    if score.labels:
        figure = plots.confusion_matrix(score, dark=is_dark())
        show_chart(figure, f"confusion-{name}", f"{name}: confusion matrix against your labels")
