"""A camera's answer over HTTP, from the one machine that its address stands for. Redirects are refused."""

from __future__ import annotations

import http.client
import secrets
import socket
import threading
import time
from contextlib import suppress
from typing import Final

from recognizer.errors import VideoError
from recognizer.video.camera_address import TIMEOUT_S, CameraAddress, hang_up, refused, sends_on
from recognizer.video.camera_login import authorization
from recognizer.video.messages import Watch

_MOTION_JPEG: Final = "multipart/x-mixed-replace"
_TOKEN_BYTES: Final = 16
_PIECE_BYTES: Final = 65_536


class HttpRelay:
    """Passes on what an HTTP camera sends, to the one connection from this machine that knows the token.

    Attributes:
        order: asks a decoder for the pictures.
        problem: None; whoever sends on or refuses does so before there is a relay.
    """

    def __init__(self, address: CameraAddress, max_height_px: int) -> None:
        """Connect to the camera, and ask for the pictures.

        Raises:
            OSError, http.client.HTTPException, VideoError: see ``HttpCamera``.
        """
        self.problem: VideoError | None = None
        self._camera = HttpCamera(address)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        self._token = secrets.token_bytes(_TOKEN_BYTES)
        self._player: socket.socket | None = None
        port = self._listener.getsockname()[1]
        self.order = Watch(address.shown, max_height_px, port=port, token=self._token, format=self._camera.format)
        threading.Thread(target=self._serve, name="camera-relay", daemon=True).start()

    def expect(self) -> None:
        """Begin the wait for the next picture."""
        self._camera.expect()

    def close(self) -> None:
        """End both connections."""
        self._camera.end()
        hang_up(self._listener, self._player)

    def _serve(self) -> None:
        try:
            self._player = self._accepted()
            self._camera.expect()
            while piece := self._camera.read(_PIECE_BYTES):
                self._player.sendall(piece)
        except (OSError, ValueError):  # closed, or nothing came in time
            return
        finally:
            self.close()
            self._camera.close()

    def _accepted(self) -> socket.socket:
        """Wait for the decoder's connection; leave others alone.

        Raises:
            OSError: it did not come.
        """
        while True:
            player, _ = self._listener.accept()
            player.settimeout(TIMEOUT_S)
            # pictures that wait here would be late
            player.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIECE_BYTES)
            with suppress(OSError), player.makefile("rb") as asked:
                if secrets.compare_digest(asked.read(_TOKEN_BYTES), self._token):
                    self._listener.close()
                    player.settimeout(None)  # whoever watches may pause
                    return player
            player.close()


class HttpCamera:
    """The pictures of an HTTP camera as a file that can only be read on.

    Attributes:
        format: FFmpeg's name of the format, where the camera states it and FFmpeg may not see it; else None.
    """

    def __init__(self, address: CameraAddress) -> None:
        """Connect and ask for the pictures.

        Raises:
            OSError, http.client.HTTPException: it does not answer.
            VideoError: it sends on to another address, or answers with an error.
        """
        self._address = address
        self.expect()
        self._response = self._asked(None)
        if self._response.status == http.client.UNAUTHORIZED:
            challenges = self._response.headers.get_all("WWW-Authenticate", [])
            login = authorization(challenges, address.user, address.password, "GET", address.target)
            self.close()
            if login is not None:
                self._response = self._asked(login)
        if 300 <= self._response.status < 400:
            self.close()
            raise sends_on(address)
        if self._response.status != http.client.OK:
            self.close()
            raise refused(address, self._response.status)
        kind = self._response.headers.get_content_type()
        self.format = "mpjpeg" if kind == _MOTION_JPEG else None

    def read(self, size: int) -> bytes:
        """Return what has come, at most ``size`` bytes; nothing at the end.

        Raises:
            OSError: nothing came for ``TIMEOUT_S``, or no picture was whole by then.
        """
        if time.monotonic() > self._latest_s:
            raise TimeoutError("no picture came in time")
        try:
            return self._response.read1(size)
        except http.client.HTTPException as error:  # the connection broke off within a piece
            raise OSError(str(error)) from error

    def expect(self) -> None:
        """Begin the wait for the next picture."""
        self._latest_s = time.monotonic() + TIMEOUT_S

    def end(self) -> None:
        """Let nothing more come, and wake a thread that reads; it closes the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._connection.close()

    def _asked(self, login: str | None) -> http.client.HTTPResponse:
        connection = self._connection = http.client.HTTPConnection(self._address.host, self._address.port)
        connection.sock = self._socket = self._address.connect()
        headers = {"Host": self._address.authority, "User-Agent": "who-does-what-when", "Accept": "*/*"}
        if login is not None:
            headers["Authorization"] = login
        try:
            connection.request("GET", self._address.target, headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
