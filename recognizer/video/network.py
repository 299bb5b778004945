"""Pictures of a camera in the network, from hosts that the operator of this server has listed and from no others."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import av

from recognizer.errors import VideoError
from recognizer.types import Frame
from recognizer.video.container import check_picture_size
from recognizer.video.reader import Converter, fitting_wh

TIMEOUT_S = 10.0
"""How long a camera may say nothing, while it is opened and between two pictures."""


class _Access(NamedTuple):
    port: int
    protocols: str
    demuxers: str


_PICTURE_STREAMS = "mpjpeg,mjpeg,mpegts,flv,live_flv,mov,matroska,h264,hevc,ogg,asf"
"""Containers that hold their pictures themselves: a playlist (hls, dash, …) would make FFmpeg open other addresses."""

_ACCESS = {
    "rtsp": _Access(554, "rtsp,rtp,tcp,udp", "rtsp"),
    "rtsps": _Access(322, "rtsp,rtp,tcp,udp,tls", "rtsp"),
    "http": _Access(80, "http,tcp", _PICTURE_STREAMS),
    "https": _Access(443, "https,tls,tcp", _PICTURE_STREAMS),
}


def shown_address(address: str) -> str:
    """An address without name and password, for messages."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def check_address(address: str, hosts: Collection[str]) -> None:
    """Refuse an address that is not of a listed host.

    Args:
        address: ``rtsp``, ``rtsps``, ``http`` or ``https``.
        hosts: names or numbers as the operator lists them, each with a port or for every port: ``cam.local``,
            ``192.168.1.20:554``.

    Raises:
        VideoError: it is no such address, or its host is not listed.
    """
    parts = urlsplit(address)
    access = _ACCESS.get(parts.scheme)
    host, port = _host_and_port(parts)
    if access is None or not host:
        raise VideoError(
            f"'{shown_address(address)}' is no camera's address; write it like rtsp://camera.local/stream or "
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
    except ValueError:  # a port that is no number
        return "", None


def network_frames(address: str, hosts: Collection[str], max_height_px: int) -> Iterator[Frame]:
    """The camera's pictures as they come; larger ones are scaled down to ``max_height_px``.

    The time of a picture is when it came, because cameras' own times may be made up or jump. Where the address is of a
    file, pictures have the file's times, and end with it.

    Raises:
        VideoError: the address is refused, gives no picture, or gave none for ``TIMEOUT_S``.
    """
    check_address(address, hosts)
    shown, access = shown_address(address), _ACCESS[urlsplit(address).scheme]
    gone = VideoError(f"{shown} gives no picture; check that the camera is on and that the address opens in a player.")
    options = {"protocol_whitelist": access.protocols, "format_whitelist": access.demuxers}
    if access.demuxers == "rtsp":
        options["rtsp_transport"] = "tcp"  # cameras' UDP is lost behind most routers
    else:
        options["max_redirects"] = "0"  # a redirect could lead to a host that is not listed
    try:
        container = av.open(address, "r", options=options, timeout=TIMEOUT_S, metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise gone from error
    try:
        if not container.streams.video:
            raise VideoError(f"{shown} has no pictures; choose the camera's video address.")
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"  # threads over frames would hold several back
        is_file = container.duration is not None
        began_s = time.monotonic()
        converter: Converter | None = None
        for index, picture in enumerate(_decoded(container, stream)):
            if converter is None:
                check_picture_size(picture.width, picture.height, shown)
                converter = Converter(fitting_wh(picture.width, picture.height, max_height_px))
            time_s = picture.time if is_file else time.monotonic() - began_s
            yield Frame(index, float(time_s or 0.0), converter.upright_rgb(picture))
        if is_file:
            return
        raise gone
    except (av.FFmpegError, OSError) as error:
        raise gone from error
    finally:
        container.close()


def _decoded(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> Iterator[av.video.frame.VideoFrame]:
    for packet in container.demux(stream):
        with suppress(av.error.InvalidDataError):  # a packet that was damaged on its way
            yield from packet.decode()
