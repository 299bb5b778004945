"""The differences of two classifiers: their list, the moment in the video, and each classifier's input and output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from recognizer import export
from recognizer.comparison.agreement import LabelSpan, disagreements
from recognizer.comparison.model import Lane, have_common_labels, pairs
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts.number_columns import number_columns
from recognizer.dashboard.parts.pictures import data_url
from recognizer.dashboard.text import plain, seconds, sentence
from recognizer.errors import RecognizerError
from recognizer.service.comparisons import StoredComparison
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.analysis.shown import SeenFrame

MOST_FRAMES = 8
"""Most frames of a clip that are drawn."""

_FRAME_PX = 60
"""Seven fit next to each other in half of the page."""

_SENT_PX = 4 * _FRAME_PX
"""Sharp on any screen, and when a reader looks closer."""

_LABEL_PX, _PROBABILITY_PX = 130, 115
"""Together they fit into the same half on a phone too, so no number is cut off."""


def show_differences(shown: StoredComparison, lanes: Sequence[Lane]) -> None:
    """Draw the list of one pair's differences, longest first, and the selected one below it."""
    one, other = _choose_pair(lanes)
    if not have_common_labels(one.entry, other.entry):
        st.caption("These two have no label in common, so they differ all the time.")
    spans = disagreements(one.segments, other.segments)
    if not spans:
        st.caption("No differences: whenever both have a label, they agree.")
        return
    key = f"differences-{one.name}-{other.name}"
    table = export.disagreements_table(spans, (one.name, other.name))
    chosen = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config=number_columns(table),
        on_select=guard.callback(lambda: _go_to_selected(key, spans)),
        selection_mode="single-row",
        key=key,
    )
    rows = chosen["selection"]["rows"]
    if rows and rows[0] < len(spans):
        _show_moment(shown, spans[rows[0]], (one, other))
    elif shown.is_of_camera:
        st.caption("Select a row to go there in the video and to see both networks' labels.")
    else:
        st.caption("Select a row to go there in the video and to see both networks' input and labels.")


def _go_to_selected(key: str, spans: Sequence[LabelSpan]) -> None:
    rows = state.widget(key)["selection"]["rows"]
    if rows and rows[0] < len(spans):
        span = spans[rows[0]]
        state.tab().compare.go_to(span.person_id, span.start_s)


def _choose_pair(lanes: Sequence[Lane]) -> tuple[Lane, Lane]:
    every_two = pairs(lanes)
    if len(every_two) == 1:
        return every_two[0]
    number = st.selectbox(
        "Pair",
        range(len(every_two)),
        format_func=lambda k: f"{every_two[k][0].name} and {every_two[k][1].name}",
        key="compare-pair",
    )
    return every_two[number]


def _show_moment(shown: StoredComparison, span: LabelSpan, two: tuple[Lane, Lane]) -> None:
    st.markdown(f"**Person {span.person_id}, {seconds(span.start_s)} to {seconds(span.end_s)}**")
    if shown.is_of_camera:
        st.caption("The networks' input is not stored for a camera.")
    for place, lane in zip(st.columns(2, gap="medium"), two, strict=True):
        with place:
            _show_prediction(shown, span, lane)


def _show_prediction(shown: StoredComparison, span: LabelSpan, lane: Lane) -> None:
    from recognizer.analysis.shown import prediction_at  # slow to import; not always loaded after a refresh

    st.markdown(f"**{plain(lane.name)}**")
    prediction = prediction_at(lane.timeline, span.person_id, (span.start_s + span.end_s) / 2)
    if prediction is None:
        st.caption("No clip covers the middle of this interval.")
        return
    when = f"{seconds(prediction.start_s)} to {seconds(prediction.end_s)}"
    if shown.is_of_camera:
        st.caption(f"Labels from {when}:")
    else:
        _show_frames(shown, lane, prediction, when)
    top = pd.DataFrame(prediction.top, columns=["Label", "Probability"])
    top["Label"] = top["Label"].map(export.harmless_cell)
    st.dataframe(
        top,
        hide_index=True,
        width="stretch",
        column_config={
            "Label": st.column_config.TextColumn(width=_LABEL_PX),
            "Probability": st.column_config.ProgressColumn(
                min_value=0.0, max_value=1.0, format="%.2f", width=_PROBABILITY_PX
            ),
        },
    )


def _show_frames(shown: StoredComparison, lane: Lane, prediction: Prediction, when: str) -> None:
    try:
        frames = _frames(lane.timeline, prediction, shown.video.path)
    except RecognizerError as error:
        st.caption(sentence(str(error)))
    else:
        chosen = np.unique(np.linspace(0, len(frames) - 1, min(MOST_FRAMES, len(frames))).round().astype(int))
        _show_pictures([frames[k].rgb for k in chosen])
        around = [rgb for k in chosen if (rgb := frames[k].surroundings_rgb) is not None]
        if around:
            _show_pictures(around)
        some = f" ({len(chosen)} of them here)" if len(chosen) < len(frames) else ""
        mirrored = ", each with its surroundings, mirrored and with other people covered" if around else ""
        st.caption(f"Input: {len(frames)} pictures from {when}{some}{mirrored}. Labels:")


def _show_pictures(pictures: Sequence[NDArray[np.uint8]]) -> None:
    st.image([data_url(rgb, _SENT_PX) for rgb in pictures], width=_FRAME_PX)


def _timeline_key(timeline: Timeline) -> tuple[object, ...]:
    """Return a key of all that decides the pictures behind a prediction of this timeline."""
    reading = timeline.reading
    choices = reading.stream, reading.rate_given_hz
    return timeline.video.sha256, choices, tuple(timeline.settings.as_dict().items())


@st.cache_data(max_entries=64, show_spinner="Reading the clip", hash_funcs={Timeline: _timeline_key})
def _frames(timeline: Timeline, prediction: Prediction, video: Path) -> list[SeenFrame]:
    """Return the pictures that the network received."""
    from recognizer.analysis.shown import frames_seen

    context = server.context()
    return frames_seen(timeline, prediction, context.store.source(video), context.pass_store)
