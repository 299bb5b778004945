"""Where the live picture comes from: the browser's camera, a video in a loop, or a camera in the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.live.setup import camera_hosts
from recognizer.dashboard.parts import video_card
from recognizer.dashboard.text import plain, sentence
from recognizer.errors import VideoError
from recognizer.video import check_address, shown_address

if TYPE_CHECKING:
    from recognizer.live.session import Camera
    from recognizer.types import Frame

BROWSER, LOOP, NETWORK = "This device's camera", "A video, in a loop", "A network camera"


def choose_source(camera: Camera) -> bool:
    """Draw the choice; what stands in for the browser's camera becomes the tab's feed.

    Returns:
        Whether there is a source to start; the browser's camera always is one.
    """
    sources = [BROWSER, LOOP, *([NETWORK] if camera_hosts() else [])]
    source = st.segmented_control(
        "Picture from",
        sources,
        default=BROWSER,
        key="camera-source",
        label_visibility="collapsed",
        disabled=camera.running,
        required=True,
    )
    if camera.running:
        return True
    if source == LOOP:
        return _choose_video(camera)
    if source == NETWORK:
        return _choose_address(camera)
    _play(camera, None, None)
    return True


def _choose_video(camera: Camera) -> bool:
    tab = state.tab()
    if tab.video is None:
        video_card.choose_video()
        _play(camera, None, None)
        return False
    file = tab.video.file
    st.caption(f"Plays {plain(file.name)}; drop another one in under Analyse a video.")

    def frames() -> Iterator[Frame]:
        from recognizer.live.feed import looped_frames

        return looped_frames(file.path, file.name)

    _play(camera, (LOOP, str(file.path)), frames)
    return True


def _choose_address(camera: Camera) -> bool:
    hosts = camera_hosts()
    address = st.text_input(
        "Address",
        key="camera-address",
        placeholder=f"rtsp://{hosts[0]}/stream",
        help=f"Of a camera at {', '.join(hosts)}. RTSP, motion JPEG and other video over HTTP.",
    ).strip()
    if not address:
        _play(camera, None, None)
        return False
    try:
        check_address(address, hosts)
    except VideoError as error:
        st.error(sentence(str(error)))
        _play(camera, None, None)
        return False
    st.caption(f"Plays {plain(shown_address(address))}.")

    def frames() -> Iterator[Frame]:
        from recognizer.live.feed import camera_frames

        return camera_frames(address, hosts)

    _play(camera, (NETWORK, address), frames)
    return True


def _play(camera: Camera, source: tuple[str, str] | None, frames: Callable[[], Iterator[Frame]] | None) -> None:
    """Make the feed of a source, unless it is there."""
    tab = state.tab()
    if tab.feed_source == source:
        return
    if tab.feed is not None:
        tab.feed.close()
    tab.feed, tab.feed_source = None, source
    if frames is not None:
        from recognizer.live.feed import Feed

        tab.feed = Feed(frames, camera.annotate)
