"""Detect people in frames with YOLO26."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from ultralytics.data.augment import LetterBox
from ultralytics.utils import SETTINGS
from ultralytics.utils.ops import scale_boxes, xywh2xyxy

from recognizer.networks.backends.autotune import Backends, TunableNetwork
from recognizer.networks.bounds import DETECTOR_BOUND_PX
from recognizer.networks.drawn_people import drawn_people
from recognizer.networks.once import Once
from recognizer.types import Detection
from recognizer.weights import check_unchanged, verified_sha256

if SETTINGS.get("sync"):
    SETTINGS.update({"sync": False})

PERSON_CLASS = 0
"""Index of "person" among COCO's 80 classes."""

LOWEST_CONFIDENCE = 0.05
"""Boxes down to this confidence go to the tracker, which uses weak ones to continue existing tracks (ByteTrack,
arXiv 2110.06864). New tracks need ``Settings.min_person_confidence``."""

IMAGE_SIZE_PX = 640
"""Longer side of the network's input: the size YOLO26 was trained at."""

_STRIDE_PX = 32
_OVERLAP = 0.7
"""Boxes that overlap more count as one person: Ultralytics' default for ``predict``."""

_SEES_A_PERSON = 0.25
"""Places with this score count when ways of running the network are compared: Ultralytics' default for ``predict``."""

_MOST_BOXES = 300
_WHITE = 255.0


class _Decoded(nn.Module):
    """The network without its training parts: maps uint8 (B, H, W, 3) to boxes and people's scores (B, 5, n)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        layers: Any = network.model
        self.kept_in_float32 = f"network.model.{len(layers) - 1}"
        """The head, which computes boxes in pixels: rounding those to bfloat16 would move every crop."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Return centre, width and height in pixels of the picture, then the score of a person; 0 if another class has
        a higher one. The scores of all classes would be copied several times."""
        outputs = self.network((pictures.float() / _WHITE).permute(0, 3, 1, 2))
        decoded: Tensor = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
        return people_only(decoded)


def people_only(decoded: Tensor) -> Tensor:
    """Map boxes and the scores of all classes, (B, 4 + classes, n), to boxes and those of people, (B, 5, n)."""
    scores = decoded[:, 4:]
    person = scores[:, PERSON_CLASS : PERSON_CLASS + 1]
    is_person = person >= scores.amax(1, keepdim=True)
    return torch.cat((decoded[:, :4], person * is_person), 1)


class YoloDetector:
    """YOLO26 behind the ``Detector`` interface. Stateless; threads may share it.

    Ultralytics' ``predict`` finds the same boxes, but repeats its set-up for each call and changes PyTorch's number of
    threads.

    Attributes:
        choice: the way the network runs, and its measurements.
    """

    def __init__(self, weights_path: Path, device: torch.device, backends: Backends) -> None:
        example = _input([drawn_people()])
        sha256 = verified_sha256(weights_path)
        tuned = backends.tune(
            TunableNetwork(
                weights_path.name,
                sha256,
                Once(lambda: _built(weights_path, sha256)),
                example,
                box_difference_px,
                DETECTOR_BOUND_PX,
            ),
            device,
        )
        self._letterbox = LetterBox(IMAGE_SIZE_PX, auto=True, stride=_STRIDE_PX)
        self._runner = tuned.runner
        self.choice = tuned.choice

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the people in each frame, uint8 (H, W, 3), most confident first; boxes are in the frame's pixels."""
        found: list[list[Detection]] = []
        for shape, same in groupby(frames_rgb, key=np.shape):
            found += self._detect(list(same), shape)
        return found

    def _detect(self, frames_rgb: list[NDArray[np.uint8]], frame_shape: tuple[int, ...]) -> list[list[Detection]]:
        inputs = _input([self._letterbox(image=rgb) for rgb in frames_rgb])
        found = []
        for outputs in self._runner(inputs):
            boxes_xyxy, confidences = _people(outputs)
            found.append(_detections(scale_boxes(inputs.shape[1:3], boxes_xyxy, frame_shape), confidences))
        return found


def _built(weights_path: Path, sha256: str) -> nn.Module:
    """Build the network from its weights, which must still be those that were verified."""
    # most of the time that Ultralytics takes to import, and a converted network does without
    from ultralytics import YOLO

    check_unchanged(weights_path, sha256)
    network = _Decoded(YOLO(str(weights_path), task="detect").model.float().fuse(verbose=False).eval())
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def _people(outputs: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the people in one picture without duplicates: xyxy (n, 4), confidences (n,) descending.

    Ultralytics' ``non_max_suppression`` gives the same result, but compares the scores of all classes at each of the
    network's thousands of places, although few show a person.

    Args:
        outputs: the network's outputs for the picture, (5, places).
    """
    outputs = outputs[:, outputs[4] > LOWEST_CONFIDENCE]
    boxes_xyxy, confidences = xywh2xyxy(outputs[:4].T).cpu().numpy(), outputs[4].cpu().numpy()
    kept = distinct(boxes_xyxy, confidences, _OVERLAP)[:_MOST_BOXES]
    return boxes_xyxy[kept], confidences[kept]


def distinct(boxes_xyxy: NDArray[np.float32], confidences: NDArray[np.float32], overlap: float) -> NDArray[np.intp]:
    """Return the boxes that overlap no more confident one by more than ``overlap``, most confident first: int64 (k,).

    The same boxes as from ``torchvision.ops.nms``, which is 0.1 ms quicker, but takes 0.3 s to import.

    Args:
        boxes_xyxy: (n, 4).
        confidences: (n,).
        overlap: intersection over union.
    """
    waiting = np.argsort(-confidences, kind="stable")
    x1, y1, x2, y2 = boxes_xyxy.T
    areas = (x2 - x1) * (y2 - y1)
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        width = np.minimum(x2[best], x2[waiting]) - np.maximum(x1[best], x1[waiting])
        height = np.minimum(y2[best], y2[waiting]) - np.maximum(y1[best], y1[waiting])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        waiting = waiting[shared / (areas[best] + areas[waiting] - shared) <= overlap]
    return np.array(kept, np.intp)


def _input(pictures_rgb: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures_rgb))


def box_difference_px(reference: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return how far the furthest side of a person's box is off, at the 95th percentile of the places that see one.

    Elsewhere, boxes are vague and mean nothing. If the reference sees nobody, all places count.

    Args:
        reference: the network's outputs for one picture, (1, 5, places).
        other: the same, run in another way.
    """
    sees = reference[0, 4] > _SEES_A_PERSON
    where = sees if sees.any() else np.ones_like(sees)
    return float(np.percentile(np.abs(_sides(other[0, :4, where]) - _sides(reference[0, :4, where])).max(axis=1), 95))


def _sides(boxes_xywh: NDArray[np.float32]) -> NDArray[np.float32]:
    centres, halves = boxes_xywh[:, :2], boxes_xywh[:, 2:] / 2
    return np.concatenate((centres - halves, centres + halves), axis=1)


def _detections(boxes_xyxy: NDArray[np.float32], confidences: NDArray[np.float32]) -> list[Detection]:
    return [
        Detection(box_xyxy=(x1, y1, x2, y2), confidence=confidence)
        for (x1, y1, x2, y2), confidence in zip(boxes_xyxy.tolist(), confidences.tolist(), strict=True)
        if x2 > x1 and y2 > y1
    ]
