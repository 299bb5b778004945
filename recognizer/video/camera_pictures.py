"""Decode what a network camera sends. The connection to the camera is another process's (``network_camera.py``).

FFmpeg gets no address but one of this machine, where a relay passes the camera's stream on.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.video.camera_address import TIMEOUT_S, no_picture
from recognizer.video.decoding import Stop
from recognizer.video.messages import Watch
from recognizer.video.picture import PictureConverter, check_picture_size, fitting_wh

_PICTURE_STREAMS = "mpjpeg,mjpeg,mpegts,flv,live_flv,mov,matroska,h264,hevc,ogg,asf"
"""Self-contained formats: a playlist (hls, dash, …) names other addresses."""

_AT_ONCE = {"fpsprobesize": "0"}
"""Nobody asks for the rate. FFmpeg would collect 20 pictures to find it, two seconds and more of a camera with 10 a
second, and they would all come at the same moment then (findings/pyav-live-stream-waits-for-its-rate.sh)."""


def watched(asked: Watch, stop: Stop) -> Generator[tuple[int, float, NDArray[np.uint8]]]:
    """Yield number, time and picture, uint8 (H, W, 3), as they arrive, all of one size.

    Pixels that are not square stay as the camera sends them, and nothing is deinterlaced: both are settings of the
    camera, and deinterlacing would delay each picture by one.

    Raises:
        VideoError: there is no picture, or no more.
    """
    try:
        with _opened(asked) as container:
            yield from _pictures(container, asked, stop)
            if container.duration is None:
                raise no_picture(asked.shown)
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        # IndexError: PyAV 18 knows no stream that begins after the camera was opened
        raise no_picture(asked.shown) from error


@contextmanager
def _opened(asked: Watch) -> Iterator[InputContainer]:
    if asked.url:
        # the relay is FFmpeg's only connection; UDP would need others, and does not get through most routers
        options = {"protocol_whitelist": "rtsp,tcp", "format_whitelist": "rtsp", "rtsp_transport": "tcp", **_AT_ONCE}
        with av.open(asked.url, "r", options=options, timeout=TIMEOUT_S, metadata_errors="ignore") as container:
            yield container
        return
    options = {"protocol_whitelist": "none", "format_whitelist": _PICTURE_STREAMS, **_AT_ONCE}
    with (
        closing(_Received(asked.port, asked.token)) as received,
        av.open(received, "r", format=asked.format, options=options, metadata_errors="ignore") as container,
    ):
        yield container


class _Received:
    """What a relay on this machine passes on, as a file that can only be read on."""

    def __init__(self, port: int, token: bytes) -> None:
        # the relay knows when the camera is late; this is for a relay that is late itself
        self._connection = socket.create_connection(("127.0.0.1", port), 2 * TIMEOUT_S)
        self._connection.sendall(token)

    def read(self, size: int) -> bytes:
        """Return what has come, at most ``size`` bytes; nothing at the end."""
        return self._connection.recv(size)

    def close(self) -> None:
        self._connection.close()


def _pictures(container: InputContainer, asked: Watch, stop: Stop) -> Iterator[tuple[int, float, NDArray[np.uint8]]]:
    if not container.streams.video:
        raise VideoError(f"{asked.shown} has no pictures; choose the camera's video address.")
    stream = next((one for one in container.streams.video if one.codec_context is not None), None)
    if stream is None:
        raise VideoError(f"the video codec of {asked.shown} is not supported; have the camera send H.264 or MJPEG.")
    # Frame threads would delay several frames. With slice threads, H.264 whose parameters stand between two slices of a
    # picture, where GStreamer's rtph264pay puts them with config-interval=-1, is half green for a second and more.
    stream.thread_type = "NONE"
    is_file = container.duration is not None
    began_s = time.monotonic()
    converter: PictureConverter | None = None
    for index, picture in enumerate(_decoded(container, stream)):
        if stop:
            return
        if converter is None:
            check_picture_size(picture.width, picture.height, asked.shown)
            converter = PictureConverter(fitting_wh(picture.width, picture.height, asked.max_height_px))
        time_s = picture.time if is_file else time.monotonic() - began_s
        yield index, float(time_s or 0.0), converter.upright_rgb(picture)


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in container.demux(stream):
        with suppress(av.error.InvalidDataError):  # a packet was damaged in transit
            yield from packet.decode()
