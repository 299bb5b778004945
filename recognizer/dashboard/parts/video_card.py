"""Choosing a video: the upload field, the sample, and a preview."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer import weights
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts.pictures import data_url
from recognizer.dashboard.parts.player import show_player
from recognizer.dashboard.parts.progress import show_bar
from recognizer.dashboard.parts.video_choices import offer_choices
from recognizer.dashboard.parts.visitor import visitor_id
from recognizer.dashboard.streamlit_private import forget_uploads
from recognizer.dashboard.text import plain
from recognizer.errors import RecognizerError
from recognizer.files import BYTES_PER_MB
from recognizer.service.store import StoredFile
from recognizer.service.tasks import start_preview
from recognizer.timeline import model
from recognizer.types import Reading
from recognizer.video import VIDEO_SUFFIXES, describe, is_browser_playable, open_video, poster
from recognizer.video.reading import line

PREVIEW_S = 60
_POSTER_PX = 1280
_OF_SAMPLES = (
    "Walking is none of the 400 actions, so most of it stays unknown; you can teach it, or drop in your own video."
)


def frame_rate_hz() -> float | None:
    """Return the frame rate of the current video; None if there is no video."""
    video = state.tab().video
    return model.frame_rate_hz(video.info) if video is not None else None


def duration_s() -> float | None:
    """Return the length of the current video; None if there is no video or its file does not say."""
    video = state.tab().video
    return video.info.duration_s if video is not None else None


@guard.part
def choose_video() -> None:
    """Draw the upload field and the sample button; a video that can be read becomes the current one."""
    tab = state.tab()
    if tab.video is not None and not server.context().store.is_here(tab.video.file.path):
        tab.problem = f"'{tab.video.file.name}' is no longer stored here: newer videos replaced it. Drop it in again."
        tab.video = None
    uploads = st.file_uploader(
        "Drop in a video" if tab.video is None else "Drop in another video",
        list(VIDEO_SUFFIXES),
        accept_multiple_files=True,
        key=f"upload-{tab.uploads}",
        max_upload_size=server.upload_limit_mib(),
        help="It stays on this machine. If a camera has cut a recording into several files, drop them in together.",
    )
    if uploads:
        with st.spinner("Copying the video"):
            # The next field has another key and is empty. Counted in the spinner: wherever something is drawn, this run
            # may end, because another one was asked for meanwhile.
            tab.uploads += 1
            try:
                _store_and_use([(upload, upload.name) for upload in uploads], sum(upload.size for upload in uploads))
            finally:
                forget_uploads(*uploads)
        st.rerun()
    if tab.video is None and st.button("Try a sample", icon=":material/movie:"):
        _take_sample()
        st.rerun()


@guard.part
def offer_earlier_videos(analysis_ids: Sequence[str]) -> None:
    """Draw a choice of these analyses' other videos, if any is still here; the chosen one becomes the current one."""
    tab = state.tab()
    current = None if tab.video is None else tab.video.file.path
    videos = [one for one in server.context().store.stored_videos(analysis_ids) if one.path != current]
    if not videos:
        return
    chosen: StoredFile | None = st.selectbox(
        "Or take the video of an earlier analysis",
        videos,
        index=None,
        key=f"earlier-video-{tab.uploads}",
        format_func=lambda video: video.name,
        placeholder=f"{len(videos)} analysed in this browser",
        width=480,
    )
    if chosen is not None:
        tab.uploads += 1  # the next field has another key and no choice
        _use(chosen)
        st.rerun()


def _store_and_use(uploads: Sequence[tuple[BinaryIO, str]], size_bytes: int) -> None:
    tab, own = state.tab(), visitor_id()
    server.library().make_room(own, size_bytes)
    # a click meanwhile ends this run where it next asks Streamlit: not before the video is shown and listed
    try:
        file = server.context().store.add_recording(uploads, visitor_id=own)
    except RecognizerError as error:
        tab.problem = str(error)
        return
    _use_in(tab, own, file)
    if tab.video is not None and tab.problem is None:
        server.library().uploaded(file, own, "video", tab.video.info.duration_s)
    else:  # nobody could use the file, yet it would count as the visitor's
        server.context().store.withdraw(file, own)


