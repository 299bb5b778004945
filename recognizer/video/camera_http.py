"""A camera's answer over HTTP, from the one machine that its address stands for. Redirects are refused."""

from __future__ import annotations

import http.client
import time
from typing import Final

from recognizer.errors import VideoError
from recognizer.video.camera_address import TIMEOUT_S, CameraAddress
from recognizer.video.camera_login import authorization

_MOTION_JPEG: Final = "multipart/x-mixed-replace"


class HttpCamera:
    """The pictures of an HTTP camera as a file that can only be read on; FFmpeg opens no connection of its own.

    Attributes:
        format: FFmpeg's name of the format, where the camera states it and FFmpeg may not see it; else None.
    """

    def __init__(self, address: CameraAddress) -> None:
        """Connect and ask for the pictures.

        Raises:
            OSError, http.client.HTTPException: it does not answer, or not with pictures.
            VideoError: it sends on to another address.
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
            status = self._response.status
            self.close()
            raise OSError(f"the camera answers {status}")
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

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._connection.close()

    def _asked(self, login: str | None) -> http.client.HTTPResponse:
        connection = self._connection = http.client.HTTPConnection(self._address.host, self._address.port)
        connection.sock = self._address.connect()
        headers = {"Host": self._address.authority, "User-Agent": "who-does-what-when", "Accept": "*/*"}
        if login is not None:
            headers["Authorization"] = login
        try:
            connection.request("GET", self._address.target, headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise


def sends_on(address: CameraAddress) -> VideoError:
    """Return the error for a camera that redirects to another address."""
    return VideoError(
        f"{address.shown} sends on to another address, which is not followed; give the camera's own address."
    )
