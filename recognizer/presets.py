"""Settings that go well together: the documented defaults, and what was measured to name people best.

``docs/accuracy.md`` has the measurements, ``benchmarks/labels.py`` makes them again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from recognizer.settings import DEFAULT_FRAME_RATE_HZ, RANGES, Settings

Preset = Literal["recommended", "documented", "custom"]

_CLIP: Final[dict[str, tuple[int, float]]] = {
    "s3d": (32, 15.0),
    "r3d_18": (16, 15.0),
    "mc3_18": (16, 15.0),
    "r2plus1d_18": (16, 15.0),
    "mvit_v1_b": (16, 7.5),
    "mvit_v2_s": (16, 7.5),
    "swin3d_t": (32, 15.0),
    "swin3d_s": (32, 15.0),
    "swin3d_b": (32, 15.0),
    "i3d": (38, 15.0),
}
"""Samples of a clip, and how many a second: those of the published accuracies (torchvision's documentation:
``clip_len`` and ``frame_rate``). But ``s3d`` was trained on 128, over eight seconds, for which no label should wait;
and ``i3d`` on 64 at 25 a second (arXiv 1705.07750): the same 2.56 s, of which fewer pictures serve as well."""

_AROUND: Final[dict[str, Any]] = {
    "crop_margin_percentage": 10,
    "overlap": 0.5,
    "steady_crop": True,
    "surroundings": True,
    "calibrated": True,
    "smoothing_s": 1.0,
}

RECOMMENDED_MIN_CONFIDENCE: Final = 0.3
"""Below this, what is recommended says ``unknown``: then who does none of the labels gets one in at most a fifth of the
time, and who does one of them in at least four fifths (docs/accuracy.md)."""

PRESET_FIELDS: Final = ("num_video_sequence_samples", "skip_frame", *_AROUND)
"""The settings that a preset decides; the others are the person's own."""


def recommended(settings: Settings, frame_rate_hz: float | None = None) -> Settings:
    """``settings`` with what names people best, for its classifier and a stream of this frame rate.

    Args:
        settings: gives the classifier, and all that a preset leaves alone.
        frame_rate_hz: a clip spans the same time at any; the usual 30 where it is not known.
    """
    rate_hz = frame_rate_hz or DEFAULT_FRAME_RATE_HZ
    samples, samples_hz = _CLIP[settings.video_classifier_model]
    allowed = RANGES["skip_frame"]
    skip = int(min(max(round(rate_hz / samples_hz), allowed.low), allowed.high))
    most = RANGES["num_video_sequence_samples"]
    fitting = int(min(max(round(samples / samples_hz * rate_hz / skip), most.low), most.high))
    return replace(settings, num_video_sequence_samples=fitting, skip_frame=skip, **_AROUND)


def documented(settings: Settings) -> Settings:
    """``settings`` with the documented defaults in all that a preset decides."""
    return replace(settings, **{name: getattr(Settings, name) for name in PRESET_FIELDS})


def preset_of(settings: Settings, frame_rate_hz: float | None = None) -> Preset:
    """Which preset these settings are, for a stream of this frame rate."""
    if settings == recommended(settings, frame_rate_hz):
        return "recommended"
    return "documented" if settings == documented(settings) else "custom"