def _use(file: StoredFile, credit: str | None = None) -> None:
    _use_in(state.tab(), visitor_id(), file, credit)


def _use_in(tab: state.Tab, own: str, file: StoredFile, credit: str | None = None) -> None:
    """Make a stored video the current one of a visitor's tab; ask nothing of Streamlit."""
    try:
        source = server.context().store.source(file.path)
        with open_video(source, sha256=file.sha256, name=file.name) as reader:
            info, reading = reader.info, reader.reading
        playable = is_browser_playable(source)
    except RecognizerError as error:
        tab.problem = str(error)
        return
    tab.problem = None
    tab.video = state.CurrentVideo(file, info, playable, reading, credit)
    if not playable:
        tab.video.preview = start_preview(server.context(), file, visitor_id=own)


def _take_sample() -> None:
    bar = st.progress(0.0, "Fetching the sample")

    def report(_name: str, done_bytes: int, total_bytes: int | None) -> None:
        if total_bytes:
            bar.progress(min(1.0, done_bytes / total_bytes), f"Fetching the sample: {done_bytes / BYTES_PER_MB:.1f} MB")

    try:
        sample = weights.sample_video(report)
        with sample.path.open("rb") as stream:
            file = server.context().store.add_file(stream, sample.path.name)
    except RecognizerError as error:
        state.tab().problem = str(error)
        return
    _use(file, f"{sample.title}. {_OF_SAMPLES} {sample.source}, {sample.licence}.")


def restore_video(path: Path, name: str, sha256: str | None) -> None:
    """Make the video of a stored analysis the current one, if its files still exist."""
    store = server.context().store
    if sha256 and store.is_here(path):  # a camera's recording has no hash: it is not the analysed video
        size_bytes = sum(part.stat().st_size for part in store.source(path).paths)
        _use(StoredFile(path, name, sha256, size_bytes))


def show_video() -> DeltaGenerator | None:
    """Draw the current video: its facts, and a player or, until there is one, its first picture.

    Returns:
        The place below the facts; None if there is no video.
    """
    video = state.tab().video
    if video is None:
        return None
    with st.container(border=True):
        picture, facts = st.columns([2, 3], gap="medium", vertical_alignment="center")
        with picture:
            _draw_picture(video)
        with facts:
            _draw_facts(video)
            draw_reading(video.reading)
            if not video.playable:
                cut = video.info.duration_s is not None and video.info.duration_s > PREVIEW_S
                length = f" of its first {PREVIEW_S} s" if cut else ""
                if video.reading.parts:
                    told = f"The player shows a copy{length or ' of all parts'}. All parts are analysed."
                else:
                    told = f"Browsers cannot play this file, so this is a copy{length}. The whole file is analysed."
                st.caption(told)
        return facts


def show_facts() -> None:
    """Draw the facts about the current video, and the choices that it leaves; nothing if there is no video."""
    video = state.tab().video
    if video is not None:
        st.divider()
        _draw_facts(video)


def _draw_picture(video: state.CurrentVideo) -> None:
    preview = video.preview
    if video.playable:
        (file,) = server.context().store.source(video.file.path).paths
        show_player(file, video.file.name)
    elif preview is not None and preview.result is not None and preview.result.is_file():
        show_player(preview.result, video.file.name)
    else:
        st.image(poster_of(str(video.file.path)), width="stretch")
        if preview is not None and not preview.finished:
            show_bar(preview, "Preparing the preview")


def _draw_facts(video: state.CurrentVideo) -> None:
    st.markdown(f"**{plain(video.file.name)}**")
    st.text(describe(video.info))
    if video.credit:
        st.caption(plain(video.credit))
    offer_choices(video, _use)


def draw_reading(reading: Reading) -> None:
    """Draw the line about how a video is read, unless it is a plain file."""
    text = line(reading)
    if text:
        st.caption(plain(text))


@st.cache_data(max_entries=8, show_spinner=False)
def poster_of(path: str) -> str:
    """Return a video's poster as a data URL."""
    return data_url(poster(server.context().store.source(Path(path))).rgb, _POSTER_PX)
