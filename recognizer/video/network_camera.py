"""Read a network camera, only from hosts that the operator of this server has listed.

This process connects to the camera, signs in and refuses redirects. A relay passes on what comes to the decoder, which
knows neither the camera's address nor the password.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from http.client import HTTPException

from recognizer import processes
from recognizer.errors import VideoError
from recognizer.types import Frame
from recognizer.video.camera_address import CameraAddress, check_address, no_picture
from recognizer.video.camera_http import HttpRelay
from recognizer.video.camera_rtsp import RtspRelay
from recognizer.video.decoding import Stop
from recognizer.video.decoding_elsewhere import CameraRelay, watched_elsewhere


def network_frames(address: str, hosts: Collection[str], max_height_px: int) -> Iterator[Frame]:
    """Yield the camera's pictures as they arrive, scaled down to ``max_height_px``; see ``camera_pictures.watched``.

    The time of a picture is its arrival, because cameras' own times may be wrong or jump. If the address points to a
    file, the pictures have the file's times and end with it.

    Raises:
        VideoError: the address is refused, the camera sends on to another, or no picture arrived within ``TIMEOUT_S``.
    """
    camera = check_address(address, hosts)
    watched = watched_elsewhere if processes.are_used() else _watched_here
    try:
        yield from watched(camera.shown, lambda: _relay(camera, max_height_px))
    except (OSError, HTTPException) as error:
        raise no_picture(camera.shown) from error


def _relay(camera: CameraAddress, max_height_px: int) -> CameraRelay:
    return RtspRelay(camera, max_height_px) if camera.is_rtsp else HttpRelay(camera, max_height_px)


def _watched_here(_shown: str, connect: Callable[[], CameraRelay]) -> Iterator[Frame]:
    from recognizer.video.camera_pictures import watched

    with closing(connect()) as relay:
        try:
            for index, time_s, rgb in watched(relay.order, Stop()):
                relay.expect()
                yield Frame(index, time_s, rgb)
        except VideoError as error:
            raise relay.problem or error from error
