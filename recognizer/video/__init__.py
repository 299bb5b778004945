"""Videos in and out: reading frames with their times, writing H.264, previews and a line of facts."""

from __future__ import annotations

from recognizer.video.container import VIDEO_SUFFIXES
from recognizer.video.diagnosis import display_name
from recognizer.video.network import check_address, network_frames, shown_address
from recognizer.video.prefetch import DECODED_AHEAD, decoded_ahead
from recognizer.video.preview import describe, is_browser_playable, make_preview, poster
from recognizer.video.reader import FrameChoice, VideoReader, open_video, probe
from recognizer.video.writer import VideoWriter

__all__ = [
    "DECODED_AHEAD",
    "VIDEO_SUFFIXES",
    "FrameChoice",
    "VideoReader",
    "VideoWriter",
    "check_address",
    "decoded_ahead",
    "describe",
    "display_name",
    "is_browser_playable",
    "make_preview",
    "network_frames",
    "open_video",
    "poster",
    "probe",
    "shown_address",
]
