"""The camera's page: getting ready, the picture, what goes on beside it, and what is left when it stops."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from recognizer import plots
from recognizer.dashboard import state
from recognizer.dashboard.results import CHART, is_dark
from recognizer.dashboard.services import palette, services
from recognizer.dashboard.text import people, sentence
from recognizer.jobs import Job
from recognizer.runs import Status
from recognizer.settings import Settings

if TYPE_CHECKING:
    from recognizer.live import LiveStats
    from recognizer.models import Models

ICE_VARIABLE = "RECOGNIZER_ICE_SERVERS"
"""Environment variable with a JSON list of ICE servers; ``ice_servers`` in .streamlit/secrets.toml is the same."""

WINDOW_S = 60.0
"""How much of the past the timeline beside the picture shows."""

_PICTURE_PX = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
_POLL_S = 1.0
_FACING = {"Front or only camera": "user", "Back camera": "environment"}
_WORDS = {
    "start": "Start",
    "stop": "Stop",
    "select_device": "Choose a camera",
    "media_api_not_available": "This browser gives its camera only to pages on localhost or with https.",
    "device_ask_permission": "Allow the camera in the browser's question.",
    "device_not_available": "No camera can be used: plug one in, or close the program or tab that uses it.",
    "device_access_denied": "The camera was denied: allow it beside the address, then press Start again.",
}


def _networks_of(settings: Settings) -> tuple[object, ...]:
    return (
        settings.model,
        settings.video_classifier_model,
        settings.device,
        settings.precision,
        settings.checkpoint_path,
        settings.labels_path,
    )


def prepare(settings: Settings) -> None:
    """Load and warm the networks, with progress; START is offered when they are ready."""
    tab = state.tab()
    if tab.camera is not None and tab.camera.running:
        return
    wanted = _networks_of(settings)
    if tab.camera_networks == wanted and tab.camera is not None:
        return
    if tab.camera_job is None or tab.camera_networks != wanted:
        tab.camera_networks = wanted

        def work(job: Job[Models]) -> Models:
            job.report(Status("Loading the networks"))
            from recognizer.camera import load_and_warm

            return load_and_warm(services(), settings, job)

        tab.camera_job = services().jobs.start(work)
    job = tab.camera_job
    place = st.empty()
    while not job.wait(0.2):
        status = job.progress or Status("Loading the networks")
        place.progress(status.share or 0.0, status.text)
    place.empty()
    tab.camera_job = None
    if job.result is None:
        tab.camera_networks = None
        st.error(sentence(job.error or "The networks could not be loaded."))
        st.stop()
    from recognizer.camera import Camera

    if tab.camera is None:
        tab.camera = Camera(services(), job.result, settings, palette())
    else:
        tab.camera.prepare(job.result, settings)


def ice_servers() -> list[dict[str, Any]]:
    """ICE and TURN servers from the configuration; none on localhost, where none are needed."""
    listed = os.environ.get(ICE_VARIABLE)
    if listed:
        servers: list[dict[str, Any]] = json.loads(listed)
        return servers
    try:
        return [dict(server) for server in st.secrets.get("ice_servers", [])]
    except FileNotFoundError:
        return []


def show_camera(settings: Settings) -> None:
    """Draw the camera's picture and the switches under it."""
    camera = state.tab().camera
    if camera is None:
        return
    switches = st.container(horizontal=True)
    mirrored = switches.toggle("Mirror", True, key="camera-mirror", help="Left is left, as in a mirror.")
    recording = switches.toggle("Record", key="camera-record", help="Keeps the annotated picture as a video.")
    facing = switches.segmented_control(
        "Camera", list(_FACING), default=next(iter(_FACING)), key="camera-facing", label_visibility="collapsed"
    )
    min_confidence = st.slider(
        "Minimum confidence",
        0.0,
        1.0,
        state.DEFAULT_MIN_CONFIDENCE,
        0.05,
        key="camera-confidence",
        help="Where the network's best guess is less probable than this, the picture says unknown.",
    )
    camera.adjust(settings, min_confidence=min_confidence, mirrored=mirrored, recording=recording)
    context = webrtc_streamer(
        key="camera",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": ice_servers()},
        media_stream_constraints={
            "video": {**_PICTURE_PX, "facingMode": _FACING.get(facing or "", "user")},
            "audio": False,
        },
        video_frame_callback=camera.take,
        on_video_ended=camera.end_soon,  # called on the one loop that serves everybody's cameras
        async_processing=True,
        sendback_audio=False,
        translations=_WORDS,
    )
    # while the connection is being made, frames come before the browser says that it plays
    if not context.state.playing and not context.state.signalling:
        _take_over_ended()


def _take_over_ended() -> None:
    """If a stream has ended since the last look: show what was kept of it."""
    tab = state.tab()
    if tab.camera is None:
        return
    with st.spinner("Keeping what was seen"):
        run_id = tab.camera.end()
    tab.camera.arm()
    if run_id is None or run_id == tab.camera_run_id:
        return
    tab.camera_run_id = run_id
    tab.run = services().store.load_run(run_id)
    tab.rendering = None
    tab.seen_runs.add(run_id)
    state.name_run_in_address(run_id)


@st.fragment(run_every=_POLL_S)
def show_beside() -> None:
    """Draw the last minute and how the stream runs; does not touch the picture."""
    camera = state.tab().camera
    stats = camera.stats() if camera is not None else None
    timeline = camera.timeline() if camera is not None else None
    if camera is None or stats is None or timeline is None:
        st.caption("Press Start, allow the camera, and the last minute of everybody's actions appears here.")
        return
    if stats.problem:
        st.warning(sentence(stats.problem))
    st.caption(_in_words(stats))
    now_s = timeline.analysed_s
    recent = [track.person_id for track in timeline.people if track.presence[-1][1] > now_s - WINDOW_S]
    segments = [
        segment
        for segment in timeline.segments(st.session_state.get("camera-confidence", state.DEFAULT_MIN_CONFIDENCE))
        if segment.end_s > now_s - WINDOW_S
    ]
    figure = plots.swimlane(timeline, segments, palette(), dark=is_dark(), people=recent)
    first_s = max(0.0, now_s - WINDOW_S)
    figure.update_xaxes(
        range=[plots.time_on_axis(timeline, first_s), plots.time_on_axis(timeline, max(now_s, 10.0))],
        autorange=False,
        minallowed=None,
        maxallowed=None,
    )
    figure.update_layout(uirevision=None)
    st.plotly_chart(figure, theme=None, key="camera-timeline", config=CHART)


def _in_words(stats: LiveStats) -> str:
    parts = [
        people(stats.people),
        f"{stats.frames_per_s:.0f} frames/s",
        f"delay {stats.delay_ms:.0f} ms",
        f"people looked for {stats.followed_per_s:.0f} times a second",
        f"{stats.dropped_frames} frames passed over",
    ]
    if stats.clip_ms is not None:
        parts.append(f"{stats.clip_ms:.0f} ms to name a clip")
    if stats.dropped_clips:
        parts.append(f"{stats.dropped_clips} clips passed over")
    if stats.changing:
        parts.append("loading the new settings")
    return " · ".join(parts)
