"""The camera's picture and its switches, and what is left when it stops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, create_video_source_track, webrtc_streamer

from recognizer.dashboard import state
from recognizer.dashboard.analyse.results import adopt_thresholds
from recognizer.dashboard.live.setup import ice_servers, start_encoders
from recognizer.dashboard.live.source import choose_source
from recognizer.dashboard.live.trouble import show_trouble
from recognizer.dashboard.parts.sidebar import classifier_title
from recognizer.dashboard.server import context
from recognizer.dashboard.streamlit_private import session_is_open, webrtc_hang_up
from recognizer.dashboard.text import sentence
from recognizer.errors import SettingsError, StoreError
from recognizer.settings import CLASSIFIER_NAMES, Settings

if TYPE_CHECKING:
    from recognizer.live.session import Camera

_PICTURE_PX = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
_FEED_HZ = 30
_VIDEO = {"autoPlay": True, "controls": True, "muted": True, "playsInline": True, "style": {"width": "100%"}}
"""``playsInline``: a phone would otherwise show nothing but the picture, over the whole screen."""

_SESSION_KEY = "camera-session"

_FRONT = "Front or only camera"
_FACING = {_FRONT: "user", "Back camera": "environment"}
_WORDS = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose a camera",
    "select_camera": "Choose a camera",
    "turn_camera_off": "Hide the picture",
    "turn_camera_on": "Show the picture",
    "media_api_not_available": "This browser gives its camera only to pages on localhost or with https.",
    "device_ask_permission": "Allow the camera in the browser's question.",
    "device_not_available": "No camera can be used: plug one in, or close the program or tab that uses it.",
    "device_access_denied": "The camera was denied: allow it beside the address, then press Start again.",
}


def show_camera(settings: Settings) -> None:
    """Draw where the picture comes from, the picture and, under it, its switches."""
    camera = state.tab().camera
    if camera is None:
        return
    with st.container():
        ready = choose_source(camera)
    picture = st.container()  # before the switches on the page, after them in what it is told
    constraints = _switches(camera, settings)
    if not ready:
        return
    with picture:
        context = _streamer(camera, constraints)
        if context is None:
            return
    camera.connect(webrtc_hang_up(context), session_is_open())
    if camera.run_id is not None and camera.running:
        state.tab().seen_runs.add(camera.run_id)
        state.name_run_in_address(camera.run_id)
    # while the connection is being made, frames come before the browser says that it plays
    if not context.state.playing and not context.state.signalling:
        _take_over_ended()
        camera.arm()
    elif camera.ended is not None and camera.ended.lost and not camera.running:
        _show_ended()


def _switches(camera: Camera, settings: Settings) -> dict[str, Any]:
    """Draw the switches and tell the camera what they say; returns what the browser is asked for."""
    tab, facing = state.tab(), _FRONT
    switches = st.container(horizontal=True, vertical_alignment="center")
    if tab.feed is None:
        facing = switches.segmented_control(
            "Camera",
            list(_FACING),
            default=_FRONT,
            key="camera-facing",
            label_visibility="collapsed",
            disabled=camera.running,
            required=True,
        )
    faces_viewer = tab.feed is None and facing == _FRONT
    mirrored = switches.toggle(
        "Mirror",
        faces_viewer,
        key=f"camera-mirror-{faces_viewer}",
        help="Left is left, as in a mirror. Only what you see is mirrored, not what is recognised.",
    )
    recording = switches.toggle("Record", key="camera-record", help="Keeps the annotated picture as a video.")
    min_confidence = st.slider(
        "Minimum confidence in the picture",
        0.0,
        1.0,
        state.DEFAULT_MIN_CONFIDENCE,
        0.05,
        key="camera-confidence",
        help="Where the network's best guess is less probable than this, the picture says unknown.",
    )
    second = st.selectbox(
        "Compare with a second classifier",
        [name for name in CLASSIFIER_NAMES if name != settings.video_classifier_model],
        index=None,
        placeholder="None",
        key="camera-second",
        format_func=classifier_title,
        help="Names the same clips beside the first; both labels are drawn. It takes as much of the machine again.",
    )
    camera.adjust(
        settings,
        min_confidence=min_confidence,
        mirrored=mirrored,
        recording=recording,
        second=None if second is None else _with_classifier(settings, second),
        checkpoint_name=tab.checkpoint.name if tab.checkpoint is not None else None,
    )
    return {"video": {**_PICTURE_PX, "facingMode": _FACING[facing]}, "audio": False}


def _with_classifier(settings: Settings, name: str) -> Settings:
    """The same settings with a published classifier."""
    return replace(settings, video_classifier_model=name, checkpoint_path=None, labels_path=None)


def _streamer(camera: Camera, constraints: dict[str, Any]) -> Any:
    """Draw the picture; returns streamlit-webrtc's context, or None where the configuration is wrong."""
    start_encoders()
    try:
        servers = ice_servers()
    except SettingsError as error:
        st.error(sentence(str(error)))
        return None
    feed = state.tab().feed
    if feed is not None:
        return webrtc_streamer(
            key="feed",
            mode=WebRtcMode.RECVONLY,
            rtc_configuration={"iceServers": servers},
            source_video_track=create_video_source_track(
                lambda *_: feed.newest(), key="feed-track", fps=_FEED_HZ, on_ended=camera.end_soon
            ),
            video_html_attrs=_VIDEO,
            translations=_WORDS,
        )
    context = webrtc_streamer(
        key="camera",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": servers},
        media_stream_constraints=constraints,
        video_frame_callback=camera.take,
        on_video_ended=camera.end_soon,  # called on the one loop that serves everybody's cameras
        async_processing=True,
        sendback_audio=False,
        video_html_attrs=_VIDEO,
        translations=_WORDS,
    )
    show_trouble()
    return context


