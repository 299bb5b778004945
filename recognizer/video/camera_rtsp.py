"""Stand between FFmpeg and an RTSP camera, so that FFmpeg connects to nothing but this machine.

FFmpeg follows a camera's redirect (RFC 2326, 10.8 and 11) to any host, and has no option against it. It is given an
address of this machine's loopback instead: what it asks is passed on to the one machine that the camera's address
stands for, with the camera's own address in it, and a redirect ends the connection. Signing in happens here, since the
answer to a challenge depends on the address.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from recognizer.errors import VideoError
from recognizer.video.camera_address import TIMEOUT_S, CameraAddress, hang_up, refused, sends_on
from recognizer.video.camera_login import authorization
from recognizer.video.messages import Watch

_MOST_LINES: Final = 200
_MOST_LINE_BYTES: Final = 2000
"""FFmpeg cuts longer lines off (libavformat, ``ff_rtsp_read_reply``)."""

_MOST_BODY_BYTES: Final = 1_000_000

_ANSWER: Final = re.compile(r"RTSP/1\.\d ([1-5]\d\d)( .*)?")
_NEEDED: Final = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY")
_DATA: Final = b"$"
"""Begins a packet of pictures between two messages (RFC 2326, 10.12)."""


class RtspRelay:
    """Passes one camera's messages and packets on while it is open.

    Attributes:
        order: asks a decoder for the pictures.
        problem: the error for a camera that tried to send FFmpeg elsewhere, or refuses; None if it did not.
    """

    def __init__(self, address: CameraAddress, max_height_px: int) -> None:
        """Connect to the camera.

        Raises:
            OSError: it does not answer.
        """
        self.problem: VideoError | None = None
        self._address = address
        self._camera = address.connect()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        self._own_root = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.order = Watch(address.shown, max_height_px, url=self._own_root + address.target)
        self._player: socket.socket | None = None
        self._latest: _Message | None = None
        self._is_repeated = False
        self._challenges: list[str] = []
        threading.Thread(target=self._serve, name="camera-relay", daemon=True).start()

    def expect(self) -> None:
        """Do nothing: FFmpeg itself gives up on a camera that is late."""

    def close(self) -> None:
        """End both connections."""
        hang_up(self._listener, self._camera, self._player)

    def _serve(self) -> None:
        """Take FFmpeg's connection, one and no other, and pass both directions on."""
        try:
            player, _ = self._listener.accept()
        except OSError:  # closed, or FFmpeg did not come
            self.close()
            return
        self._player = player
        player.settimeout(None)
        self._listener.close()
        asking = threading.Thread(
            target=self._pass_on, args=(self._from_player, player), name="camera-ask", daemon=True
        )
        asking.start()
        self._pass_on(self._from_camera, player)

    def _pass_on(self, direction: Callable[[socket.socket], None], player: socket.socket) -> None:
        try:
            direction(player)
        except (OSError, ValueError):
            return  # one of the two has gone, or speaks no RTSP
        finally:
            self.close()

    def _from_player(self, player: socket.socket) -> None:
        messages = _Messages(player)
        while (message := messages.next()) is not None:
            if isinstance(message, _Message):
                message.replace_in_first_line(self._own_root, self._address.root)
                self._latest, self._is_repeated = message, False
                self._sign(message)
                message = message.content
            self._camera.sendall(message)

    def _from_camera(self, player: socket.socket) -> None:
        messages = _Messages(self._camera)
        while (message := messages.next()) is not None:
            if isinstance(message, _Message):
                status = message.status
                if status is None:
                    continue  # the camera's own request, such as REDIRECT; FFmpeg needs none
                if 300 <= status < 400:
                    self.problem = sends_on(self._address)
                    return
                if status == HTTPStatus.UNAUTHORIZED and self._tries_again(message):
                    continue
                self._note(status)
                message = message.content
            player.sendall(message)

    def _note(self, status: int) -> None:
        """Note whether the camera refuses; FFmpeg may do without what it asked for."""
        if self._latest is None or self._latest.first_line.split(" ")[0] not in _NEEDED:
            return
        self.problem = refused(self._address, status) if status >= 400 else None

    def _tries_again(self, refusal: _Message) -> bool:
        """Repeat the latest request with name and password; return False if that was tried, or cannot be."""
        request = self._latest
        if request is None or self._is_repeated:
            return False
        self._is_repeated, self._challenges = True, refusal.headers("WWW-Authenticate")
        if not self._sign(request):
            return False
        self._camera.sendall(request.content)
        return True

    def _sign(self, request: _Message) -> bool:
        method, uri, *_ = request.first_line.split(" ")
        login = authorization(self._challenges, self._address.user, self._address.password, method, uri)
        if login is not None:
            request.set_header("Authorization", login)
        return login is not None


