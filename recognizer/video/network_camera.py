"""Read a network camera, only from hosts that the operator of this server has listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from recognizer.errors import VideoError
from recognizer.types import Frame
from recognizer.video.camera_address import TIMEOUT_S, CameraAddress, check_address
from recognizer.video.camera_http import HttpCamera, sends_on
from recognizer.video.camera_rtsp import RtspRelay
from recognizer.video.picture import PictureConverter, check_picture_size, fitting_wh

_PICTURE_STREAMS = "mpjpeg,mjpeg,mpegts,flv,live_flv,mov,matroska,h264,hevc,ogg,asf"
"""Self-contained formats: a playlist (hls, dash, …) names other addresses."""


def network_frames(address: str, hosts: Collection[str], max_height_px: int) -> Iterator[Frame]:
    """Yield the camera's pictures as they arrive, scaled down to ``max_height_px``.

    Pixels that are not square stay as the camera sends them, and nothing is deinterlaced: both are settings of the
    camera, and deinterlacing would delay each picture by one.

    The time of a picture is its arrival, because cameras' own times may be wrong or jump. If the address points to a
    file, the pictures have the file's times and end with it.

    Raises:
        VideoError: the address is refused, the camera sends on to another, or no picture arrived within ``TIMEOUT_S``.
    """
    camera = check_address(address, hosts)
    no_picture = VideoError(
        f"{camera.shown} gives no picture; check that the camera is on and that the address opens in a player."
    )
    try:
        with _opened(camera) as (container, expect):
            yield from _frames(container, camera, max_height_px, expect)
            if container.duration is None:
                raise no_picture
    except (av.FFmpegError, OSError, ValueError, HTTPException, IndexError) as error:
        # IndexError: PyAV 18 knows no stream that begins after the camera was opened
        raise no_picture from error


@contextmanager
def _opened(camera: CameraAddress) -> Iterator[tuple[InputContainer, Callable[[], None]]]:
    """Open a camera; yield its container, and what to call after each picture."""
    with _over_rtsp(camera) if camera.is_rtsp else _over_http(camera) as opened:
        yield opened


@contextmanager
def _over_rtsp(camera: CameraAddress) -> Iterator[tuple[InputContainer, Callable[[], None]]]:
    relay = RtspRelay(camera)
    # the relay is FFmpeg's only connection; UDP would need others, and does not get through most routers
    options = {"protocol_whitelist": "rtsp,tcp", "format_whitelist": "rtsp", "rtsp_transport": "tcp"}
    try:
        with av.open(relay.url, "r", options=options, timeout=TIMEOUT_S, metadata_errors="ignore") as container:
            yield container, lambda: None
    except (av.FFmpegError, OSError) as error:
        raise sends_on(camera) if relay.redirected else error from error
    finally:
        relay.close()


@contextmanager
def _over_http(camera: CameraAddress) -> Iterator[tuple[InputContainer, Callable[[], None]]]:
    # FFmpeg reads what the camera answers here, and opens nothing itself
    options = {"protocol_whitelist": "none", "format_whitelist": _PICTURE_STREAMS}
    with closing(HttpCamera(camera)) as answer:
        container = av.open(answer, "r", format=answer.format, options=options, metadata_errors="ignore")
        with container:
            yield container, answer.expect


def _frames(
    container: InputContainer, camera: CameraAddress, max_height_px: int, expect: Callable[[], None]
) -> Iterator[Frame]:
    if not container.streams.video:
        raise VideoError(f"{camera.shown} has no pictures; choose the camera's video address.")
    stream = container.streams.video[0]
    stream.thread_type = "SLICE"  # frame threads would delay several frames
    is_file = container.duration is not None
    began_s = time.monotonic()
    converter: PictureConverter | None = None
    for index, picture in enumerate(_decoded(container, stream)):
        expect()
        if converter is None:
            check_picture_size(picture.width, picture.height, camera.shown)
            converter = PictureConverter(fitting_wh(picture.width, picture.height, max_height_px))
        time_s = picture.time if is_file else time.monotonic() - began_s
        yield Frame(index, float(time_s or 0.0), converter.upright_rgb(picture))


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in container.demux(stream):
        with suppress(av.error.InvalidDataError):  # a packet was damaged in transit
            yield from packet.decode()
