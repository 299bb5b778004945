"""A network camera: a real HTTP server with motion JPEG or a file, on this machine's loopback."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer import processes
from recognizer.errors import VideoError
from recognizer.live import feed as feed_module
from recognizer.live.feed import Feed, camera_frames, looped_frames
from recognizer.types import Frame
from recognizer.video import check_address, shown_address
from recognizer.video.camera_http import HttpRelay
from recognizer.video.workers import workers
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.slow


class Camera(BaseHTTPRequestHandler):
    """``/live`` is motion JPEG, ``/still`` stops after two pictures, ``/file`` is a file, ``/odd`` one with a codec
    that nobody knows, ``/list`` a playlist, ``/elsewhere`` a redirect."""

    file = b""
    odd = b""
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path in ("/live", "/still"):
            self._stream(2 if self.path == "/still" else 10_000)
        elif self.path == "/file":
            self._answer(self.file, "video/mp4")
        elif self.path == "/odd":
            self._answer(self.odd, "video/x-matroska")
        elif self.path == "/list":
            address = f"http://{self.headers['Host']}/file"
            self._answer(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}\n".encode(), "video/mp4")
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "/live")
            self.end_headers()
        else:
            self.send_error(503 if self.path == "/full" else 404)

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, pictures: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            for k in range(pictures):
                ok, jpeg = cv2.imencode(".jpg", np.full((96, 128, 3), k % 200, np.uint8))
                assert ok
                part = jpeg.tobytes()
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(part))
                self.wfile.write(part + b"\r\n")
                time.sleep(0.02)
            self.wfile.write(b"--frame\r\n")
            self.rfile.read(1)  # until whoever watches goes
        except (BrokenPipeError, ConnectionResetError):
            return  # whoever watched has gone

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def camera_url(make_video: Callable[..., Path]) -> Iterator[str]:
    Camera.file = make_video("remote.mp4", frames=12, fps=30, options={"movflags": "faststart"}).read_bytes()
    Camera.odd = make_video("odd.mkv", frames=12).read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ", 1)
    Camera.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


HOSTS = ("127.0.0.1",)


@pytest.mark.parametrize("decoder", ["worker", "inline"])
def test_pictures_come_from_a_camera_and_carry_the_time_they_came(
    camera_url: str, decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(processes.WHERE_VARIABLE, decoder)
    frames = camera_frames(f"{camera_url}/live", HOSTS)
    began_s = time.monotonic()
    taken = list(islice(frames, 20))
    took_s = time.monotonic() - began_s
    frames.close()  # type: ignore[attr-defined]
    assert [frame.index for frame in taken] == list(range(20))
    assert all(frame.rgb.shape == (96, 128, 3) for frame in taken)
    assert np.all(np.diff([frame.time_s for frame in taken]) > 0)
    assert taken[-1].time_s <= took_s


def test_a_decoder_that_dies_costs_its_camera_a_sentence_and_nobody_else(camera_url: str) -> None:
    others = set(workers()._busy)
    frames = camera_frames(f"{camera_url}/live", HOSTS)
    next(frames)
    (busy,) = workers()._busy - others
    os.kill(busy.pid, signal.SIGKILL)
    with pytest.raises(
        VideoError, match=r"the decoder of http://127\.0\.0\.1:\d+/live broke down, it was ended by SIGKILL"
    ):
        list(islice(frames, 100))
    again = camera_frames(f"{camera_url}/live", HOSTS)
    assert next(again).index == 0
    again.close()  # type: ignore[attr-defined]


def test_a_camera_that_stands_still_does_not_hold_up_its_end(camera_url: str) -> None:
    others = set(workers()._busy)
    frames = camera_frames(f"{camera_url}/still", HOSTS)
    next(frames)
    (busy,) = workers()._busy - others
    frames.close()  # type: ignore[attr-defined]
    assert busy.is_alive(), "it did not have to be ended"
    assert busy not in workers()._busy


def test_a_relay_serves_whoever_has_its_token_and_its_order_holds_no_password(camera_url: str) -> None:
    address = camera_url.replace("//", "//me:secret@")
    with closing(HttpRelay(check_address(f"{address}/live", HOSTS), 480)) as relay:
        assert "secret" not in repr(relay.order)
        assert "me" not in relay.order.shown
        port = relay.order.port
        with closing(socket.create_connection(("127.0.0.1", port))) as stranger:
            stranger.sendall(bytes(len(relay.order.token)))
            assert stranger.recv(1) == b""
        with closing(socket.create_connection(("127.0.0.1", port))) as decoder:
            decoder.sendall(relay.order.token)
            assert decoder.recv(2) == b"--"


def test_file_at_an_address_has_its_own_times_and_an_end(camera_url: str) -> None:
    times_s = [frame.time_s for frame in camera_frames(f"{camera_url}/file", HOSTS)]
    assert times_s == pytest.approx([k / 30 for k in range(12)], abs=0.001)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://192.0.2.7/live", "the host '192.0.2.7' is not among the cameras"),
        ("http://127.0.0.1.example.org/live", "the host '127.0.0.1.example.org' is not among the cameras"),
        ("http://127.0.0.1@192.0.2.7/live", "the host '192.0.2.7' is not among the cameras"),
        ("file:///etc/passwd", "is not a camera's address"),
        ("concat:http://127.0.0.1/a|file:/etc/passwd", "is not a camera's address"),
        ("/etc/passwd", "is not a camera's address"),
        ("http://127.0.0.1:port/live", "is not a camera's address"),
        ("rtmp://127.0.0.1/live", "is not a camera's address"),
    ],
)
def test_address_that_is_not_listed_is_refused_before_anything_is_opened(address: str, message: str) -> None:
    with pytest.raises(VideoError, match=r"\.$") as raised:
        next(camera_frames(address, HOSTS))
    assert message in str(raised.value)


def test_host_can_be_listed_with_its_port() -> None:
    check_address("rtsp://Cam.local/stream", ["cam.local:554"])
    check_address("http://cam.local:8080/video", ["cam.local"])
    with pytest.raises(VideoError, match="is not among"):
        check_address("http://cam.local:8080/video", ["cam.local:554"])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/elsewhere", "sends on to another address, which is not followed"),
        ("/list", "gives no picture; check that the camera is on"),
        ("/nothing", "is no address of its pictures; take what follows the host from the camera's manual"),
        ("/full", "answers with error 503; close other programs that watch it"),
        ("/odd", "the video codec of .* is not supported; have the camera send H.264 or MJPEG"),
    ],
)
def test_redirect_playlist_and_nothing_are_not_followed(camera_url: str, path: str, message: str) -> None:
    with pytest.raises(VideoError, match=message):
        next(camera_frames(camera_url + path, HOSTS))
    assert set(Camera.asked) == {path}


def test_password_is_in_no_message() -> None:
    assert shown_address("rtsp://me:secret@cam.local:554/a?token=1") == "rtsp://cam.local/a"
    with pytest.raises(VideoError) as raised:
        next(camera_frames("rtsp://me:secret@cam.local/a", HOSTS))
    assert "secret" not in str(raised.value)


# ---- the feed


class Annotated:
    """Marks each picture, and keeps when it came; waits while ``let_go`` is not set."""

    def __init__(self) -> None:
        self.arrived_s: list[float] = []
        self.let_go = threading.Event()
        self.let_go.set()

    def __call__(self, rgb: NDArray[np.uint8], arrived_s: float) -> NDArray[np.uint8]:
        assert self.let_go.wait(WAIT_S)
        self.arrived_s.append(arrived_s)
        return np.full_like(rgb, 200)


def test_file_plays_in_a_loop_at_its_own_pace_while_somebody_watches(
    make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video(frames=10, fps=20)
    annotate = Annotated()
    feed = Feed(lambda: looped_frames(video, "loop.mp4"), annotate)
    assert not feed.running
    began_s = time.monotonic()
    while len(annotate.arrived_s) < 24:  # more than twice through
        picture = feed.latest().to_ndarray(format="rgb24")
        assert time.monotonic() - began_s < WAIT_S
        time.sleep(0.01)
    assert picture[0, 0].tolist() == pytest.approx([200, 200, 200], abs=3)
    # 23 steps at 20 a second, but for the one step between two rounds
    assert annotate.arrived_s[-1] - annotate.arrived_s[0] > 23 / 20 * 0.9
    monkeypatch.setattr(feed_module, "_IDLE_S", 0.3)
    wait_until(lambda: not feed.running)
    annotate.let_go.clear()
    assert feed.latest().to_ndarray(format="rgb24")[0, 0].tolist() == pytest.approx([96, 96, 96], abs=3)
    annotate.let_go.set()
    wait_until(lambda: len(annotate.arrived_s) > 26)  # whoever comes back sees it again
    feed.close()
    wait_until(lambda: not feed.running)


def test_feed_that_rests_gives_nothing_more_until_somebody_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    monkeypatch.setattr(feed_module, "_REST_S", WAIT_S)  # it waits so long, in real time, for the feed to end
    monkeypatch.setattr(feed_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    annotate = Annotated()
    feed = Feed(lambda: (Frame(k, k / 100, np.zeros((8, 8, 3), np.uint8)) for k in range(100_000)), annotate)
    feed.latest()
    wait_until(lambda: len(annotate.arrived_s) > 5)
    feed.rest()
    given = len(annotate.arrived_s)
    feed.latest()  # of a connection that is being closed
    assert not feed.running
    assert len(annotate.arrived_s) == given
    now_s += WAIT_S
    feed.latest()
    wait_until(lambda: len(annotate.arrived_s) > given)
    feed.close()


def test_feed_plays_on_when_the_server_stood_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: nobody's request had come meanwhile, so it closed the source, and a file began again."""
    now_s = 1000.0
    monkeypatch.setattr(feed_module, "time", SimpleNamespace(monotonic=lambda: now_s))
    opened: list[int] = []

    def frames() -> Iterator[Frame]:
        nonlocal now_s
        opened.append(1)
        for k in count():
            if k == 3:
                now_s += WAIT_S
            yield Frame(k, 0.0, np.zeros((8, 8, 3), np.uint8))

    annotate = Annotated()
    feed = Feed(frames, annotate)
    feed.latest()
    wait_until(lambda: len(annotate.arrived_s) > 5)
    assert opened == [1]
    feed.close()
    wait_until(lambda: not feed.running)