class _Message:
    """A message, with its lines and its body; each is passed on as it was understood here, not as it came."""

    def __init__(self, lines: list[str], body: bytes) -> None:
        self._lines = lines
        self._body = body

    @property
    def content(self) -> bytes:
        return "".join(f"{line}\r\n" for line in (*self._lines, "")).encode("latin-1") + self._body

    @property
    def first_line(self) -> str:
        return self._lines[0]

    @property
    def status(self) -> int | None:
        """The status of an answer; None for a request.

        Raises:
            ValueError: it is an answer without a status.
        """
        answer = _ANSWER.fullmatch(self.first_line)
        if answer is None and self.first_line.lstrip().startswith("RTSP/"):
            raise ValueError("no status")
        return None if answer is None else int(answer[1])

    def replace_in_first_line(self, own_root: str, root: str) -> None:
        self._lines[0] = self.first_line.replace(own_root, root, 1)

    def headers(self, name: str) -> list[str]:
        return _headers(self._lines[1:], name)

    def set_header(self, name: str, value: str) -> None:
        kept = [line for line in self._lines if not line.lower().startswith(f"{name.lower()}:")]
        self._lines = [*kept, f"{name}: {value}"]


def _headers(lines: list[str], name: str) -> list[str]:
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for key, _, value in pairs if key.strip().lower() == name.lower()]


class _Messages:
    """Takes messages and packets off a connection, one after another."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def next(self) -> _Message | bytes | None:
        """Return the next message, or a whole packet of pictures; None at the end.

        Raises:
            OSError: the connection broke.
            ValueError: what comes is neither, or could be understood in two ways.
        """
        while not self._buffer or self._buffer.startswith((b"\r", b"\n")):
            del self._buffer[:1]
            if not self._buffer and not self._receive():
                return None
        if self._buffer.startswith(_DATA):
            self._wait_for(4)
            return self._taken(4 + int.from_bytes(self._buffer[2:4]))
        lines = []
        while line := self._line():
            lines.append(line)
            if len(lines) > _MOST_LINES or line.startswith(_DATA.decode()):
                raise ValueError("no message")
        lengths = _headers(lines[1:], "Content-Length")
        if len(lengths) > 1 or not all(one.isdecimal() and int(one) <= _MOST_BODY_BYTES for one in lengths):
            raise ValueError("no length")
        return _Message(lines, self._taken(int(lengths[0]) if lengths else 0))

    def _line(self) -> str:
        """Return the next line, without its end, which is LF with or without CR before it."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MOST_LINE_BYTES or not self._receive():
                raise ValueError("no line")
        line = self._taken(end + 1).rstrip(b"\r\n")
        if len(line) > _MOST_LINE_BYTES or b"\r" in line or b"\0" in line:
            raise ValueError("no line")
        return line.decode("latin-1")

    def _receive(self) -> bool:
        piece = self._connection.recv(65_536)
        self._buffer += piece
        return bool(piece)

    def _wait_for(self, size: int) -> None:
        while len(self._buffer) < size:
            if not self._receive():
                raise ValueError("it ends within a message")

    def _taken(self, size: int) -> bytes:
        self._wait_for(size)
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