def _take_over_ended() -> None:
    """If a stream has ended since the last look: show what was kept of it."""
    tab = state.tab()
    if tab.camera is None:
        return
    was_running = tab.camera.running
    if tab.feed is not None and tab.feed.running:
        tab.feed.rest()  # what it still plays would begin another stream
    with st.spinner("Keeping what was seen"):
        tab.camera.end()
    _show_ended()
    if was_running:
        tab.camera.arm()
        st.rerun()  # what was drawn above is that of a camera that runs


def _show_ended() -> None:
    tab = state.tab()
    if tab.camera is None or tab.camera.ended is None:
        return
    ended = tab.camera.ended
    if ended.lost:
        st.warning(
            "No picture came any more: the connection to the browser was lost. What was seen until then is kept below; "
            "press Start to begin another session."
        )
    if ended.problem is not None:
        st.error(sentence(f"{ended.problem} What was seen is shown below as long as this tab is open."))
    if ended.run.run_id == tab.camera_run_id:
        return
    tab.camera_run_id = ended.run.run_id
    tab.camera_sessions[ended.run.run_id] = ended.run.video_name
    state.set_widget(_SESSION_KEY, ended.run.run_id)
    tab.run = ended.run
    tab.rendering = None
    adopt_thresholds(tab.camera.min_confidence, state.DEFAULT_MIN_DURATION_S)
    tab.seen_runs.add(ended.run.run_id)
    state.name_run_in_address(ended.run.run_id)


def offer_sessions() -> None:
    """Draw which of this tab's sessions is shown, where there are several."""
    tab = state.tab()
    if len(tab.camera_sessions) < 2:
        return
    if not state.has_widget(_SESSION_KEY):
        state.set_widget(_SESSION_KEY, next(reversed(tab.camera_sessions)))
    chosen = st.selectbox(
        "Session", list(tab.camera_sessions)[::-1], key=_SESSION_KEY, format_func=tab.camera_sessions.__getitem__
    )
    if tab.run is not None and tab.run.run_id == chosen:
        return
    try:
        run = context().store.load_analysis(chosen)
    except StoreError as error:
        st.error(sentence(str(error)))
        return
    if run is not None:
        tab.run, tab.rendering = run, None
        state.name_run_in_address(chosen)


def offer_comparison() -> None:
    """Draw the way to the comparison of the shown session, where two classifiers spoke in it."""
    run = state.tab().run
    if run is not None and context().comparisons.has(run.run_id):
        st.page_link(
            "pages/compare.py",
            label="Compare what the two classifiers said",
            icon=":material/compare_arrows:",
            query_params={state.COMPARISON_PARAMETER: run.run_id},
        )
