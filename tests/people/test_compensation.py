"""Boxes are moved with the camera."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.people.compensation import CameraMotion, moved, moved_xyxy
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


def test_an_unknown_motion_counts_as_none() -> None:
    motion = CameraMotion((0.0, 0.1, 0.2, 0.3), (None, UNKNOWN_STEP, PAN, None))
    assert motion.between(0.0, 0.3) == PAN


def test_a_box_moves_with_its_size_and_speed() -> None:
    state = np.concatenate((BOX, (3.0, 0.0, 1.0, 1.0)))
    assert moved(state, ZOOM).tolist() == [200.0, 100.0, 40.0, 80.0, 6.0, 0.0, 2.0, 2.0]
    turned = moved(state, CameraStep(0.0, 1.0, 0.0, 0.0))
    assert turned.tolist() == pytest.approx([-50.0, 100.0, 20.0, 40.0, 0.0, 3.0, 1.0, 1.0])
    assert moved_xyxy(np.array((90.0, 30.0, 110.0, 70.0)), PAN).tolist() == [60.0, 35.0, 80.0, 75.0]


def test_a_box_that_hardly_moves_stays_the_same_to_the_bit() -> None:
    slight = CameraStep(1.0, 0.0, 1.5, 0.0)
    assert moved(BOX, slight, beyond=0.08) is BOX
    assert moved(BOX, slight, beyond=0.07)[0] == 101.5
