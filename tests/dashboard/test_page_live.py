"""The page "Live camera", run by Streamlit's AppTest: a stand-in for the browser passes frames to the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import av
import pytest
from streamlit.testing.v1 import AppTest

from recognizer.actions.set_file import write_set
from recognizer.dashboard import server as server_module
from recognizer.dashboard.live import picture, status
from recognizer.dashboard.live.configuration import HOSTS_VARIABLE, ICE_VARIABLE
from recognizer.dashboard.live.source import BROWSER, LOOP, NETWORK
from recognizer.dashboard.text import WORD_JOINER
from recognizer.errors import VideoError, WeightsError
from recognizer.live import feed as feed_module
from recognizer.live import watchdog as watchdog_module
from recognizer.live.camera import TabCamera
from recognizer.live.session import LiveSession
from recognizer.live.stats import LabelingStats
from recognizer.networks import loading as models_module
from recognizer.service.playable import Playable, playable
from recognizer.settings import Settings
from recognizer.types import Frame
from tests.support.action_sets import action_set
from tests.support.environment import APP
from tests.support.fakes import ScriptedClassifier, always, numbered_picture, person
from tests.support.networks import Networks
from tests.support.pages import (
    button,
    charts,
    downloads,
    errors,
    open_table,
    shows_result,
    tab,
    upload_video,
    widget,
    words,
    workbench_data,
    workbenches,
)
from tests.support.waiting import WAIT_S, WORK_S, wait_until

pytestmark = pytest.mark.slow

PAGE = "pages/live.py"


class State:
    playing = False
    signalling = False


class Browser:
    """What streamlit-webrtc was asked for, and the camera's side of it."""

    def __init__(self) -> None:
        self.state = State()
        self.asked: dict[str, Any] = {}

    def streamer(self, **asked: Any) -> Browser:
        self.asked = asked
        return self

    def _get_worker(self) -> None:
        return None

    def send(self, number: int = 0) -> None:
        rgb = numbered_picture(number, 160, 120)
        drawn = self.asked["video_frame_callback"](av.VideoFrame.from_ndarray(rgb, format="rgb24"))
        assert (drawn.width, drawn.height) == (160, 120)

    def send_until(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end_s
            self.send()
            time.sleep(0.01)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    stand_in = Browser()
    monkeypatch.setattr(picture, "webrtc_streamer", stand_in.streamer)
    monkeypatch.setattr(picture, "webrtc_source_track", lambda callback, **_: callback)
    monkeypatch.setattr(picture, "start_encoders", lambda: None)  # AppTest has no event loop
    for patience in (
        "GONE_AFTER_S",
        "BROKEN_AFTER_S",
        "UNWATCHED_AFTER_S",
    ):  # a busy machine may draw several pages as long
        monkeypatch.setattr(watchdog_module, patience, WORK_S)
    monkeypatch.delenv(HOSTS_VARIABLE, raising=False)
    monkeypatch.delenv(ICE_VARIABLE, raising=False)
    return stand_in


@pytest.fixture
def page(networks: Networks, browser: Browser) -> Any:
    networks.script = always(person((20, 20, 60, 100)))
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    at.switch_page(PAGE).run()
    assert not at.exception
    yield at
    camera = tab(at).live.camera
    if camera is not None:
        camera.end()


def camera_of(at: AppTest) -> TabCamera:
    camera = tab(at).live.camera
    assert camera is not None
    return camera


def session_of(at: AppTest) -> LiveSession:
    """The running session or the last one."""
    session = camera_of(at).latest
    assert session is not None
    return session


def predictions(at: AppTest) -> int:
    session = camera_of(at).session
    return len(session.stream.timeline().predictions) if session is not None else 0


def play(at: AppTest, browser: Browser) -> None:
    """Start, with short clips, and go on until somebody has a label."""
    widget(at, "Sequence length").set_value(4)
    widget(at, "Skip interval").set_value(1)
    at.run()
    browser.state.signalling = True
    at.run()
    browser.send_until(lambda: predictions(at) > 0)
    browser.state.playing, browser.state.signalling = True, False
    at.run()
    assert not at.exception


def stop(at: AppTest, browser: Browser) -> None:
    browser.state.playing = False
    at.run()
    assert not at.exception


def toggle(at: AppTest, label: str) -> Any:
    (found,) = [one for one in at.toggle if one.label == label]
    return found


def test_start_is_offered_when_the_networks_are_warm(page: AppTest, browser: Browser, networks: Networks) -> None:
    assert page.title[0].value == "Live camera"
    settings = tab(page).sidebar.settings
    assert settings is not None
    assert networks.warmed == [settings.num_video_sequence_samples]
    assert browser.asked["video_frame_callback"]
    assert "Press Start" in words(page)
    assert not page.error
    assert not page.subheader


def test_networks_that_are_not_available_are_reported_and_no_start_is_offered(
    networks: Networks,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(settings: Settings, progress: Any = None) -> Any:
        raise WeightsError("the weights of it cannot be had; put them into the folder.")

    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    with monkeypatch.context() as patch:
        patch.setattr(models_module, "load_clip_classifier", refuse)
        at.switch_page(PAGE).run()
        assert errors(at) == ["The weights of it cannot be had; put them into the folder."]
        assert not browser.asked
    at.run()
    assert not at.error
    assert browser.asked


def test_camera_is_asked_for_without_sound_and_without_foreign_servers(page: AppTest, browser: Browser) -> None:
    assert browser.asked["media_stream_constraints"]["audio"] is False
    assert browser.asked["media_stream_constraints"]["video"]["facingMode"] == "user"
    assert browser.asked["rtc_configuration"] == {"iceServers": []}
    assert "denied" in browser.asked["translations"]["device_access_denied"]


def test_back_camera_can_be_chosen(page: AppTest, browser: Browser) -> None:
    page.session_state["camera-facing"] = "Back camera"
    page.run()
    assert not page.exception
    assert browser.asked["media_stream_constraints"]["video"]["facingMode"] == "environment"


def test_ice_servers_come_from_the_environment(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ICE_VARIABLE, '[{"urls": "turn:turn.example.org", "username": "a", "credential": "b"}]')
    page.run()
    assert browser.asked["rtc_configuration"] == {
        "iceServers": [{"urls": "turn:turn.example.org", "username": "a", "credential": "b"}]
    }


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ("turn:turn.example.org", "is not JSON"),
        ('{"urls": "turn:turn.example.org"}', "is not a list of servers"),
        ('[{"url": "turn:turn.example.org"}]', "is not a list of servers"),
        ('[{"urls": "http://turn.example.org"}]', "is not a STUN or TURN server"),
    ],
)
def test_ice_servers_that_are_none_are_reported_in_one_sentence(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch, configured: str, message: str
) -> None:
    monkeypatch.setenv(ICE_VARIABLE, configured)
    page.run()
    assert not page.exception
    (told,) = errors(page)
    assert message in told


