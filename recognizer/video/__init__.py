"""Read videos and cameras as frames with times; write H.264, previews and a line of facts."""

from __future__ import annotations

from recognizer.video.camera_address import check_address, shown_address
from recognizer.video.container import VIDEO_SUFFIXES
from recognizer.video.decoding import FrameFilter
from recognizer.video.diagnosis import display_name
from recognizer.video.network_camera import network_frames
from recognizer.video.prefetch import PREFETCHED_FRAMES, frames_ahead, prefetched
from recognizer.video.preview import describe, is_browser_playable, make_preview, poster
from recognizer.video.reader import VideoReader, open_video, probe
from recognizer.video.source import VideoInput, VideoSource, in_order
from recognizer.video.writer import VideoWriter

__all__ = [
    "PREFETCHED_FRAMES",
    "VIDEO_SUFFIXES",
    "FrameFilter",
    "VideoInput",
    "VideoReader",
    "VideoSource",
    "VideoWriter",
    "check_address",
    "describe",
    "display_name",
    "frames_ahead",
    "in_order",
    "is_browser_playable",
    "make_preview",
    "network_frames",
    "open_video",
    "poster",
    "prefetched",
    "probe",
    "shown_address",
]
