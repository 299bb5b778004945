"""Opening a file safely, and what can be told of it before it is decoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.types import VideoInfo
from recognizer.video.diagnosis import (
    check_file,
    describe_content,
    explain_open_failure,
    is_encrypted_mp4,
    refuse_still_picture,
)

VIDEO_SUFFIXES = (
    *("mp4", "m4v", "mov", "qt", "3gp", "3g2", "mj2"),
    *("avi", "mkv", "webm", "gif", "apng", "ts", "mts", "m2ts", "mpg", "mpeg", "vob", "m2v"),
    *("flv", "f4v", "wmv", "asf", "ogv", "ogg", "mxf", "dv", "rm", "rmvb", "wtv", "nut", "y4m", "ivf"),
    *("h264", "264", "h265", "265", "hevc", "mjpeg", "mjpg", "dav"),
)
"""Suffixes of video files, lower case, without the point; for the uploader. What a file is, its content decides."""

_DEMUXERS = (
    "mov,avi,matroska,gif,apng,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,mxf,gxf,dv,rm,wtv,nut,yuv4mpegpipe,ivf,"
    "h264,hevc,m4v,h263,mjpeg,obu,av1,vc1,dhav,nsv"
)
"""FFmpeg's containers that hold their pictures themselves. Playlists (hls, dash, concat, image2, sdp, …) are left out:
they would make FFmpeg open other files and addresses."""

_OPEN_OPTIONS = {
    "format_whitelist": _DEMUXERS,
    "protocol_whitelist": "file",
    "enable_drefs": "0",  # a QuickTime file may point to other files for its pictures
}

MAX_SIDE_PX = 16_384
MAX_PICTURE_PX = 100_000_000
MAX_FRAME_RATE_HZ = 1000
_DOUBTFUL_FRAME_RATE_HZ = 125
"""Above this a container's average rate is checked against the packets: WebM from a browser's recorder says 1000."""
_RATE_PACKETS = 64
_DEMUX_RETRIES = 3


_Stream = TypeVar("_Stream", VideoStream, AudioStream)


@dataclass(frozen=True)
class Inspection:
    """A :class:`VideoInfo` and what only the stage itself needs to know.

    Attributes:
        info: what others know of the video.
        container: FFmpeg's name of the container, such as ``matroska,webm``.
        pixel_format: FFmpeg's name, such as ``yuv420p``.
        audio_codecs: FFmpeg's names of the codecs of the sound.
        pixel_aspect: width of a pixel divided by its height, as shown upright.
        duration_is_of_pictures: False where ``duration_s`` may be that of the sound.
        first_picture_s: time stamp of the first picture, seconds; 0 where it has none.
    """

    info: VideoInfo
    container: str
    pixel_format: str
    audio_codecs: tuple[str, ...]
    pixel_aspect: Fraction
    duration_is_of_pictures: bool
    first_picture_s: float


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned upright: first transposed, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def apply(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The upright picture, uint8 (H, W, 3), contiguous."""
        if self.transpose:
            rgb = rgb.transpose(1, 0, 2)
        return np.ascontiguousarray(rgb[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1])

    def size_wh(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after turning; its own inverse."""
        return (height, width) if self.transpose else (width, height)


@contextmanager
def open_container(path: Path, shown: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and the stream of its main pictures, closed on the way out.

    Only local containers are opened, and nothing but the file itself is read.

    Raises:
        VideoError: no video, or a picture size over the limit.
    """
    try:
        # absolute, with the protocol: "http:x.mp4", "concat:a|b" and "-x" are plain file names
        container = av.open(
            f"file:{os.path.abspath(path)}",  # noqa: PTH100 (resolve() would follow links)
            "r",
            metadata_errors="ignore",
            options=dict(_OPEN_OPTIONS),
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise explain_open_failure(path, shown, error) from error
    try:
        stream = _main_stream(container, path, shown)
        check_picture_size(*_declared_size_wh(container, stream, path), shown)
        stream.codec_context.options = {"max_pixels": str(MAX_PICTURE_PX)}
        yield container, stream
    finally:
        container.close()


def check_picture_size(width: int, height: int, shown: str) -> None:
    """Refuse pictures that would fill the memory.

    Raises:
        VideoError: a side over 16384 px or more than 100 megapixels.
    """
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PICTURE_PX:
        raise VideoError(
            f"the pictures of {shown} are {width} × {height} pixels, the limit is {MAX_SIDE_PX} a side and"
            f" {MAX_PICTURE_PX // 10**6} million in all; convert it to a smaller size."
        )


def packets(container: InputContainer, stream: _Stream) -> Iterator[Packet[_Stream]]:
    """The packets of a stream. A damaged place is passed over where FFmpeg finds the next packet."""
    failures = 0
    while failures < _DEMUX_RETRIES:
        try:
            for packet in container.demux(stream):
                failures = 0
                yield packet
            return
        except (av.FFmpegError, OSError) as error:
            if isinstance(error, MemoryError):
                raise
            failures += 1


def inspect(path: Path, shown: str, *, sha256: str | None, max_file_bytes: int | None = None) -> Inspection:
    """Open a file, decode its first frame and tell what it is.

    Raises:
        VideoError: it is not a video that can be read; one sentence that says why.
    """
    check_file(path, shown, max_file_bytes)
    refuse_still_picture(path, shown)
    with open_container(path, shown) as (container, stream):
        frame = _first_frame(container, stream, shown)
        check_picture_size(frame.width, frame.height, shown)
        orientation = orientation_of(frame) or Orientation()
        width, height = orientation.size_wh(frame.width, frame.height)
        aspect = _pixel_aspect(stream)
        duration_s, of_pictures = _duration_s(container, stream)
        rate = _plausible_rate(stream.average_rate) or _plausible_rate(stream.guessed_rate)
        facts = Inspection(
            info=VideoInfo(
                sha256=sha256,
                width=width,
                height=height,
                frame_rate=rate,
                duration_s=duration_s,
                frame_count=stream.frames if stream.frames > 0 else None,
                codec=stream.codec_context.codec.canonical_name,
            ),
            container=container.format.name,
            pixel_format=frame.format.name,
            audio_codecs=tuple(
                audio.codec_context.codec.canonical_name if audio.codec_context else "unknown"
                for audio in container.streams.audio
            ),
            pixel_aspect=1 / aspect if orientation.transpose else aspect,
            duration_is_of_pictures=of_pictures,
            first_picture_s=frame.time or 0.0,
        )
    if rate is not None and rate <= _DOUBTFUL_FRAME_RATE_HZ:
        return facts
    return _with_rate(facts, _measured_rate(path, shown) or rate)


def orientation_of(frame: VideoFrame) -> Orientation | None:
    """How a frame's display matrix turns it, to the nearest right angle; None where it has no matrix.

    The matrix is that of ISO/IEC 14496-12, 6.2.2: x' = a x + c y, y' = b x + d y, in 16.16 fixed point.
    PyAV keeps a frame whose side data was looked at until the garbage collector runs: do not ask for every frame.
    """
    for item in cast("list[SideData]", list(frame.side_data)):
        if item.type is SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(item), np.int32)[:5])
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return Orientation(False, flip_x=a < 0, flip_y=d < 0)
            return Orientation(True, flip_x=c < 0, flip_y=b < 0)
    return None


