"""The loop that users would write from the documentation: the baseline of ``benchmarks/throughput.py``.

It reads frames with OpenCV and tracks people one frame at a time, crops each person in every ``skip_frame``-th frame,
classifies a full clip at once with PyTorch in float32, and draws boxes and labels on every frame. It is neither
optimized nor slowed down: PyTorch may use all cores.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
import torch
from torch import nn
from ultralytics import YOLO

from recognizer.classifier_specs import ClassifierSpec
from recognizer.clips.cropping import square_crop
from recognizer.networks.classifiers.clip_input import sample_indices
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.settings import Settings
from recognizer.types import Box

PERSON_CLASS = 0


@dataclass
class PlainResult:
    """The loop's results.

    Attributes:
        took_s: seconds from opening the file to its last frame.
        frames: number of frames in the file.
        boxes: boxes of each frame, by track id.
        said: track id, number of the first and of the last frame of the clip, its label and probability.
        processors_s: what all threads took.
    """

    took_s: float
    frames: int = 0
    boxes: list[dict[int, Box]] = field(default_factory=list)
    said: list[tuple[int, int, int, str, float]] = field(default_factory=list)
    processors_s: float = 0.0


def run(
    path: Path,
    yolo: YOLO,
    network: nn.Module,
    spec: ClassifierSpec,
    settings: Settings,
    device: str,
    given: Mapping[int, dict[int, Box]] | None = None,
) -> PlainResult:
    """Process a video once; with ``given`` boxes for each frame, detect nobody."""
    started_s = perf_counter()
    result = PlainResult(0.0)
    crops: dict[int, deque[tuple[int, np.ndarray]]] = defaultdict(
        lambda: deque(maxlen=settings.num_video_sequence_samples)
    )
    new: dict[int, int] = defaultdict(int)
    labels: dict[int, str] = {}
    video = cv2.VideoCapture(str(path))
    yolo.predictor = None  # forget the tracks of the previous video
    while True:
        ok, bgr = video.read()
        if not ok:
            break
        boxes = _tracked(bgr, yolo, device) if given is None else given.get(result.frames, {})
        if result.frames % settings.skip_frame == 0:
            rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            for track_id, box in boxes.items():
                crops[track_id].append((result.frames, square_crop(rgb, box, settings.crop_margin_percentage)))
                new[track_id] += 1
                full = settings.num_video_sequence_samples
                if new[track_id] >= (settings.new_samples_per_clip if track_id in labels else full):
                    new[track_id] = 0
                    clip = [crop for _, crop in crops[track_id]]
                    labels[track_id], probability = classify(clip, network, spec, device)
                    first, last = crops[track_id][0][0], crops[track_id][-1][0]
                    result.said.append((track_id, first, last, labels[track_id], probability))
        for track_id, (x1, y1, x2, y2) in boxes.items():
            cv2.rectangle(bgr, (round(x1), round(y1)), (round(x2), round(y2)), (0, 255, 0), 2)
            text = f"{track_id} {labels.get(track_id, 'detecting...')}"
            cv2.putText(bgr, text, (round(x1), round(y1) - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 255, 0), 2)
        result.boxes.append(boxes)
        result.frames += 1
    video.release()
    result.took_s = perf_counter() - started_s
    return result


def _tracked(bgr: np.ndarray, yolo: YOLO, device: str) -> dict[int, Box]:
    (tracked,) = yolo.track(
        bgr, persist=True, tracker="bytetrack.yaml", classes=[PERSON_CLASS], device=device, verbose=False
    )
    # Ultralytics leaves one core unused; the comparison uses all of them
    torch.set_num_threads(os.cpu_count() or 1)
    if tracked.boxes.id is None:
        return {}
    ids, boxes = tracked.boxes.id.int().tolist(), tracked.boxes.xyxy.tolist()
    return {track_id: (box[0], box[1], box[2], box[3]) for track_id, box in zip(ids, boxes, strict=True)}


def classify(crops: list[np.ndarray], network: nn.Module, spec: ClassifierSpec, device: str) -> tuple[str, float]:
    """Return the best label of one clip and its probability."""
    taken = np.stack(crops)[sample_indices(len(crops), spec.length.network_length(len(crops)))]
    x = torch.from_numpy(taken).permute(0, 3, 1, 2).float() / 255
    if x.shape[-1] != spec.crop_size_px:
        x = nn.functional.interpolate(x, size=spec.crop_size_px, mode="bilinear", antialias=True)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (spec.mean_rgb, spec.std_rgb))
    x = ((x - mean) / std).permute(1, 0, 2, 3)[None].contiguous().to(device)
    with torch.no_grad():
        best = network(x)[0].softmax(0).max(0)
    return KINETICS400_LABELS[int(best.indices)], float(best.values)
