"""Prepare a video for a page before its analysis: a preview that browsers play, a poster, a line of facts."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import inf

from recognizer.settings import DEFAULT_FRAME_RATE_HZ
from recognizer.types import Frame, VideoInfo
from recognizer.video.diagnosis import display_name
from recognizer.video.looking import inspected
from recognizer.video.opening import open_video
from recognizer.video.source import VideoInput, source_of
from recognizer.video.timing import as_fraction
from recognizer.video.writer import VideoWriter

_PLAYABLE_PIXELS = {"yuv420p", "yuvj420p"}
_MP4_AUDIO = {"aac", "mp3"}
_WEBM_AUDIO = {"opus", "vorbis"}

_PREVIEW_RATE_HZ = 30.0
_BLACK_LEVEL = 16.0
"""A picture with a mean up to this counts as black; video stores black as 16 of 255."""
_POSTER_SEARCH_S = 1.0

_CODEC_NAMES = {
    "h264": "H.264",
    "hevc": "H.265",
    "av1": "AV1",
    "vp8": "VP8",
    "vp9": "VP9",
    "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2",
    "mpeg1video": "MPEG-1",
    "msmpeg4v3": "DivX 3",
    "theora": "Theora",
    "prores": "ProRes",
    "dnxhd": "DNxHD",
    "mjpeg": "Motion JPEG",
    "gif": "GIF",
    "apng": "animated PNG",
    "flv1": "Flash video",
    "wmv1": "Windows Media 7",
    "wmv2": "Windows Media 8",
    "wmv3": "Windows Media 9",
    "vc1": "VC-1",
    "h263": "H.263",
    "dvvideo": "DV",
    "rawvideo": "uncompressed",
}


def is_browser_playable(path: VideoInput, *, stream: int | None = None) -> bool:
    """Return whether Chromium, Firefox and Safari all play the file, with our times. When in doubt, return False.

    True for H.264 (8-bit 4:2:0; sound AAC, MP3 or none) in MP4 or MOV, and for VP8 and VP9 (8-bit 4:2:0) in WebM.
    AV1 is left out because Safari plays it only on recent devices. False if the file holds several videos, because
    browsers may show another one than ``stream``, if several files are one recording, and for interlaced and HDR
    pictures: browsers do not deinterlace, and each maps HDR in its own way.

    Raises:
        VideoError: the file is not a readable video.
    """
    source = source_of(path)
    if len(source.paths) > 1:
        return False
    (path,) = source.paths
    facts = inspected(path, display_name(path), stream=source.stream if stream is None else stream)
    if not (facts.is_sole_stream and facts.timing.is_players_clock and facts.pixel_format in _PLAYABLE_PIXELS):
        return False
    if facts.reading.deinterlaced or facts.reading.tone_mapped_from is not None:
        return False
    if "mp4" in facts.container.split(","):
        return facts.info.codec == "h264" and _MP4_AUDIO.issuperset(facts.audio_codecs)
    if "webm" in facts.container.split(","):
        # FFmpeg has one name for Matroska and WebM; the first bytes hold the document type
        with path.open("rb") as file:
            is_webm = b"webm" in file.read(64)
        return is_webm and facts.info.codec in {"vp8", "vp9"} and _WEBM_AUDIO.issuperset(facts.audio_codecs)
    return False


def make_preview(
    path: VideoInput,
    target: str | os.PathLike[str],
    *,
    max_seconds: float = 60.0,
    max_height_px: int = 540,
    max_rate_hz: float = _PREVIEW_RATE_HZ,
    preset: str = "ultrafast",
    progress: Callable[[float], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    stream: int | None = None,
) -> bool:
    """Write a small H.264 copy that every browser plays, with the times of the video.

    Args:
        path: the video.
        target: the MP4 file to write.
        max_seconds: length of the copy, from the first picture on.
        max_height_px: taller pictures are scaled down.
        max_rate_hz: frames beyond this rate are left out.
        preset: speed of x264; see ``VideoWriter``.
        progress: receives the completed share, 0 to 1.
        cancel: called before each frame; if it returns True, writing stops and nothing is left behind.
        stream: number of a video stream among all streams of the file; None for the one that a player shows.

    Returns:
        Whether the preview is complete; False if cancelled.

    Raises:
        VideoError: the video cannot be read, or the target cannot be written.
    """
    with open_video(path, stream=stream) as video:
        rate = min(float(video.facts.frame_rate or DEFAULT_FRAME_RATE_HZ), max_rate_hz)
        begins_s = video.reading.first_picture_s
        length_s = min(max_seconds, (video.facts.duration_s or inf) - begins_s)
        due = _EveryInterval(1.0 / max_rate_hz)
        writer: VideoWriter | None = None
        try:
            for frame in video.frames(due, max_height_px=max_height_px):
                if cancel is not None and cancel():
                    return False
                if frame.time_s - begins_s >= max_seconds:
                    break
                if writer is None:
                    height, width, _ = frame.rgb.shape
                    writer = VideoWriter(
                        target,
                        as_fraction(rate),
                        width,
                        height,
                        preset=preset,
                        sound=video.sound(),
                    )
                writer.write(frame.rgb, frame.time_s)
                if progress is not None:
                    progress(min(1.0, (frame.time_s - begins_s) / length_s))
            if writer is not None:
                writer.close()
        finally:
            if writer is not None:
                writer.abort()
    if progress is not None:
        progress(1.0)
    return writer is not None


def poster(path: VideoInput, *, stream: int | None = None) -> Frame:
    """Return the first picture of the first second that is not black, else the first one.

    ``stream``: number of a video stream among all streams of the file; None for the one that a player shows.

    Raises:
        VideoError: the file is not a readable video.
    """
    with open_video(path, stream=stream) as video:
        first: Frame | None = None
        for frame in video.frames(_EveryInterval(0.1)):
            first = frame if first is None else first
            if frame.time_s > first.time_s + _POSTER_SEARCH_S:
                break
            if float(frame.rgb.mean()) > _BLACK_LEVEL:
                return frame
        assert first is not None, "frames() raises if there is none"
        return first


def describe(info: VideoInfo) -> str:
    """Return a line of the known facts, such as ``10.0 s, 340 × 256, 28 frames/s, H.264``."""
    parts: list[str] = []
    if info.duration_s is not None:
        parts.append(_duration_text(info.duration_s))
    parts.append(f"{info.width} × {info.height}")
    if info.frame_rate is not None:
        rate = f"{float(info.frame_rate):.2f}".rstrip("0").rstrip(".")
        parts.append(f"{rate} frames/s")
    if info.codec is not None:
        parts.append(_CODEC_NAMES.get(info.codec, info.codec.upper()))
    return ", ".join(parts)


def _duration_text(duration_s: float) -> str:
    if duration_s < 1:
        return f"{duration_s:.2f} s"
    if duration_s < 60:
        return f"{duration_s:.1f} s"
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {seconds} s" if hours else f"{minutes} min {seconds} s"


class _EveryInterval:
    """Select a frame whenever an interval has passed. Does not drift: every second of 60 frames/s makes 30."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due_s = 0.0

    def __call__(self, _index: int, time_s: float) -> bool:
        # tolerate slightly early frames: times are floats, and containers round stamps to ticks
        if time_s < self._due_s - 0.1 * self._interval_s:
            return False
        self._due_s = max(self._due_s, time_s - self._interval_s) + self._interval_s
        return True
