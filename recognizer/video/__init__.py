"""Read videos and cameras as frames with times; write H.264, previews and a line of facts.

The names below are imported when they are first used: a decoder's process needs few of them, and starts often.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recognizer.video.camera_address import check_address, shown_address
    from recognizer.video.container import VIDEO_SUFFIXES
    from recognizer.video.decoding import FrameFilter
    from recognizer.video.diagnosis import display_name
    from recognizer.video.network_camera import network_frames
    from recognizer.video.opening import open_video, probe
    from recognizer.video.prefetch import PREFETCHED_FRAMES, frames_ahead, prefetched
    from recognizer.video.preview import describe, is_browser_playable, make_preview, poster
    from recognizer.video.reader import VideoReader
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

_MODULES = {
    "camera_address": ("check_address", "shown_address"),
    "container": ("VIDEO_SUFFIXES",),
    "decoding": ("FrameFilter",),
    "diagnosis": ("display_name",),
    "network_camera": ("network_frames",),
    "opening": (
        "open_video",
        "probe",
    ),
    "prefetch": (
        "PREFETCHED_FRAMES",
        "frames_ahead",
        "prefetched",
    ),
    "preview": (
        "describe",
        "is_browser_playable",
        "make_preview",
        "poster",
    ),
    "reader": ("VideoReader",),
    "source": (
        "VideoInput",
        "VideoSource",
        "in_order",
    ),
    "writer": ("VideoWriter",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # later uses are plain look-ups
    return value
