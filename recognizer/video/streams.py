"""Choose which of a file's video streams to read: the one that a player shows, and never a cover."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from recognizer.errors import VideoError
from recognizer.types import StreamFacts
from recognizer.video.diagnosis import describe_content, is_encrypted_mp4

_COVER = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image

_PACKETS = 250
"""Packets that are read to see whether a stream has more than one picture. Streams are interleaved, so a second picture
of a slow one, at one frame per second, comes within the first 60 of a fast one."""


@dataclass(frozen=True)
class Choice:
    """The video streams of a file, without covers.

    Attributes:
        index: number of the chosen stream among all streams of the file.
        others: the other ones.
        is_sole: whether the file marks all other video streams as covers, so that every player shows the chosen one.
    """

    index: int
    others: tuple[StreamFacts, ...]
    is_sole: bool


def choose_stream(
    container: InputContainer, open_again: Callable[[], InputContainer], path: Path, shown: str, wanted: int | None
) -> Choice:
    """Return the stream that ``wanted`` names, else the one that a player shows.

    Players show the first of the streams that the file marks as default, else the first. Cameras, drones and editing
    programs store covers and previews as further streams, not all of them marked as such: a stream with a single
    picture is never chosen if there is another one.

    Args:
        container: the file; nothing is read from it.
        open_again: opens the file once more, to read the beginning of a file with several streams.
        path: the file.
        shown: its name in messages.
        wanted: number of a video stream among all streams of the file.

    Raises:
        VideoError: the file has no video stream that can be decoded, or ``wanted`` is not one.
    """
    streams = container.streams.video
    if wanted is not None:
        _check_wanted(streams, shown, wanted)
    real = [one for one in streams if not one.disposition & _COVER]
    if not real:
        if container.streams.audio:
            raise VideoError(f"no video stream in {shown}; it holds audio only; choose a file with pictures.")
        raise VideoError(
            describe_content(path, shown) or f"no video stream in {shown}, it holds no pictures; choose another file."
        )
    is_sole = len(real) == 1
    if not is_sole:
        real = _moving(open_again, real) or real
    decodable = [one for one in real if one.codec_context is not None]
    if not decodable and wanted is None:
        if is_encrypted_mp4(path):
            raise VideoError(f"the video in {shown} is encrypted; choose a copy without copy protection.")
        raise VideoError(f"the video codec of {shown} is not supported; convert it to H.264 in an MP4 file.")
    preferred = [one for one in decodable if one.disposition & Disposition.default]
    index = (preferred or decodable)[0].index if wanted is None else wanted
    return Choice(index, tuple(_facts(one) for one in real if one.index != index), is_sole and real[0].index == index)


def _check_wanted(streams: tuple[VideoStream, ...], shown: str, wanted: int) -> None:
    usable = [one.index for one in streams if one.codec_context is not None]
    if wanted not in usable:
        numbers = ", ".join(map(str, usable)) or "none"
        raise VideoError(f"stream {wanted} of {shown} is not a video that can be read; choose one of these: {numbers}.")


def _moving(open_again: Callable[[], InputContainer], streams: list[VideoStream]) -> list[VideoStream]:
    """Return the streams with more than one picture."""
    pictures = {one.index: one.frames for one in streams}  # 0 in containers that do not store the number
    unknown = [index for index, count in pictures.items() if count == 0]
    if unknown:
        # what is damaged here, or begins only here, is reported when it is read
        with open_again() as container, suppress(av.FFmpegError, OSError, IndexError):
            for number, packet in enumerate(container.demux([container.streams[index] for index in pictures])):
                index = packet.stream.index
                if packet.size and index in unknown:
                    pictures[index] += 1
                if number >= _PACKETS or all(pictures[index] > 1 for index in unknown):
                    break
    return [one for one in streams if pictures[one.index] > 1]


def _facts(stream: VideoStream) -> StreamFacts:
    is_default = bool(stream.disposition & Disposition.default)
    if stream.codec_context is None:  # PyAV 18.1 has no size of such a stream either
        return StreamFacts(stream.index, 0, 0, None, is_default)
    return StreamFacts(stream.index, stream.width, stream.height, stream.codec_context.codec.canonical_name, is_default)
