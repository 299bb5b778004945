"""Choices about how a file is read, for the few files that leave one: which of its videos, and its frame rate."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.errors import RecognizerError
from recognizer.service.store import StoredFile
from recognizer.types import Reading, StreamFacts

_WIDTH_PX = 320
_LOWEST_HZ, _HIGHEST_HZ = 0.1, 1000.0


def offer_choices(video: state.CurrentVideo, use: Callable[[StoredFile], None]) -> None:
    """Draw a field for each choice that the current video leaves; a change reads it anew.

    Args:
        video: the current video.
        use: makes a stored video the current one.
    """
    reading = video.reading
    stream, rate_hz = reading.stream if reading.stream_given else None, reading.rate_given_hz
    if any(other.codec is not None for other in reading.other_streams):
        stream = _choose_stream(video, reading)
    if reading.rate_assumed_hz is not None or rate_hz is not None:
        rate_hz = _choose_rate(video, reading)
    if (stream, rate_hz) == (reading.stream if reading.stream_given else None, reading.rate_given_hz):
        return
    store = server.context().store
    try:
        use(store.with_choices(store.files_of(video.file), stream=stream, frame_rate_hz=rate_hz))
    except RecognizerError as error:
        state.tab().problem = str(error)
    st.rerun()


def _choose_stream(video: state.CurrentVideo, reading: Reading) -> int | None:
    """Return the chosen stream; None if it is the one that a player shows and was never chosen."""
    own = StreamFacts(reading.stream or 0, video.info.width, video.info.height, video.info.codec)
    readable = (own, *(other for other in reading.other_streams if other.codec is not None))
    streams = {one.index: one for one in sorted(readable, key=lambda one: one.index)}
    numbers = list(streams)
    chosen = st.selectbox(
        "Which video",
        numbers,
        index=numbers.index(own.index),
        key=f"stream-{video.file.path.stem}",
        format_func=lambda number: f"{number}: {streams[number].width} × {streams[number].height}",
        help="The file holds several videos. The number is that of the stream in the file.",
        width=_WIDTH_PX,
    )
    return chosen if reading.stream_given or chosen != own.index else None


def _choose_rate(video: state.CurrentVideo, reading: Reading) -> float | None:
    """Return the chosen rate; None if it is the assumed one and was never chosen."""
    now_hz = reading.rate_given_hz or reading.rate_assumed_hz or 0.0
    chosen_hz = st.number_input(
        "Frames per second",
        _LOWEST_HZ,
        _HIGHEST_HZ,
        now_hz,
        step=1.0,
        format="%g",
        key=f"rate-{video.file.path.stem}",
        help="The file does not say how many pictures a second the camera took. All times follow from it.",
        width=_WIDTH_PX,
    )
    return float(chosen_hz) if reading.rate_given_hz is not None or chosen_hz != now_hz else None
