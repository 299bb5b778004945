"""Open a file safely and read its properties. Only this module opens video files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from recognizer.errors import VideoError
from recognizer.types import Reading, VideoInfo
from recognizer.video.color_mapping import hdr_name, needs_mapping
from recognizer.video.colors import COLORSPACE_NAMES, assumed_colorspace
from recognizer.video.diagnosis import (
    check_file,
    explain_open_failure,
    is_motion_jpeg,
    memory_refusal,
    refuse_still_picture,
)
from recognizer.video.facts import Inspection, Timing
from recognizer.video.picture import (
    MAX_PICTURE_PX,
    MAX_SIDE_PX,
    Orientation,
    PixelAspect,
    check_picture_size,
    orientation_of,
    square_size_wh,
)
from recognizer.video.streams import Choice, choose_stream
from recognizer.video.timing import is_doubtful, plausible_rate, timing_of, usual_rate

VIDEO_SUFFIXES = (
    *("mp4", "m4v", "mov", "qt", "3gp", "3g2", "mj2"),
    *("avi", "mkv", "webm", "gif", "apng", "ts", "mts", "m2ts", "mpg", "mpeg", "vob", "m2v"),
    *("flv", "f4v", "wmv", "asf", "ogv", "ogg", "mxf", "dv", "rm", "rmvb", "wtv", "nut", "y4m", "ivf"),
    *("h264", "264", "h265", "265", "hevc", "mjpeg", "mjpg", "dav"),
)
"""Suffixes of video files, lower case, without the dot, for the uploader. A file's content decides what it is."""

_DEMUXERS = (
    "mov,avi,matroska,gif,apng,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,mxf,gxf,dv,rm,wtv,nut,yuv4mpegpipe,ivf,"
    "h264,hevc,m4v,h263,mjpeg,obu,av1,vc1,dhav,nsv"
)
"""FFmpeg's self-contained formats. Playlists (hls, dash, concat, image2, sdp, …) are left out, because they make FFmpeg
open other files and addresses."""

_OPEN_OPTIONS = {
    "format_whitelist": _DEMUXERS,
    "protocol_whitelist": "file",
    "enable_drefs": "0",  # a QuickTime file may refer to other files for its pictures
    "correct_ts_overflow": "0",  # FFmpeg takes a transport stream's step back for the end of its clock, adds 26.5 hours
}

_PADDING_PX = 128 * MAX_SIDE_PX
"""FFmpeg counts pictures with their rows padded for its kernels (libavcodec, ``ff_get_buffer``), and calls one of
10000 × 10000 damaged if it may have no more than that; its true size is checked here."""

_RATE_FRAMES = 128
"""Frames that are decoded to measure a doubtful rate."""

_DEMUX_RETRIES = 3
_MOST_PASSED_OVER = 1000
"""Packets of unknown streams that may follow each other."""


_Stream = TypeVar("_Stream", VideoStream, AudioStream)


