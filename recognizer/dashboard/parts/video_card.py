"""Choosing a video: the upload field, the sample, and a preview of what was chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from recognizer import weights
from recognizer.dashboard import state
from recognizer.dashboard.server import context
from recognizer.dashboard.text import plain
from recognizer.errors import RecognizerError
from recognizer.service.store import StoredFile
from recognizer.service.tasks import start_preview
from recognizer.timeline import model
from recognizer.video import VIDEO_SUFFIXES, describe, is_browser_playable, poster, probe

MAX_PLAYED_BYTES = 200_000_000
"""Larger files get a preview: the player takes the whole file into memory."""

PREVIEW_S = 60
_POLL_S = 0.5


def frame_rate_hz() -> float | None:
    """Frames per second of the current video; None while there is none."""
    video = state.tab().video
    return model.frame_rate_hz(video.info) if video is not None else None


def choose_video() -> None:
    """Draw the upload field and the sample button; a good choice becomes the tab's current video."""
    tab = state.tab()
    if tab.video is not None and not tab.video.file.path.is_file():
        tab.problem = f"'{tab.video.file.name}' is no longer kept here, newer videos took its place; drop it in again."
        tab.video = None
    upload = st.file_uploader(
        "Drop in a video" if tab.video is None else "Drop in another video",
        list(VIDEO_SUFFIXES),
        key=f"upload-{tab.uploads}",
        help="It stays on this machine.",
    )
    if upload is not None:
        # the next field has another key, and is empty: the upload's memory is given back
        tab.uploads += 1
        with st.spinner("Copying the video"):
            _take(context().store.add_file(upload, upload.name))
        st.rerun()
    if tab.video is None and st.button("Try a sample", icon=":material/movie:"):
        _take_sample()
        st.rerun()


def _take(file: StoredFile, credit: str | None = None) -> None:
    tab = state.tab()
    try:
        info = probe(file.path, sha256=file.sha256, name=file.name)
        playable = is_browser_playable(file.path) and file.size_bytes <= MAX_PLAYED_BYTES
    except RecognizerError as error:
        tab.problem = str(error)
        return
    tab.problem = None
    tab.video = state.CurrentVideo(file, info, playable, credit)
    tab.jump_s = 0.0
    if not playable:
        tab.video.preview = start_preview(context(), file)


def _take_sample() -> None:
    bar = st.progress(0.0, "Fetching the sample")

    def report(_name: str, done_bytes: int, total_bytes: int | None) -> None:
        if total_bytes:
            bar.progress(min(1.0, done_bytes / total_bytes), f"Fetching the sample: {done_bytes / 1e6:.1f} MB")

    try:
        sample = weights.sample_video(report)
        with sample.path.open("rb") as stream:
            file = context().store.add_file(stream, sample.path.name)
    except RecognizerError as error:
        state.tab().problem = str(error)
        return
    _take(file, f"{sample.title}. {sample.source}, {sample.licence}.")


def restore_video(path: Path, name: str, sha256: str | None) -> None:
    """Take up the video of a stored analysis again, if its file is still here."""
    if sha256 and path.is_file():  # a camera's recording has no hash: it is not what was analysed
        _take(StoredFile(path, name, sha256, path.stat().st_size))


def show_video(below_facts: Callable[[], None], *, has_player: bool = True) -> None:
    """Draw the current video: what it is, and a player or, until there is one, its first picture.

    Args:
        below_facts: draws what stands beside the picture, under the facts.
        has_player: False where the page plays it elsewhere.
    """
    video = state.tab().video
    if video is None:
        return
    with st.container(border=True):
        if not has_player:
            facts, beside = st.columns([3, 1], gap="medium", vertical_alignment="center")
            with facts:
                _tell_facts(video)
            with beside, st.container(horizontal_alignment="right"):
                below_facts()
            return
        picture, facts = st.columns([2, 3], gap="medium", vertical_alignment="center")
        with picture:
            if video.playable:
                st.video(str(video.file.path))
            elif video.preview is not None and not video.preview.finished:
                _preparing()
            elif video.preview is not None and video.preview.result is not None and video.preview.result.is_file():
                st.video(str(video.preview.result))
            else:
                st.image(poster_of(str(video.file.path)), width="stretch")
        with facts:
            _tell_facts(video)
            if not video.playable:
                cut = video.info.duration_s is not None and video.info.duration_s > PREVIEW_S
                length = f" of its first {PREVIEW_S} s" if cut else ""
                st.caption(f"Browsers do not play this file, so you see a copy{length}. All of it is analysed.")
            below_facts()


def _tell_facts(video: state.CurrentVideo) -> None:
    st.markdown(f"**{plain(video.file.name)}**")
    st.text(describe(video.info))
    if video.credit:
        st.caption(plain(video.credit))


@st.fragment(run_every=_POLL_S)
def _preparing() -> None:
    video = state.tab().video
    if video is None or video.preview is None or video.preview.finished:
        st.rerun()
    else:
        st.image(poster_of(str(video.file.path)), width="stretch")
        progress = video.preview.progress
        st.progress(progress.share if progress and progress.share else 0.0, "Preparing the preview")


@st.cache_data(max_entries=8, show_spinner=False)
def poster_of(path: str) -> NDArray[np.uint8]:
    """The picture that stands for a video, uint8 (H, W, 3)."""
    return poster(path).rgb
