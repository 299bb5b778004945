"""Open a video: a file, or the files of one recording."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from recognizer.types import VideoInfo
from recognizer.video.diagnosis import display_name
from recognizer.video.looking import inspected
from recognizer.video.reader import VideoReader
from recognizer.video.recording import RecordingReader
from recognizer.video.source import VideoInput, VideoSource, source_of


def open_video(
    path: VideoInput,
    *,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
    stream: int | None = None,
    frame_rate_hz: float | None = None,
) -> VideoReader:
    """Open a video file for reading; use it in a ``with`` block.

    Args:
        path: a local file, or a source: its parts are read as one video, and its choices apply. A file is never treated
            as an address, and no other file is read, whatever its content.
        max_file_bytes: larger files are refused.
        sha256: the file's hash, if known; otherwise ``VideoReader.info`` computes it.
        name: the user's name for the file, used in messages (an upload is stored under another name).
        stream: number of a video stream among all streams of the file, as in ``Reading.other_streams``; None for the
            one that a player shows.
        frame_rate_hz: frames per second of a raw stream (``.h264``, ``.hevc``, …), which has no time stamps; None for
            the rate in its own header, or 25. A file with time stamps keeps them.

    Raises:
        VideoError: the file is not a readable video; the message says why.
    """
    source = source_of(path)
    source = replace(
        source,
        stream=source.stream if stream is None else stream,
        frame_rate_hz=frame_rate_hz or source.frame_rate_hz,
    )
    if len(source.paths) == 1:
        whole = source.name if name is None else name
        return _opened(source, source.paths[0], name=whole, sha256=sha256, max_file_bytes=max_file_bytes)
    parts = [
        _opened(
            source,
            path,
            name=source.part_names[number],
            sha256=source.sha256s[number] if source.sha256s else None,
            max_file_bytes=max_file_bytes,
        )
        for number, path in enumerate(source.paths)
    ]
    return RecordingReader(parts, source, sha256)


def _opened(
    source: VideoSource, path: Path, *, name: str, sha256: str | None, max_file_bytes: int | None
) -> VideoReader:
    shown = display_name(name)
    inspection = inspected(
        path,
        shown,
        sha256=sha256,
        max_file_bytes=max_file_bytes,
        stream=source.stream,
        frame_rate_hz=source.frame_rate_hz,
    )
    return VideoReader(path, shown, inspection)


def probe(
    path: str | os.PathLike[str], *, sha256: str | None = None, name: str | None = None, stream: int | None = None
) -> VideoInfo:
    """Return the facts of a video quickly: decode one frame and do not compute its hash.

    Raises:
        VideoError: the file is not a readable video; the message says why.
    """
    return inspected(Path(path), display_name(path if name is None else name), sha256=sha256, stream=stream).info