def _declared_size_wh(container: InputContainer, stream: VideoStream, path: Path) -> tuple[int, int]:
    if container.format.name == "gif":  # FFmpeg learns a GIF's size only when it decodes
        with path.open("rb") as file:
            header = file.read(10)
        return int.from_bytes(header[6:8], "little"), int.from_bytes(header[8:10], "little")
    return stream.width, stream.height


def _main_stream(container: InputContainer, path: Path, shown: str) -> VideoStream:
    # the cover of a song is a video stream to FFmpeg
    streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not streams:
        if container.streams.audio:
            raise VideoError(f"no video stream in {shown}; it holds audio only; choose a file with pictures.")
        raise VideoError(
            describe_content(path, shown) or f"no video stream in {shown}, it holds no pictures; choose another file."
        )
    preferred = [one for one in streams if one.disposition & Disposition.default and one.codec_context is not None]
    decodable = [one for one in streams if one.codec_context is not None]
    if not decodable:
        if is_encrypted_mp4(path):
            raise VideoError(f"the video in {shown} is encrypted; choose a copy without copy protection.")
        raise VideoError(f"the video codec of {shown} is not supported; convert it to H.264 in an MP4 file.")
    return (preferred or decodable)[0]


def _first_frame(container: InputContainer, stream: VideoStream, shown: str) -> VideoFrame:
    stream.thread_type = "NONE"  # threads would decode ahead
    undecodable = 0
    for packet in packets(container, stream):
        try:
            for frame in packet.decode():
                return frame
        except av.FFmpegError:
            undecodable += 1
    codec = stream.codec_context.codec.canonical_name
    if undecodable:
        raise VideoError(f"no picture of {shown} can be decoded (codec {codec}), it is damaged; copy it again.")
    raise VideoError(f"{shown} holds no pictures, its video stream is empty; copy it again or choose another file.")


def _duration_s(container: InputContainer, stream: VideoStream) -> tuple[float | None, bool]:
    """Seconds, and whether they are surely those of the pictures."""
    if stream.duration is not None and stream.duration > 0 and stream.time_base is not None:
        return float(stream.duration * stream.time_base), True
    if container.duration is not None and container.duration > 0:
        return container.duration / av.time_base, not container.streams.audio
    return None, False


def _plausible_rate(rate: Fraction | None) -> Fraction | None:
    return rate if rate is not None and 0 < rate <= MAX_FRAME_RATE_HZ else None


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    return aspect if aspect is not None and Fraction(1, 4) <= aspect <= 4 else Fraction(1)


def _measured_rate(path: Path, shown: str) -> Fraction | None:
    """Average rate of the first packets; None where they carry no times."""
    times: list[int] = []
    with open_container(path, shown) as (container, stream):
        for packet in packets(container, stream):
            if packet.pts is not None:
                times.append(packet.pts)
            if len(times) >= _RATE_PACKETS:
                break
        time_base = stream.time_base
    if len(times) < 2 or time_base is None or max(times) == min(times):
        return None
    rate = (len(times) - 1) / ((max(times) - min(times)) * time_base)
    return _plausible_rate(rate.limit_denominator(1001))


def _with_rate(facts: Inspection, rate: Fraction | None) -> Inspection:
    return replace(facts, info=replace(facts.info, frame_rate=rate))
