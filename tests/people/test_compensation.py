"""Boxes are moved with the camera."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.people.compensation import CameraMotion, all_moved_xyxy, moved, moved_xyxy
from recognizer.types import UNKNOWN_STEP, CameraStep

PAN = CameraStep(1.0, 0.0, -30.0, 5.0)
ZOOM = CameraStep(2.0, 0.0, 0.0, 0.0)
BOX = np.array((100.0, 50.0, 20.0, 40.0))


def test_motions_between_two_samples_follow_each_other() -> None:
    motion = CameraMotion((0.0, 0.1, 0.2, 0.3), (UNKNOWN_STEP, PAN, ZOOM, PAN))
    assert motion.between(0.0, 0.1) == PAN
    assert motion.between(0.0, 0.2) == CameraStep(2.0, 0.0, -60.0, 10.0)
    assert motion.between(0.1, 0.3) == CameraStep(2.0, 0.0, -30.0, 5.0)
    assert motion.between(0.2, 0.2) == CameraStep(1.0, 0.0, 0.0, 0.0)
    later_s = (0.1, 0.2, 0.2, 0.3)
    assert motion.from_one_to_each(0.1, np.array(later_s)) == [motion.between(0.1, to_s) for to_s in later_s]


def test_an_unknown_motion_counts_as_none() -> None:
    motion = CameraMotion((0.0, 0.1, 0.2, 0.3), (None, UNKNOWN_STEP, PAN, None))
    assert motion.between(0.0, 0.3) == PAN


def test_a_box_moves_with_its_size_and_speed() -> None:
    state = np.concatenate((BOX, (3.0, 0.0, 1.0, 1.0)))
    assert moved(state, ZOOM).tolist() == [200.0, 100.0, 40.0, 80.0, 6.0, 0.0, 2.0, 2.0]
    turned = moved(state, CameraStep(0.0, 1.0, 0.0, 0.0))
    assert turned.tolist() == pytest.approx([-50.0, 100.0, 20.0, 40.0, 0.0, 3.0, 1.0, 1.0])
    assert moved_xyxy(np.array((90.0, 30.0, 110.0, 70.0)), PAN).tolist() == [60.0, 35.0, 80.0, 75.0]


def test_many_boxes_move_as_one_box_does() -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 500, (40, 2))
    boxes = np.concatenate((corners, corners + rng.uniform(1, 200, (40, 2))), axis=1)
    steps = [CameraStep(rng.uniform(0.8, 1.2), rng.uniform(-0.3, 0.3), *rng.uniform(-40, 40, 2)) for _ in boxes]
    steps[:2] = CameraStep(1.0, 0.0, 0.0, 0.0), PAN
    for box, step, found in zip(boxes, steps, all_moved_xyxy(boxes, np.array(steps)), strict=True):
        x, y, width, height = moved(np.concatenate(((box[:2] + box[2:]) / 2, box[2:] - box[:2])), step).tolist()
        assert found == pytest.approx((x - width / 2, y - height / 2, x + width / 2, y + height / 2), rel=1e-12)


def test_a_box_that_hardly_moves_stays_the_same_to_the_bit() -> None:
    slight = CameraStep(1.0, 0.0, 1.5, 0.0)
    assert moved(BOX, slight, beyond=0.08) is BOX
    assert moved(BOX, slight, beyond=0.07)[0] == 101.5