@contextmanager
def open_container(path: Path, shown: str, stream: int) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the container and one of its video streams; close it at the end of the ``with`` block.

    Only local files are opened, and no other file is read.

    Args:
        path: the file.
        shown: its name in messages.
        stream: number of the video stream among all streams of the file, as ``inspect`` chose it.

    Raises:
        VideoError: the file is not a video, its pictures exceed the size limit, or, from within the block, it asks for
            more memory than there is.
    """
    with _open(path, shown) as container:
        chosen = container.streams[stream] if stream < len(container.streams) else None
        if not isinstance(chosen, VideoStream):
            raise VideoError(f"{shown} has changed while it was read; keep it in place until the end.")
        _limit_pictures(container, chosen, path, shown)
        with memory_refusal(shown):
            yield container, chosen


@contextmanager
def _open_and_choose(
    path: Path, shown: str, wanted: int | None
) -> Iterator[tuple[InputContainer, VideoStream, Choice]]:
    """Like ``open_container``, but choose the stream."""
    with _open(path, shown) as container:
        choice = choose_stream(container, partial(_open, path, shown), path, shown, wanted)
        chosen = container.streams[choice.index]
        assert isinstance(chosen, VideoStream), "only video streams are chosen"
        _limit_pictures(container, chosen, path, shown)
        with memory_refusal(shown):
            yield container, chosen, choice


def _open(path: Path, shown: str) -> InputContainer:
    try:
        # absolute, with the protocol, so that "http:x.mp4", "concat:a|b" and "-x" are plain file names
        return av.open(
            f"file:{os.path.abspath(path)}",  # noqa: PTH100 (resolve() would follow links)
            "r",
            format="mjpeg" if is_motion_jpeg(path) else None,
            metadata_errors="ignore",
            options=dict(_OPEN_OPTIONS),
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise explain_open_failure(path, shown, error) from error


def _limit_pictures(container: InputContainer, stream: VideoStream, path: Path, shown: str) -> None:
    check_picture_size(*_declared_size_wh(container, stream, path), shown)
    stream.codec_context.options = {"max_pixels": str(MAX_PICTURE_PX + _PADDING_PX)}


def packets(
    container: InputContainer, stream: _Stream, breaks_off: Callable[[], None] = lambda: None
) -> Iterator[Packet[_Stream]]:
    """Yield the packets of a stream. Skip a damaged part if FFmpeg finds the next packet, else call ``breaks_off``."""
    failures = passed_over = 0
    while failures < _DEMUX_RETRIES and passed_over < _MOST_PASSED_OVER:
        try:
            for packet in container.demux(stream):
                failures = passed_over = 0
                yield packet
            return
        except IndexError:
            # PyAV 18 knows no stream that begins after the file was opened; the next packet is another, but for one
            # that stands at the very end
            passed_over += 1
        except (av.FFmpegError, OSError):  # a damaged size, larger than any packet, is FFmpeg's MemoryError
            failures += 1
    breaks_off()


def inspect(
    path: Path,
    shown: str,
    *,
    sha256: str | None,
    stream: int | None = None,
    frame_rate_hz: float | None = None,
) -> Inspection:
    """Open a file, choose its video stream, decode its first frame and return its facts.

    Args:
        path: the file.
        shown: its name in messages.
        sha256: its hash, if known.
        stream: number of the video stream among all streams of the file; None for the one that a player shows.
        frame_rate_hz: the user's frame rate for a raw stream; see ``open_video``.

    Raises:
        VideoError: the file is not a readable video; the message says why.
    """
    check_file(path, shown)  # a decoder may get here long after its first check
    refuse_still_picture(path, shown)
    with _open_and_choose(path, shown, stream) as (container, chosen, choice):
        frame = _first_frame(container, chosen, shown)
        check_picture_size(frame.width, frame.height, shown)
        orientation = orientation_of(frame) or Orientation()
        aspect = PixelAspect(chosen).of(frame)
        square_wh = square_size_wh(frame.width, frame.height, aspect)
        check_picture_size(*square_wh, shown)
        width, height = orientation.size_wh(*square_wh)
        timing = timing_of(container, chosen, frame, frame_rate_hz)
        if not timing.counts_frames and is_doubtful(chosen, timing.rate):
            timing = replace(timing, rate=_measured_rate(path, shown, chosen) or timing.rate)
        rate_hz = None if timing.rate is None else float(timing.rate)
        return Inspection(
            info=VideoInfo(
                sha256=sha256,
                width=width,
                height=height,
                frame_rate=timing.rate,
                duration_s=timing.end_s,
                frame_count=_plausible_count(chosen, timing),
                codec=chosen.codec_context.codec.canonical_name,
            ),
            container=container.format.name,
            pixel_format=frame.format.name,
            audio_codecs=tuple(
                audio.codec_context.codec.canonical_name if audio.codec_context else "unknown"
                for audio in container.streams.audio
            ),
            timing=timing,
            stream=chosen.index,
            is_sole_stream=choice.is_sole,
            reading=replace(
                _picture_reading(frame, orientation, aspect),
                stream=chosen.index,
                other_streams=choice.others,
                stream_given=stream is not None,
                first_picture_s=timing.first_picture_s,
                rate_assumed_hz=rate_hz if timing.rate_is_assumed else None,
                rate_given_hz=frame_rate_hz if timing.counts_frames else None,
            ),
        )


def _picture_reading(frame: VideoFrame, orientation: Orientation, pixel_aspect: Fraction) -> Reading:
    """Return what is done with pictures like the first one."""
    square_wh = square_size_wh(frame.width, frame.height, pixel_aspect)
    stored_wh = orientation.size_wh(frame.width, frame.height)
    shown_wh = orientation.size_wh(*square_wh)
    is_square = stored_wh == shown_wh
    assumed = assumed_colorspace(frame, square_wh[1])
    return Reading(
        stored_wh=None if is_square else stored_wh,
        shown_wh=None if is_square else shown_wh,
        pixel_aspect=1 / pixel_aspect if orientation.transpose else pixel_aspect,
        deinterlaced=frame.interlaced_frame,
        tone_mapped_from=hdr_name(frame),
        assumed_colors=None if assumed is None or needs_mapping(frame) else COLORSPACE_NAMES[assumed],
    )


def _plausible_count(stream: VideoStream, timing: Timing) -> int | None:
    """Return the container's frame count; None if it has none or contradicts the duration.

    FFmpeg 8 (libavformat, mov) also counts the frames that an MP4's edit list cuts away, which are never shown.
    """
    frames, rate = stream.frames, plausible_rate(stream.average_rate)
    if frames <= 0:
        return None
    if rate is None or timing.end_s is None or not timing.end_is_of_pictures:
        return frames
    length_s = timing.end_s - timing.first_picture_s
    return frames if abs(frames - length_s * rate) <= max(1, frames / 1000) else None


def _declared_size_wh(container: InputContainer, stream: VideoStream, path: Path) -> tuple[int, int]:
    if container.format.name == "gif":  # FFmpeg knows a GIF's size only after decoding
        with path.open("rb") as file:
            header = file.read(10)
        return int.from_bytes(header[6:8], "little"), int.from_bytes(header[8:10], "little")
    return stream.width, stream.height


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


def _measured_rate(path: Path, shown: str, stated: VideoStream) -> Fraction | None:
    """Return the rate of the first frames; None if they have no time stamps."""
    stamps_s: list[float] = []
    with open_container(path, shown, stated.index) as (container, stream):
        for packet in packets(container, stream):
            try:
                stamps_s += [frame.time for frame in packet.decode() if frame.time is not None]
            except MemoryError:  # some FFmpeg errors are MemoryErrors too
                raise
            except av.FFmpegError:
                continue
            if len(stamps_s) >= _RATE_FRAMES:
                break
    tick_s = float(stated.time_base or 0)
    return usual_rate(stamps_s, (stated.average_rate, stated.guessed_rate), tick_s)
