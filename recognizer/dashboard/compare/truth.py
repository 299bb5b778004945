"""The user's own labels: their upload, and each classifier's score against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from recognizer import export, plots
from recognizer.annotations.model import Truth
from recognizer.annotations.tables import read_truth
from recognizer.comparison.model import Lane
from recognizer.comparison.scoring import Scored, score_lanes
from recognizer.dashboard import server, state
from recognizer.dashboard.parts.chart import is_dark, show_chart
from recognizer.dashboard.text import plain, sentence
from recognizer.errors import TruthError
from recognizer.service.comparisons import StoredComparison


def choose_truth(shown: StoredComparison) -> Truth | None:
    """Draw the upload field, or a line about the labels if there are some; return the labels."""
    if shown.truth is not None:
        words, button = st.columns([4, 1], vertical_alignment="center")
        words.caption(f"Your labels: {plain(shown.truth.name)}, {len(shown.truth.rows)} rows.")
        button.button("Remove them", width="stretch", on_click=_save, args=(shown, None, None))
        return shown.truth
    with st.expander("Your own labels", icon=":material/fact_check:"):
        upload = st.file_uploader(
            "A table of labels",
            ["csv", "tsv", "txt"],
            key=f"truth-{state.tab().compare.truth_uploads}",
            help="Columns action, start_s, end_s and, optionally, person_id; or BORIS' export of aggregated events. A "
            "label without a person applies to everyone in view.",
        )
        if upload is None:
            st.caption(
                "Scores each classifier against them: share of time right, kappa, precision, recall and a confusion "
                "matrix."
            )
            return None
        try:
            truth = read_truth(upload.getvalue(), upload.name)
        except TruthError as error:
            st.error(sentence(str(error)), icon=":material/error:")
            return None
    _save(shown, truth, upload.getvalue())
    st.rerun()
    return truth


def _save(shown: StoredComparison, truth: Truth | None, data: bytes | None) -> None:
    compare = state.tab().compare
    # another number empties the field when it is drawn again
    compare.truth_uploads += 1
    server.context().comparisons.save_truth(shown.comparison_id, None if truth is None else truth.name, data)
    compare.shown = replace(shown, truth=truth)


def score_or_report(lanes: Sequence[Lane], truth: Truth | None) -> Scored | None:
    """Return the scores of all lanes; if the labels do not fit this video, draw the reason and return None."""
    if truth is None:
        return None
    try:
        return score_lanes(lanes, truth)
    except TruthError as error:
        st.error(sentence(str(error)), icon=":material/error:")
        return None


def show_scores(scored: Scored) -> None:
    """Draw each classifier's scores."""
    st.subheader("Against your labels")
    st.dataframe(export.scores_table(scored.scores), hide_index=True, width="stretch")
    for note in scored.notes:
        st.caption(plain(note))
    by_name = dict(scored.scores)
    name = st.selectbox("Action by action", list(by_name), key="truth-classifier")
    score = by_name[name]
    st.dataframe(export.classes_table(score), hide_index=True, width="stretch")
    if score.labels:
        figure = plots.confusion_matrix(score, dark=is_dark())
        show_chart(figure, f"confusion-{name}", f"{name}: confusion matrix against your labels")
