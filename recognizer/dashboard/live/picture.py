"""The camera's picture and its switches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from recognizer.dashboard import state
from recognizer.dashboard.address import ANALYSIS
from recognizer.dashboard.live.camera_advice import show_camera_advice
from recognizer.dashboard.live.configuration import ice_servers
from recognizer.dashboard.live.encoders import start_encoders
from recognizer.dashboard.live.own_actions import choose_names
from recognizer.dashboard.live.sessions import end_session, show_lost_session
from recognizer.dashboard.live.source import choose_source, is_browser
from recognizer.dashboard.live.status import show_picture_problem
from recognizer.dashboard.parts.sidebar import classifier_title
from recognizer.dashboard.streamlit_private import (
    session_is_open,
    wait_for_consent,
    webrtc_hang_up,
    webrtc_source_track,
)
from recognizer.dashboard.text import sentence
from recognizer.errors import SettingsError
from recognizer.live.controls import Controls
from recognizer.settings import CLASSIFIER_NAMES, Settings

if TYPE_CHECKING:
    from recognizer.live.camera import TabCamera

_PICTURE_PX = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
_FEED_HZ = 30
_VIDEO = {"autoPlay": True, "controls": True, "muted": True, "playsInline": True, "style": {"width": "100%"}}
"""``playsInline``: without it, a phone shows only the picture, over the whole screen."""

_FRONT = "Front or only camera"
_FACING = {_FRONT: "user", "Back camera": "environment"}
_WORDS = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose a camera",
    "select_camera": "Choose a camera",
    "turn_camera_off": "Hide the picture",
    "turn_camera_on": "Show the picture",
    "media_api_not_available": "Browsers allow camera access only on localhost or over https.",
    "device_ask_permission": "Allow the camera when the browser asks.",
    "device_not_available": "No camera is available: plug one in, or close the program or tab that uses it.",
    "device_access_denied": "Camera access was denied: allow it next to the address, then press Start again.",
}


def show_camera(settings: Settings) -> None:
    """Draw the choice of the source, the picture and, below it, its switches."""
    tab = state.tab()
    camera = tab.live.camera
    if camera is None:
        return
    above = st.container()  # always there: what comes and goes in it does not move the picture, which would end it
    with above:
        ready = choose_source(camera)
    picture = st.container()  # above the switches on the page, but drawn after them, because it depends on them
    constraints = _switches(camera, settings)
    if not ready:
        return
    with picture:
        context = _streamer(camera, constraints)
        if context is None:
            return
    camera.connect(webrtc_hang_up(context), session_is_open())
    session = camera.session
    if session is not None:
        ANALYSIS.name(session.analysis_id)
    # while the connection is set up, frames come before the browser reports that it plays
    tab.live.connected = context.state.playing or context.state.signalling
    with above:
        if tab.live.connected:
            show_lost_session()
        else:
            end_session()
            camera.arm()
        show_picture_problem()


def _switches(camera: TabCamera, settings: Settings) -> dict[str, Any]:
    """Draw the switches and pass their values to the camera; return the constraints for the browser."""
    tab, facing = state.tab(), _FRONT
    switches = st.container(horizontal=True, vertical_alignment="center")
    if is_browser():
        facing = switches.segmented_control(
            "Camera",
            list(_FACING),
            default=_FRONT,
            key="camera-facing",
            label_visibility="collapsed",
            disabled=camera.session is not None,
            required=True,
        )
    faces_viewer = is_browser() and facing == _FRONT
    mirrored = switches.toggle(
        "Mirror",
        faces_viewer,
        key=f"camera-mirror-{faces_viewer}",
        help="Mirrors the displayed picture. Recognition uses the original one.",
    )
    recording = switches.toggle(
        "Record",
        key="camera-record",
        help="Saves the camera's picture as a video. After Stop, the page plays it with boxes, names and labels, and "
        "makes a copy with them on request.",
    )
    min_confidence = st.slider(
        "Minimum confidence in the picture",
        0.0,
        1.0,
        state.DEFAULT_MIN_CONFIDENCE,
        0.05,
        key="camera-confidence",
        help="Labels less probable than this are shown as unknown in the picture.",
    )
    set_id, mode = choose_names()
    other = st.selectbox(
        "Compare with another classifier",
        [name for name in CLASSIFIER_NAMES if name != settings.video_classifier_model],
        index=None,
        placeholder="None",
        key="camera-second",
        format_func=classifier_title,
        help="Also classifies the same clips and draws both labels, which doubles the work of labelling.",
    )
    camera.adjust(
        Controls(
            settings,
            min_confidence=min_confidence,
            mirrored=mirrored,
            recording=recording,
            other=None if other is None else _with_classifier(settings, other),
            checkpoint_name=tab.sidebar.checkpoint.name if tab.sidebar.checkpoint is not None else None,
            set_id=set_id,
            mode=mode,
        )
    )
    return {"video": {**_PICTURE_PX, "facingMode": _FACING[facing]}, "audio": False}


def _with_classifier(settings: Settings, name: str) -> Settings:
    """Return the same settings with a published classifier."""
    return replace(settings, video_classifier_model=name, checkpoint_path=None, labels_path=None)


def _streamer(camera: TabCamera, constraints: dict[str, Any]) -> Any:
    """Draw the picture; return streamlit-webrtc's context, or None if the configuration is wrong."""
    start_encoders()
    wait_for_consent()
    try:
        servers = ice_servers()
    except SettingsError as error:
        st.error(sentence(str(error)))
        return None
    feed = state.tab().live.feed
    if feed is not None:
        return webrtc_streamer(
            key="feed",
            mode=WebRtcMode.RECVONLY,
            rtc_configuration={"iceServers": servers},
            source_video_track=webrtc_source_track(
                lambda *_: feed.latest(), key="feed-track", fps=_FEED_HZ, on_ended=camera.end_soon
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
        on_video_ended=camera.end_soon,  # called on the loop that serves all cameras
        async_processing=True,
        sendback_audio=False,
        video_html_attrs=_VIDEO,
        translations=_WORDS,
    )
    show_camera_advice()
    return context
