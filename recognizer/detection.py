"""Finding people in frames with YOLO26."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.types import Detection

# Read by ultralytics when it is imported: nothing is installed, looked up or sent while the app runs, and a
# checkpoint is opened without executing anything in it.
os.environ["YOLO_AUTOINSTALL"] = "false"
os.environ["YOLO_OFFLINE"] = "true"
os.environ["ULTRALYTICS_SAFE_LOAD"] = "1"
os.environ.setdefault("YOLO_VERBOSE", "false")

from ultralytics import YOLO
from ultralytics.utils import SETTINGS

if SETTINGS.get("sync"):
    SETTINGS.update({"sync": False})

PERSON_CLASS = 0
"""Index of "person" among COCO's 80 classes."""

LOWEST_CONFIDENCE = 0.05
"""Boxes down to this confidence go to the tracker, which uses weak ones to hold on to people it already knows
(ByteTrack, arXiv 2110.06864); people are only started at ``Settings.min_person_confidence``."""

IMAGE_SIZE_PX = 640
"""Longer side of the picture that the network sees: the size YOLO26 was trained at."""


class YoloDetector:
    """YOLO26 behind the ``Detector`` interface: stateless, shared, one batch at a time."""

    def __init__(self, weights_path: Path, device: str) -> None:
        threads = torch.get_num_threads()
        self._lock = threading.Lock()
        self._yolo = YOLO(str(weights_path), task="detect")
        # the device is told once: ultralytics sets its network up again, for seconds, whenever it is named
        self._yolo.predict(np.zeros((64, 64, 3), np.uint8), device=device, verbose=False)
        # ultralytics leaves one core unused on the CPU, which is half of a small machine
        torch.set_num_threads(threads)

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """People in each frame, uint8 (H, W, 3), most confident first; boxes in pixels of that frame."""
        if not frames_rgb:
            return []
        frames_bgr = [cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) for rgb in frames_rgb]
        with self._lock:
            results = self._yolo.predict(
                frames_bgr,
                classes=[PERSON_CLASS],
                conf=LOWEST_CONFIDENCE,
                imgsz=IMAGE_SIZE_PX,
                verbose=False,
            )
        return [_detections(result.boxes.data.cpu().numpy()) for result in results]


def _detections(rows: NDArray[np.float32]) -> list[Detection]:
    """Rows are x1, y1, x2, y2, confidence, class."""
    return [
        Detection(box_xyxy=(float(x1), float(y1), float(x2), float(y2)), confidence=float(confidence))
        for x1, y1, x2, y2, confidence, _ in rows[np.argsort(-rows[:, 4], kind="stable")]
        if x2 > x1 and y2 > y1
    ]