def test_source_that_breaks_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "_AGAIN_AFTER_S", 0.1)
    tries: list[int] = []
    told = threading.Event()

    def frames() -> Iterator[Frame]:
        tries.append(1)
        if len(tries) < 3:
            raise VideoError("http://cam gives no picture; check that the camera is on.")
        assert told.wait(WAIT_S)
        yield from (Frame(k, k / 100, np.zeros((8, 8, 3), np.uint8)) for k in range(1000))

    annotate = Annotated()
    feed = Feed(frames, annotate)
    wait_until(lambda: bool(feed.latest()) and len(tries) == 3)
    assert "The server tries again" in (feed.problem or "")
    told.set()
    wait_until(lambda: bool(feed.latest()) and bool(annotate.arrived_s))
    wait_until(lambda: feed.problem is None)
    feed.close()
    wait_until(lambda: not feed.running)


def test_what_a_source_lacked_is_no_longer_told_once_nobody_watches() -> None:
    """Regression: after Stop, the page went on saying that the server tries again."""

    def frames() -> Iterator[Frame]:
        raise VideoError("http://cam gives no picture; check that the camera is on.")

    feed = Feed(frames, Annotated())
    wait_until(lambda: bool(feed.latest()) and feed.problem is not None)
    feed.rest()
    wait_until(lambda: not feed.running)
    assert feed.problem is None
