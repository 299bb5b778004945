"""Choose the source of the live picture: the browser's camera, a video in a loop, or a network camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.live.configuration import camera_hosts
from recognizer.dashboard.parts import video_card
from recognizer.dashboard.text import WORD_JOINER, plain, sentence
from recognizer.errors import VideoError
from recognizer.video import check_address, shown_address

if TYPE_CHECKING:
    from recognizer.live.camera import TabCamera
    from recognizer.types import Frame

BROWSER, LOOP, NETWORK = "This device's camera", "A video, in a loop", "A network camera"

_KEY = "camera-source"


def is_browser() -> bool:
    """Return whether the browser's camera is chosen."""
    return not state.has_widget(_KEY) or state.widget(_KEY) == BROWSER


def choose_source(camera: TabCamera) -> bool:
    """Draw the choice; make any source other than the browser's camera the tab's feed.

    Returns:
        Whether there is a source to start; the browser's camera is always one.
    """
    sources = [BROWSER, LOOP, *([NETWORK] if camera_hosts() else [])]
    source = st.segmented_control(
        "Picture from",
        sources,
        default=BROWSER,
        key=_KEY,
        label_visibility="collapsed",
        disabled=camera.session is not None,
        required=True,
    )
    if camera.session is not None:
        _show_chosen()
        return True
    if source == LOOP:
        return _choose_video(camera)
    if source == NETWORK:
        return _choose_address(camera)
    _play(camera, None, None)
    return True


def _choose_video(camera: TabCamera) -> bool:
    tab = state.tab()
    if tab.video is None:
        video_card.choose_video()
        _play(camera, None, None)
        return False
    file = tab.video.file
    st.caption(f"Plays {plain(file.name)}; choose another one on the page Analyse a video.")

    def frames() -> Iterator[Frame]:
        from recognizer.live.feed import looped_frames

        return looped_frames(file.path, file.name)

    _play(camera, (LOOP, str(file.path)), frames)
    return True


def _choose_address(camera: TabCamera) -> bool:
    hosts = camera_hosts()
    address = _address_field()
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


def _show_chosen() -> None:
    """Draw what plays; nothing of it can be changed, and the picture below must not move."""
    source = state.tab().live.feed_source
    if source is not None and source[0] == NETWORK:
        _address_field(disabled=True)
        st.caption(f"Plays {plain(shown_address(source[1]))}.")


def _address_field(*, disabled: bool = False) -> str:
    """Draw the field for a network camera's address, which stays when the page is left, and return its content."""
    live, hosts = state.tab().live, camera_hosts()
    state.restore_widget("camera-address", live.address)
    address = st.text_input(
        "Address",
        key="camera-address",
        placeholder=f"rtsp://{hosts[0]}/stream",
        help=f"A camera at {', '.join(hosts)}: RTSP, motion JPEG or other video over HTTP.",
        disabled=disabled,
    )
    # whoever copies an address from a message copies this too
    live.address = address.replace(WORD_JOINER, "").strip()
    return live.address


def _play(camera: TabCamera, source: tuple[str, str] | None, frames: Callable[[], Iterator[Frame]] | None) -> None:
    """Create the feed of a source, unless it exists."""
    live = state.tab().live
    if live.feed_source == source:
        return
    if live.feed is not None:
        live.feed.close()
    live.feed, live.feed_source = None, source
    if frames is not None:
        from recognizer.live.feed import Feed

        live.feed = Feed(frames, camera.annotate)
