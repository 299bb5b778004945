"""Recognize who does what, when, in a video.

The names below are imported when they are first used, because the networks' libraries take seconds to import:

    from recognizer import Settings, analyze
    timeline = analyze("clip.mp4", Settings(video_classifier_model="i3d", num_video_sequence_samples=32))
    for segment in timeline.segments(min_confidence=0.3):
        print(segment.person_id, segment.action, segment.start_s, segment.end_s)
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Read once, when PyTorch is loaded. By default, its threads spin for a long time while they wait for one another, which
# is slow as soon as anything else needs a core (a browser, another analysis; docs/decisions/009-waiting-threads.md).
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# Ultralytics reads these when it is imported, by whichever module comes first. They stop it from installing, looking up
# or sending anything, and from executing code in a checkpoint.
os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ["YOLO_OFFLINE"] = "true"
os.environ["ULTRALYTICS_SAFE_LOAD"] = "1"
os.environ.setdefault("YOLO_VERBOSE", "false")

if TYPE_CHECKING:
    from recognizer.analysis.file import Progress, analyze
    from recognizer.analysis.stream import Recognizer
    from recognizer.compat import ActionRecognition, ActionResults
    from recognizer.errors import (
        CheckpointError,
        LimitError,
        RecognizerError,
        SettingsError,
        StoreError,
        TruthError,
        VideoError,
        WeightsError,
    )
    from recognizer.networks.loading import Models, load_models
    from recognizer.settings import Settings
    from recognizer.timeline.model import PersonTrack, Timeline
    from recognizer.types import Clip, Frame, Prediction, Segment, TrackedPerson, VideoInfo

__version__ = "0.6.0"

__all__ = [
    "ActionRecognition",
    "ActionResults",
    "CheckpointError",
    "Clip",
    "Frame",
    "LimitError",
    "Models",
    "PersonTrack",
    "Prediction",
    "Progress",
    "Recognizer",
    "RecognizerError",
    "Segment",
    "Settings",
    "SettingsError",
    "StoreError",
    "Timeline",
    "TrackedPerson",
    "TruthError",
    "VideoError",
    "VideoInfo",
    "WeightsError",
    "__version__",
    "analyze",
    "load_models",
]

_MODULES = {
    "compat": ("ActionRecognition", "ActionResults"),
    "analysis.file": ("Progress", "analyze"),
    "errors": (
        "CheckpointError",
        "LimitError",
        "RecognizerError",
        "SettingsError",
        "StoreError",
        "TruthError",
        "VideoError",
        "WeightsError",
    ),
    "networks.loading": ("Models", "load_models"),
    "analysis.stream": ("Recognizer",),
    "settings": ("Settings",),
    "timeline.model": ("PersonTrack", "Timeline"),
    "types": ("Clip", "Frame", "Prediction", "Segment", "TrackedPerson", "VideoInfo"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from recognizer.memory import without_collections

    with without_collections():  # which would take a sixth of the time: the libraries make many objects
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value  # later uses are plain look-ups
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