def test_status_stands_next_to_the_picture(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    text = words(page)
    for part in ("Person 1", "frames/s", "after arrival", "skipped", "to classify a clip", "behind the picture"):
        assert part in text, part
    (chart,) = charts(page)
    assert chart["label"].startswith("Timeline of the last minute")
    assert chart["figure"]["data"]
    assert not page.subheader


def test_frames_before_the_browser_says_that_it_plays_are_not_ended(page: AppTest, browser: Browser) -> None:
    browser.state.signalling = True
    page.run()
    browser.send_until(lambda: camera_of(page).session is not None)
    session = camera_of(page).session
    page.run()
    assert camera_of(page).session is session
    assert tab(page).analyse.shown is None


def test_settings_and_switches_reach_the_running_stream(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    stream = session_of(page).stream
    assert stream.overlay.mirrored
    chosen: dict[str, Any] = {
        "Classifier": "r3d_18",
        "Sequence length": 8,
        "Skip interval": 3,
        "Crop margin": 25,
        "Detector confidence": 0.6,
    }
    for title, value in chosen.items():
        widget(page, title).set_value(value)
        page.run()
        assert not page.exception
    widget(page, "Minimum confidence in the picture").set_value(0.7)
    toggle(page, "Mirror").set_value(False)
    page.run()
    session = camera_of(page).session
    assert session is not None
    assert session.stream is stream
    assert not stream.overlay.mirrored
    assert stream.overlay.min_confidence == pytest.approx(0.7)
    end_s = time.monotonic() + WAIT_S
    while stream.stats().changing:
        assert time.monotonic() < end_s
        time.sleep(0.01)
    assert stream.stats().problem is None
    settings = stream.timeline().settings
    assert settings.video_classifier_model == "r3d_18"
    assert (settings.num_video_sequence_samples, settings.skip_frame) == (8, 3)
    assert settings.crop_margin_percentage == 25
    assert settings.min_person_confidence == pytest.approx(0.6)


def test_own_names_are_offered_and_reach_the_running_stream(page: AppTest, browser: Browser) -> None:
    assert not any(one.label == "Names" for one in page.selectbox), "nothing was taught yet"
    set_id = server_module.context().own_actions.import_set(write_set(action_set("walk", "sit")), "set")
    tab(page).history.own["sets"] = [set_id]
    play(page, browser)
    widget(page, "Names").set_value(set_id)
    page.run()
    names = session_of(page).stream.names
    assert (names.are_chosen, names.mode) == (True, "instead")
    assert [one.value for one in page.info if "keeps no features" in one.value], "the stand-in has none"
    widget(page, "How they are shown").set_value("only")
    page.run()
    assert names.mode == "only"
    widget(page, "Names").set_value(None)
    page.run()
    assert not names.are_chosen
    stop(page, browser)
    shown = tab(page).analyse.shown
    assert shown is not None
    assert server_module.context().own_actions.chosen(shown.analysis_id).set_id is None


def test_classifier_that_cannot_be_loaded_is_reported_next_to_the_running_picture(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(page, browser)
    stream = session_of(page).stream

    def refuse(settings: Settings, progress: Any = None) -> Any:
        raise WeightsError("the weights of r3d_18 cannot be had; put them into the folder.")

    monkeypatch.setattr(models_module, "load_clip_classifier", refuse)
    widget(page, "Classifier").set_value("r3d_18")
    page.run()
    browser.send_until(lambda: stream.stats().problem is not None)
    page.run()
    assert "The weights of r3d_18 cannot be had" in words(page)
    before = predictions(page)
    browser.send_until(lambda: predictions(page) > before)


def test_stop_saves_the_session_with_tables_and_downloads(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    stop(page, browser)
    assert shows_result(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert run.video_name.startswith("Camera 20")
    assert run.timeline.complete
    assert downloads(page)[:2] == ["Timeline as CSV", "Everything (ZIP)"]
    assert set(open_table(page, "All segments")["Action"]) == {"waving"}
    assert page.query_params["run"] in (run.analysis_id, [run.analysis_id])
    assert "Press Start" in words(page)
    # the page that is drawn again shows the same run; nothing is ended twice
    page.run()
    assert tab(page).analyse.shown is run


def test_recording_is_offered_after_stop(page: AppTest, browser: Browser) -> None:
    toggle(page, "Record").set_value(True)
    page.run()
    play(page, browser)
    stop(page, browser)
    assert shows_result(page)
    run = tab(page).analyse.shown
    assert run is not None
    with av.open(str(run.video_path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) > 0
    assert "Recording (MP4)" in downloads(page)
    button(page, "Make the annotated video").click()
    page.run()
    rendering = tab(page).analyse.rendering
    assert rendering is not None
    assert rendering.job.wait(WAIT_S)
    page.run()
    assert "Annotated video (MP4)" in downloads(page)


def test_second_start_is_a_session_of_its_own(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    stop(page, browser)
    first = tab(page).analyse.shown
    play(page, browser)
    assert tab(page).analyse.shown is first
    stop(page, browser)
    second = tab(page).analyse.shown
    assert first is not None
    assert second is not None
    assert second.analysis_id != first.analysis_id
    # the first is a click away
    widget(page, "Session").set_value(first.analysis_id)
    page.run()
    assert not page.exception
    shown = tab(page).analyse.shown
    assert shown is not None
    assert shown.analysis_id == first.analysis_id
    assert page.query_params["run"] in (first.analysis_id, [first.analysis_id])
    assert [track.person_id for track in second.timeline.people] == [1]


def test_two_tabs_have_a_camera_each(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    other = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    browser.state = State()
    other.run()
    other.switch_page(PAGE).run()
    assert not other.exception
    assert camera_of(other) is not camera_of(page)
    assert camera_of(other).session is None
    assert camera_of(page).session is not None


def test_reload_while_the_camera_runs_finds_the_session_when_it_is_over(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    camera = camera_of(page)
    assert page.query_params["run"] in (session_of(page).analysis_id, [session_of(page).analysis_id])
    other = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    browser.state = State()
    other.query_params["run"] = session_of(page).analysis_id
    other.run()
    other.switch_page(PAGE).run()
    assert not other.exception
    assert "still running in another tab" in words(other)
    assert not other.subheader
    assert camera.end() is not None
    other.run()
    other.run()
    assert not other.exception
    assert shows_result(other)
    shown = tab(other).analyse.shown
    assert shown is not None
    assert shown.analysis_id == session_of(page).analysis_id


@pytest.mark.parametrize("is_away_for_long", [False, True])
def test_lost_connection_is_reported_and_the_session_is_there(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch, is_away_for_long: bool
) -> None:
    monkeypatch.setattr(watchdog_module, "CHECK_EVERY_S", 0.05)
    play(page, browser)
    monkeypatch.setattr(watchdog_module, "GONE_AFTER_S", 0.5)
    end_s = time.monotonic() + WAIT_S
    while session_of(page).ended is None:
        assert time.monotonic() < end_s
        time.sleep(0.02)
    analysis_id = session_of(page).analysis_id
    if is_away_for_long:
        tab(page).lighten()
        browser.state.playing = False
    page.run()
    assert not page.exception
    if not is_away_for_long:
        assert "press Stop, then Start, to begin another session" in words(page), "the browser notices later"
        assert "Press Start and allow" not in words(page)
        browser.state.playing = False
        page.run()
        assert "Press Start and allow" in words(page)
    assert "press Start to begin another session" in words(page)
    (told,) = page.columns[0].children[0].warning
    assert told.value.startswith("The connection to the browser was lost"), "it stands at the picture"
    assert shows_result(page)
    assert page.query_params["run"] in (analysis_id, [analysis_id])


def test_a_connection_that_broke_is_told_apart_from_stop(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the picture stood still beside Stop, and later the session lay there, without a word."""
    play(page, browser)
    monkeypatch.setattr(status, "_STOP_TAKES_S", WORK_S)
    browser.asked["on_video_ended"]()
    wait_until(lambda: session_of(page).ended is not None)
    page.run()
    assert "lost" not in words(page), "whoever pressed Stop tells it next"
    monkeypatch.setattr(status, "_STOP_TAKES_S", 0.0)
    page.run()
    assert not page.exception
    assert "The connection to the browser was lost" in words(page)
    assert "press Stop, then Start, to begin another session" in words(page)
    assert shows_result(page)
    stop(page, browser)
    assert "press Start to begin another session" in words(page)
    play(page, browser)
    stop(page, browser)
    browser.state.signalling = True  # Start is pressed again
    page.run()
    assert "Waiting for a picture" in words(page)
    assert "lost" not in words(page), "that one was ended by Stop"


def test_another_page_ends_the_camera(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    camera = camera_of(page)
    page.switch_page("pages/analyse.py").run()
    assert not page.exception
    wait_until(lambda: camera.session is None)  # on a thread of its own, which the page does not wait for
    assert camera.end() is not None
    browser.state = State()
    page.switch_page(PAGE).run()
    assert shows_result(page)


def test_session_does_not_take_the_place_of_the_analysed_video(page: AppTest, browser: Browser) -> None:
    play(page, browser)
    stop(page, browser)
    session = tab(page).analyse.shown
    assert session is not None
    page.query_params.clear()  # as browsers do on the way to another page
    page.switch_page("pages/analyse.py").run()
    assert tab(page).analyse.shown is None
    assert not shows_result(page)
    page.switch_page(PAGE).run()
    assert not page.exception
    assert tab(page).of_camera.shown is session
    assert page.query_params["run"] in (session.analysis_id, [session.analysis_id])


def test_confidence_of_the_picture_goes_on_in_the_timeline(page: AppTest, browser: Browser) -> None:
    widget(page, "Minimum confidence in the picture").set_value(0.75)
    play(page, browser)
    stop(page, browser)
    (shown,) = workbenches(page)
    assert shown["view"]["minConfidence"] == pytest.approx(0.75)
    assert set(open_table(page, "All segments")["Action"]) == {"unknown"}


def choose(at: AppTest, source: str) -> None:
    at.session_state["camera-source"] = source
    at.run()
    assert not at.exception


def sources(at: AppTest) -> list[str]:
    (found,) = [one for one in at.segmented_control if one.label == "Picture from"]
    return list(found.options)


def test_video_in_a_loop_stands_in_for_the_camera(
    page: AppTest, browser: Browser, networks: Networks, make_video: Callable[..., Path]
) -> None:
    networks.script = always(person((8, 8, 24, 40)))
    choose(page, LOOP)
    browser.asked = {}
    upload_video(page, make_video("clip.mp4", frames=20, fps=30))
    assert "Plays clip.mp4" in words(page)
    assert browser.asked["mode"].name == "RECVONLY"
    assert not toggle(page, "Mirror").value
    latest = browser.asked["source_video_track"]
    widget(page, "Sequence length").set_value(4)
    page.run()
    end_s = time.monotonic() + WAIT_S
    while not predictions(page):
        assert time.monotonic() < end_s
        latest(0, None)
        time.sleep(0.01)
    stop(page, browser)
    assert shows_result(page)
    assert set(open_table(page, "All segments")["Action"]) == {"waving"}
    feed = tab(page).live.feed
    assert feed is not None
    choose(page, BROWSER)
    assert browser.asked["mode"].name == "SENDRECV"
    end_s = time.monotonic() + WAIT_S
    while feed.running:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_network_cameras_are_offered_only_where_the_operator_lists_hosts(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources(page) == [BROWSER, LOOP]
    monkeypatch.setenv(HOSTS_VARIABLE, "cam.local, 192.0.2.9:554")
    page.run()
    assert sources(page) == [BROWSER, LOOP, NETWORK]
    browser.asked = {}
    choose(page, NETWORK)
    assert "Camera" not in [one.label for one in page.segmented_control], "it chooses a phone's front or back"
    (address,) = page.text_input
    address.set_value("rtsp://192.0.2.9:8554/stream").run()
    assert "The host '192.0.2.9' is not among the cameras" in words(page)
    assert not browser.asked
    # as somebody copies it from a message of the page, where it is kept from becoming a link
    address.set_value(f"rtsp://me:secret{WORD_JOINER}@192.0.2.9/stream").run()
    assert not page.error
    assert "Plays rtsp://192.0.2.9/stream" in words(page)
    assert "Press Start; everyone's actions" in words(page), "there is nothing to allow"
    assert browser.asked["mode"].name == "RECVONLY"


def test_a_network_camera_that_goes_is_told_and_its_address_stays(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the field was empty after each session, and what was said was about the browser's connection."""
    is_off = threading.Event()

    def frames(*_: Any) -> Iterator[Frame]:
        for number in count():
            yield Frame(number, number / 30, numbered_picture(number % 200, 160, 120))
            if is_off.is_set():
                raise VideoError("rtsp://cam.local/stream gives no picture; check that it is on.")

    monkeypatch.setattr(feed_module, "camera_frames", frames)
    monkeypatch.setattr(watchdog_module, "CHECK_EVERY_S", 0.05)
    monkeypatch.setenv(HOSTS_VARIABLE, "cam.local")
    page.run()
    choose(page, NETWORK)
    address = "rtsp://cam.local/stream"
    widget(page, "Address").set_value(address).run()
    browser.state.playing = True

    def watch_until(condition: Callable[[], bool]) -> None:
        def holds() -> bool:
            browser.asked["source_video_track"](0, None)
            return condition()

        wait_until(holds)

    watch_until(lambda: camera_of(page).session is not None)
    page.run()
    assert (widget(page, "Address").value, widget(page, "Address").disabled) == (address, True)
    monkeypatch.setattr(watchdog_module, "GONE_AFTER_S", 2 * WAIT_S)
    is_off.set()
    feed = tab(page).live.feed
    assert feed is not None
    watch_until(lambda: feed.problem is not None)
    page.run()
    (told,) = page.warning
    (above,) = page.columns[0].warning
    assert told.value == above.value, "it stands where the picture would be, and on a phone the status is far below"
    assert "gives no picture; check that it is on. The server tries again every 5 s. Everything" in words(page)
    assert told.value.endswith(f"the session ends after {2 * WAIT_S:.0f} s without a picture.")
    monkeypatch.setattr(watchdog_module, "GONE_AFTER_S", 0.5)
    watch_until(lambda: session_of(page).ended is not None)
    watch_until(lambda: feed.problem is not None)
    page.run()
    (told,) = page.columns[0].warning
    assert told.value.startswith("No more pictures came"), "and not that the server tries again"
    browser.state.playing = False
    page.run()
    assert "Press Start; everyone's actions" in words(page)
    (told,) = page.columns[0].children[0].warning
    assert told.value.startswith("No more pictures came"), "it stands at the picture, above the switches"
    assert "No more pictures came from the camera" in words(page)
    assert (widget(page, "Address").value, widget(page, "Address").disabled) == (address, False)
    assert browser.asked["mode"].name == "RECVONLY"
    last = session_of(page)
    assert last.ended is not None
    last.ended = replace(last.ended, given_up=True)
    page.run()
    assert "No more pictures came from the camera" not in words(page), "the camera is well; the server stood still"
    assert "The connection to the browser was lost" in words(page)


def test_a_network_camera_that_never_sent_a_picture_does_not_wait_for_start(
    page: AppTest, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the page said why there is no picture, and to press Start, which had been pressed."""

    def frames(*_: Any) -> Iterator[Frame]:
        raise VideoError("rtsp://cam.local/stream is no address of its pictures.")

    monkeypatch.setattr(feed_module, "camera_frames", frames)
    monkeypatch.setenv(HOSTS_VARIABLE, "cam.local")
    page.run()
    choose(page, NETWORK)
    widget(page, "Address").set_value("rtsp://cam.local/stream").run()
    assert "Press Start" in words(page)
    browser.state.playing = True
    feed = tab(page).live.feed
    assert feed is not None

    def is_told() -> bool:
        browser.asked["source_video_track"](0, None)
        return feed.problem is not None

    wait_until(is_told)
    page.run()
    assert len(page.columns[0].warning) == 1
    assert "is no address of its pictures. The server tries again" in words(page)
    assert "Press Start" not in words(page)


@pytest.mark.parametrize(
    ("clip_ms", "behind_s", "waiting_s", "told"),
    [
        (300.0, 0.8, 0.5, ["**300 ms** to classify a clip; a label is **0.80 s** behind the picture"]),
        (None, None, 4.0, []),
        (None, None, 12.0, ["A clip has waited **12.0 s** for its label: the machine is busy"]),
        (9000.0, 20.0, 12.0, ["**9000 ms** to classify a clip; a label is **20.0 s** behind the picture"]),
    ],
)
def test_a_label_that_does_not_come_is_told(
    clip_ms: float | None, behind_s: float | None, waiting_s: float, told: list[str]
) -> None:
    """Regression: while none came, the page went on telling how soon the last ones had come, or nothing."""
    labeling = LabelingStats(clip_ms, behind_s, waiting_s, joined_clips=0, dropped_clips=0)
    assert status._labeling_in_words(labeling) == told


def test_other_classifier_labels_next_to_the_first(page: AppTest, browser: Browser) -> None:
    widget(page, "Compare with another classifier").set_value("r3d_18")
    play(page, browser)
    stream = session_of(page).stream
    browser.send_until(lambda: stream.stats().other_labeling is not None and len(stream.overlay.shown()) == 2)
    browser.send_until(lambda: "detecting" not in stream.overlay.shown()[1].text)
    page.run()
    assert not page.exception
    assert len(charts(page)) == 2
    assert words(page).count("to classify a clip") == 2
    stop(page, browser)
    (link,) = links(page)
    assert link.label == "Compare the two classifiers' labels"
    run = tab(page).analyse.shown
    assert run is not None
    assert parse_qs(link.query_string) == {"comparison": [run.analysis_id]}
    # the next session has one voice; the first one's comparison is a click away
    widget(page, "Compare with another classifier").set_value(None)
    page.run()
    play(page, browser)
    stop(page, browser)
    assert not links(page)
    widget(page, "Session").set_value(run.analysis_id)
    page.run()
    assert len(links(page)) == 1


def links(at: AppTest) -> list[Any]:
    """Return the links to comparisons."""
    return [one.proto for one in at.get("page_link") if one.proto.label.startswith("Compare")]


def compared(at: AppTest, browser: Browser) -> AppTest:
    """A session with two classifiers that never agree, as the page that compares opens it."""
    widget(at, "Compare with another classifier").set_value("r3d_18")
    play(at, browser)
    stream = session_of(at).stream
    browser.send_until(lambda: len(stream.overlay.shown()) == 2 and "detecting" not in stream.overlay.shown()[1].text)
    stop(at, browser)
    (link,) = links(at)
    at.switch_page("pages/compare.py")
    at.query_params["comparison"] = parse_qs(link.query_string)["comparison"][0]
    at.run()
    assert not at.exception
    return at


@pytest.fixture
def two_minds(monkeypatch: pytest.MonkeyPatch, networks: Networks) -> None:
    """Each classifier says its own word."""
    words_of = {"s3d": "waving", "r3d_18": "jogging"}

    def load(settings: Settings, progress: Any = None) -> tuple[Any, dict[str, str]]:
        name = settings.video_classifier_model
        classifier = ScriptedClassifier(lambda _: ((words_of[name], 0.6), ("yoga", 0.3)))
        classifier.name = name
        return classifier, {"classifier": name}

    monkeypatch.setattr(models_module, "load_clip_classifier", load)


@pytest.mark.usefixtures("two_minds")
def test_what_two_classifiers_said_is_a_comparison_without_pictures(page: AppTest, browser: Browser) -> None:
    compared(page, browser)
    assert "Camera 20" in words(page)
    assert [one.value for one in page.subheader] == ["What to compare", "Comparison", "Agreement", "Where they differ"]
    differences = page.dataframe[-1].value
    assert set(zip(differences["s3d"], differences["r3d_18"], strict=True)) == {("waving", "jogging")}
    assert "Select a row to go there in the video and to see both networks' labels." in words(page)
    choose_difference(page)
    assert "The networks' input is not stored for a camera." in words(page)
    assert played(page).note == "This session was not recorded, so there is no video to play."
    tops = [table.value["Label"].tolist() for table in page.dataframe if "Label" in table.value.columns]
    assert tops == [["waving", "yoga"], ["jogging", "yoga"]]
    assert not page.error
    assert tab(page).video is None


@pytest.mark.usefixtures("two_minds")
def test_recorded_session_plays_the_moment_of_a_difference(page: AppTest, browser: Browser) -> None:
    toggle(page, "Record").set_value(True)
    compared(page, browser)
    choose_difference(page)
    assert played(page).state == "ready", "the workbench plays the recording"
    assert tab(page).video is None, "the recording has labels drawn on it: it is not to be analysed again"


def played(at: AppTest) -> Playable:
    """Return what the workbench of the shown comparison plays."""
    shown = tab(at).compare.shown
    assert shown is not None
    assert workbench_data(at)["api"] == f"recognizer/comparison/{shown.comparison_id}/"
    context = server_module.context()
    opened = context.workbench.opened(shown.comparison_id, "comparison")
    assert opened is not None
    return playable(context, opened)


def choose_difference(at: AppTest) -> None:
    at.session_state["differences-s3d-r3d_18"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert not at.exception
