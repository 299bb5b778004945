"""An RTSP camera: a small server on this machine's loopback that sends MPEG-TS over RTP in the same connection."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from recognizer.errors import VideoError
from recognizer.live.feed import camera_frames
from tests.support.waiting import WAIT_S

HOSTS = ("127.0.0.1",)
SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n"
TS_PACKETS_BYTES = 7 * 188
IDR_SLICE, SPS, PPS = 5, 7, 8
"""Types of H.264's units (ITU-T H.264, table 7-1)."""


class RtspCamera:
    """Answers on one port.

    Attributes:
        answers: by method, an answer in place of the usual one.
        password: what a request must have in its ``Authorization``; empty for none.
        pauses_after: the share of the pictures after which it waits for ``go_on``.
        asked: the first lines of all requests, of all connections.
    """

    def __init__(self, pictures: bytes = b"") -> None:
        self.answers: dict[str, str] = {}
        self.password = ""
        self.asked: list[str] = []
        self.signed: list[str] = []
        self.pauses_after = 1.0
        self.go_on = threading.Event()
        self._pictures = pictures
        self._server = socket.create_server(("127.0.0.1", 0))
        self.root = f"rtsp://127.0.0.1:{self._server.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        for one in (self._server, *self._connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._connections.append(connection)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection.makefile("rb") as asked:
            while (line := asked.readline()).strip():
                if line.startswith(b"$"):
                    return
                headers = _headers(asked)
                first = line.decode().strip()
                self.asked.append(first)
                method = first.split(" ")[0]
                if self.password and self.password not in headers.get("Authorization", ""):
                    self._send(
                        connection, headers, "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"\r\n'
                    )
                    continue
                self.signed.append(headers.get("Authorization", ""))
                self._usual(connection, method, headers)

    def _usual(self, connection: socket.socket, method: str, headers: dict[str, str]) -> None:
        if method in self.answers:
            self._send(connection, headers, self.answers[method], "")
        elif method == "DESCRIBE":
            more = f"Content-Base: {self.root}/live/\r\nContent-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n"
            self._send(connection, headers, "200 OK", more, SDP)
        elif method == "SETUP":
            self._send(connection, headers, "200 OK", f"Session: 1\r\nTransport: {headers['Transport']}\r\n")
        else:
            self._send(connection, headers, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n")
        if method == "PLAY":
            self._play(connection)

    def _send(self, connection: socket.socket, headers: dict[str, str], status: str, more: str, body: str = "") -> None:
        connection.sendall(f"RTSP/1.0 {status}\r\nCSeq: {headers.get('CSeq', 0)}\r\n{more}\r\n{body}".encode())

    def _play(self, connection: socket.socket) -> None:
        for number, begin in enumerate(range(0, len(self._pictures), TS_PACKETS_BYTES)):
            if begin > self.pauses_after * len(self._pictures):
                assert self.go_on.wait(WAIT_S)
            piece = self._pictures[begin : begin + TS_PACKETS_BYTES]
            packet = b"\x80\x21" + number.to_bytes(2) + (number * 3000).to_bytes(4) + b"\0\0\0\1" + piece
            connection.sendall(b"$\0" + len(packet).to_bytes(2) + packet)
        connection.shutdown(socket.SHUT_RDWR)


def _headers(asked: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := asked.readline().decode().strip():
        name, _, value = line.partition(": ")
        headers[name] = value
    return headers


@pytest.fixture
def camera(make_video: Callable[..., Path]) -> Iterator[RtspCamera]:
    server = RtspCamera(make_video("a.ts", frames=40, fps=30).read_bytes())
    yield server
    server.close()


@pytest.fixture
def other() -> Iterator[RtspCamera]:
    server = RtspCamera()
    yield server
    server.close()


def test_pictures_come_through_and_the_camera_sees_its_own_address(camera: RtspCamera) -> None:
    taken = list(islice(camera_frames(f"{camera.root}/live?channel=1", HOSTS), 5))
    assert [frame.rgb.shape for frame in taken] == [(48, 64, 3)] * 5
    assert camera.asked[0] == f"OPTIONS {camera.root}/live?channel=1 RTSP/1.0"
    assert all(re.fullmatch(rf"[A-Z_]+ {camera.root}/live\S* RTSP/1\.0", line) for line in camera.asked)


def test_camera_is_signed_in_to(camera: RtspCamera) -> None:
    camera.password = 'username="me", realm="r", nonce="n", uri="rtsp://'
    address = camera.root.replace("//", "//me:secret@") + "/live"
    assert len(list(islice(camera_frames(address, HOSTS), 3))) == 3
    # after the first challenge, each request is signed at once
    assert len(camera.asked) == len(camera.signed) + 1
    assert "secret" not in "".join(camera.asked)


def test_wrong_password_is_a_sentence(camera: RtspCamera) -> None:
    camera.password = "nobody has it"
    with pytest.raises(VideoError, match=r"/live does not accept the name and password; .*\.$") as raised:
        next(camera_frames(camera.root.replace("//", "//me:secret@") + "/live", HOSTS))
    assert "secret" not in str(raised.value)
    with pytest.raises(VideoError, match=rf" like {camera.root.replace('//', '//name:password@')}/live\.$"):
        next(camera_frames(f"{camera.root}/live?token=1", HOSTS))


@pytest.mark.parametrize(
    ("method", "answer", "message"),
    [
        ("DESCRIBE", "403 Forbidden", "forbids it; allow this user"),
        ("DESCRIBE", "404 Not Found", "is no address of its pictures"),
        ("SETUP", "461 Unsupported Transport", "does not send over TCP"),
        ("PLAY", "453 Not Enough Bandwidth", "answers with error 453; close other programs"),
    ],
)
def test_refusal_is_told_by_its_reason(camera: RtspCamera, method: str, answer: str, message: str) -> None:
    camera.answers[method] = answer
    with pytest.raises(VideoError, match=rf"^{camera.root}/live {message}.*\.$"):
        next(camera_frames(f"{camera.root}/live", HOSTS))


def test_first_picture_does_not_wait_for_a_second_of_others(camera: RtspCamera) -> None:
    """Regression: FFmpeg collected 20 pictures to find a rate that nobody asked for, and they came all at once."""
    camera.pauses_after = 0.4
    frames = camera_frames(f"{camera.root}/live", HOSTS)
    assert next(frames).index == 0
    camera.go_on.set()
    assert len(list(islice(frames, 20))) == 20


def sliced(path: Path, frames: int) -> bytes:
    """Return white pictures in four slices each, with the parameters between two of them in every tenth picture."""
    white = av.VideoFrame.from_ndarray(np.full((128, 128, 3), 255, np.uint8), format="rgb24")
    options = {"x264-params": "slices=4:keyint=10:bframes=0:threads=1:sliced-threads=0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p"
        for packet in [*chain.from_iterable(stream.encode(white) for _ in range(frames)), *stream.encode()]:
            units = [one for one in re.split(rb"\0\0\0?\x01", bytes(packet)) if one]
            slices = [k for k, one in enumerate(units) if one[0] & 31 == IDR_SLICE]
            if slices:
                units[slices[2] : slices[2]] = [one for one in units if one[0] & 31 in (SPS, PPS)]
            again = av.Packet(b"".join(b"\0\0\0\x01" + one for one in units))
            again.pts, again.dts, again.time_base, again.stream = packet.pts, packet.dts, packet.time_base, stream
            container.mux(again)
    return path.read_bytes()


def test_parameters_between_two_slices_leave_no_picture_green(tmp_path: Path) -> None:
    """Regression: FFmpeg, which decoded slices in parallel, left half of these pictures green, and of those after."""
    camera = RtspCamera(sliced(tmp_path / "a.ts", 40))
    taken = list(islice(camera_frames(f"{camera.root}/live", HOSTS), 25))
    camera.close()
    assert [frame.index for frame in taken if frame.rgb.min() < 200] == []


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_redirect_is_not_followed_wherever_it_comes(camera: RtspCamera, other: RtspCamera, method: str) -> None:
    camera.answers[method] = f"302 Moved Temporarily\r\nLocation: {other.root}/live"
    with pytest.raises(VideoError, match="sends on to another address, which is not followed"):
        next(camera_frames(f"{camera.root}/live", HOSTS))
    assert not other.asked


@pytest.mark.parametrize("answer", ["nonsense", "200 OK\r\nContent-Length: -1", "200 OK\r\nX: " + 3000 * "x"])
def test_camera_that_speaks_no_rtsp_is_a_sentence(camera: RtspCamera, answer: str) -> None:
    camera.answers["DESCRIBE"] = answer
    with pytest.raises(VideoError, match=r"gives no picture"):
        next(camera_frames(f"{camera.root}/live", HOSTS))


def test_nobody_there_is_a_sentence(camera: RtspCamera) -> None:
    camera.close()
    with pytest.raises(VideoError, match=r"gives no picture"):
        next(camera_frames(f"{camera.root}/live", HOSTS))
