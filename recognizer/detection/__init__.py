"""Finding people in frames: what the detector is fed, how its outputs become boxes."""

from __future__ import annotations

from recognizer.detection.yolo import LOWEST_CONFIDENCE, YoloDetector

__all__ = ["LOWEST_CONFIDENCE", "YoloDetector"]
