"""YOLO26 as this project runs it, against Ultralytics' own ``predict``, on real frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from ultralytics import YOLO
from ultralytics.utils.metrics import box_iou

from recognizer.networks.backends import openvino
from recognizer.networks.detector import IMAGE_SIZE_PX, LOWEST_CONFIDENCE, PERSON_CLASS, YoloDetector
from recognizer.networks.drawn_people import drawn_people
from recognizer.networks.loading import backends
from recognizer.settings import Settings
from recognizer.video import open_video
from recognizer.weights import resolve

pytestmark = pytest.mark.real

CLIPS = (
    "opencv_vtest.avi",
    "mmaction2_demo.mp4",
    "c12_two_signers_ccby.mp4",
    "tv_basketball.mp4",
    "decord_flipping_a_pancake.mkv",
)
SURE = 0.1
"""Boxes below this confidence only help the tracker to continue tracks."""

MOSTLY_OVERLAP = 0.97
MOSTLY_APART = 0.02
"""However the network is rounded, nearly everybody's box and confidence are as near as this to those in float32."""


@pytest.fixture(scope="module")
def frames(clips_dir: Path) -> list[NDArray[np.uint8]]:
    """Return frames of five sizes, with one to ten people each."""
    pictures = []
    for name in CLIPS:
        with open_video(clips_dir / name) as reader:
            pictures += [frame.rgb for frame in reader.frames(lambda index, _: index in (0, 40, 80, 120, 160))]
    return pictures


@pytest.fixture(scope="module")
def predicted(frames: list[NDArray[np.uint8]]) -> list[torch.Tensor]:
    threads = torch.get_num_threads()
    yolo = YOLO(str(resolve(Settings.model)), task="detect")
    rows = []
    for rgb in frames:
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        (result,) = yolo.predict(
            bgr, classes=[PERSON_CLASS], conf=LOWEST_CONFIDENCE, imgsz=IMAGE_SIZE_PX, device="cpu", verbose=False
        )
        rows.append(result.boxes.data)
    torch.set_num_threads(threads)
    return rows


@pytest.mark.parametrize(
    ("backend", "precision", "least_overlap", "confidence_apart"),
    [("pytorch", "float32", 0.999, 1e-4), ("openvino", "float32", 0.999, 1e-4), ("auto", "auto", 0.94, 0.03)],
)
def test_everybody_whom_predict_finds_is_found_in_the_same_place(
    frames: list[NDArray[np.uint8]],
    predicted: list[torch.Tensor],
    backend: str,
    precision: str,
    least_overlap: float,
    confidence_apart: float,
) -> None:
    if backend == "openvino" and openvino.problem() is not None:
        pytest.skip(f"OpenVINO cannot be used here: {openvino.problem()}")
    settings = Settings(backend=backend, precision=precision)
    detector = YoloDetector(resolve(settings.model), torch.device("cpu"), backends(settings))
    people, all_overlaps, all_apart, known = 0, [], [], []
    for rgb, rows in zip(frames, predicted, strict=True):
        (found,) = detector.detect([rgb])
        boxes = torch.tensor([person.box_xyxy for person in found]).reshape(-1, 4)
        confidences = torch.tensor([person.confidence for person in found])
        sure = rows[rows[:, 4] >= SURE + confidence_apart]
        overlaps = box_iou(sure[:, :4], boxes)
        assert overlaps.max(dim=1).values.min() >= least_overlap
        all_overlaps.append(overlaps.max(dim=1).values)
        all_apart.append((confidences[overlaps.argmax(dim=1)] - sure[:, 4]).abs())
        assert all_apart[-1].max() <= confidence_apart
        surely_found = boxes[confidences >= SURE + confidence_apart]
        known.append(box_iou(surely_found, rows[:, :4]).max(dim=1).values)
        people += len(sure)
    assert people > 50
    assert torch.cat(all_overlaps).median() > 0.995
    assert (torch.cat(all_overlaps) >= MOSTLY_OVERLAP).float().mean() > 0.95
    assert (torch.cat(all_apart) <= MOSTLY_APART).float().mean() > 0.9
    surplus = torch.cat(known) < least_overlap
    # rounding can leave a second box of somebody that overlaps the first a little less than duplicates must
    assert surplus.sum() <= (1 if backend == "auto" else 0)
    assert (torch.cat(known) > 0.65).all()
    if backend == "auto":
        assert len([one for one in detector.detect([drawn_people()])[0] if one.confidence > 0.4]) >= 4


def test_frames_of_different_sizes_in_one_call_keep_their_order(frames: list[NDArray[np.uint8]]) -> None:
    settings = Settings(precision="float32")
    detector = YoloDetector(resolve(settings.model), torch.device("cpu"), backends(settings))
    mixed = [frames[0], frames[-1], frames[1]]
    alone = [detector.detect([rgb])[0] for rgb in mixed]
    for one, other in zip(detector.detect(mixed), alone, strict=True):
        np.testing.assert_allclose([d.box_xyxy for d in one], [d.box_xyxy for d in other], atol=0.1)
