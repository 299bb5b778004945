"""Read a network camera, only from hosts that the operator of this server has listed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import av

from recognizer.errors import VideoError
from recognizer.types import Frame
from recognizer.video.picture import PictureConverter, check_picture_size, fitting_wh

TIMEOUT_S = 10.0
"""Limit for opening a camera and for the wait between two pictures."""


class _Access(NamedTuple):
    port: int
    protocols: str
    demuxers: str


_PICTURE_STREAMS = "mpjpeg,mjpeg,mpegts,flv,live_flv,mov,matroska,h264,hevc,ogg,asf"
"""Self-contained formats: a playlist (hls, dash, …) would make FFmpeg open other addresses."""

_ACCESS = {
    "rtsp": _Access(554, "rtsp,rtp,tcp,udp", "rtsp"),
    "rtsps": _Access(322, "rtsp,rtp,tcp,udp,tls", "rtsp"),
    "http": _Access(80, "http,tcp", _PICTURE_STREAMS),
    "https": _Access(443, "https,tls,tcp", _PICTURE_STREAMS),
}


def shown_address(address: str) -> str:
    """Return the address without user name, password and query, for messages."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def check_address(address: str, hosts: Collection[str]) -> None:
    """Refuse an address whose host is not listed.

    Args:
        address: ``rtsp``, ``rtsps``, ``http`` or ``https``.
        hosts: host names or IP addresses; without a port, every port is allowed: ``cam.local``, ``192.168.1.20:554``.

    Raises:
        VideoError: the address is not a camera's, or its host is not listed.
    """
    parts = urlsplit(address)
    access = _ACCESS.get(parts.scheme)
    host, port = _host_and_port(parts)
    if access is None or not host:
        raise VideoError(
            f"'{shown_address(address)}' is not a camera's address; write it like rtsp://camera.local/stream or "
            "http://camera.local/video."
        )
    listed = {one.strip().lower() for one in hosts}
    if not listed & {host, f"{host}:{port or access.port}"}:
        raise VideoError(
            f"the host '{host}' is not among the cameras that this server may open; ask its operator to list it in "
            "RECOGNIZER_CAMERA_HOSTS."
        )


def _host_and_port(parts: SplitResult) -> tuple[str, int | None]:
    try:
        return (parts.hostname or "").lower(), parts.port
    except ValueError:  # the port is not a number
        return "", None


def network_frames(address: str, hosts: Collection[str], max_height_px: int) -> Iterator[Frame]:
    """Yield the camera's pictures as they arrive, scaled down to ``max_height_px``.

    Pixels that are not square stay as the camera sends them, and nothing is deinterlaced: both are settings of the
    camera, and deinterlacing would delay each picture by one.

    The time of a picture is its arrival, because cameras' own times may be wrong or jump. If the address points to a
    file, the pictures have the file's times and end with it.

    Raises:
        VideoError: the address is refused, or no picture arrived within ``TIMEOUT_S``.
    """
    check_address(address, hosts)
    shown, access = shown_address(address), _ACCESS[urlsplit(address).scheme]
    no_picture = VideoError(
        f"{shown} gives no picture; check that the camera is on and that the address opens in a player."
    )
    options = {"protocol_whitelist": access.protocols, "format_whitelist": access.demuxers}
    if access.demuxers == "rtsp":
        options["rtsp_transport"] = "tcp"  # UDP does not get through most routers
    else:
        options["max_redirects"] = "0"  # a redirect could lead to an unlisted host
    try:
        container = av.open(address, "r", options=options, timeout=TIMEOUT_S, metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise no_picture from error
    try:
        if not container.streams.video:
            raise VideoError(f"{shown} has no pictures; choose the camera's video address.")
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"  # frame threads would delay several frames
        is_file = container.duration is not None
        began_s = time.monotonic()
        converter: PictureConverter | None = None
        for index, picture in enumerate(_decoded(container, stream)):
            if converter is None:
                check_picture_size(picture.width, picture.height, shown)
                converter = PictureConverter(fitting_wh(picture.width, picture.height, max_height_px))
            time_s = picture.time if is_file else time.monotonic() - began_s
            yield Frame(index, float(time_s or 0.0), converter.upright_rgb(picture))
        if is_file:
            return
        raise no_picture
    except (av.FFmpegError, OSError) as error:
        raise no_picture from error
    finally:
        container.close()


def _decoded(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> Iterator[av.video.frame.VideoFrame]:
    for packet in container.demux(stream):
        with suppress(av.error.InvalidDataError):  # a packet was damaged in transit
            yield from packet.decode()
