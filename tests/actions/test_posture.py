"""Posture and movement from boxes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.actions.posture import POSTURE, posture_of, postures_of
from recognizer.timeline.model import PersonTrack
from recognizer.types import CameraPath

RATE_HZ = 15.0


def track(boxes: NDArray[np.floating]) -> PersonTrack:
    time_s = np.arange(len(boxes)) / RATE_HZ
    return PersonTrack(1, time_s, boxes.astype(np.float32), np.ones(len(boxes), np.float32), ((0.0, 100.0),))


def still(count: int = 38) -> NDArray[np.float64]:
    return np.tile([200.0, 100.0, 260.0, 300.0], (count, 1))


def numbers(boxes: NDArray[np.floating], camera: CameraPath | None = None) -> dict[str, float]:
    found = posture_of(track(boxes), 0.0, 100.0, camera)
    return dict(zip([one.name for one in POSTURE], found.tolist(), strict=True))


def test_person_who_stands_does_not_move() -> None:
    found = numbers(still())
    assert found["log of 1 + the centre's path, body heights per second"] == pytest.approx(0)
    assert found["log of width by height"] == pytest.approx(np.log(60 / 200))


def test_speed_is_in_body_heights_per_second() -> None:
    boxes = still() + np.arange(38)[:, None] * np.array([10.0, 0, 10, 0])
    found = numbers(boxes)
    # 10 pixels a sample, 200 pixels tall; averaging flattens the path a little at its ends
    assert np.expm1(found["log of 1 + the centre's path, body heights per second"]) == pytest.approx(0.75, rel=0.1)


def test_fall_lowers_the_top_and_widens_the_box() -> None:
    boxes = still()
    boxes[19:] = [140.0, 240.0, 340.0, 300.0]
    found = numbers(boxes)
    assert found["the top goes down, body heights"] == pytest.approx(140 / 200)
    assert found["change of that"] > 2


def test_moving_camera_does_not_count() -> None:
    boxes = still() + np.arange(38)[:, None] * np.array([10.0, 0, 10, 0])
    steps = np.tile([1.0, 0.0, 10.0, 0.0], (38, 1))
    name = "log of 1 + the centre's path, body heights per second"
    assert numbers(boxes, CameraPath(np.arange(38) / RATE_HZ, steps))[name] == pytest.approx(0, abs=1e-9)


def test_unknown_camera_leaves_movement_unknown_and_posture_known() -> None:
    steps = np.full((38, 4), np.nan)
    found = numbers(still(), CameraPath(np.arange(38) / RATE_HZ, steps))
    assert np.isnan(found["log of 1 + the centre's path, body heights per second"])
    assert found["log of width by height"] == pytest.approx(np.log(60 / 200))


def test_posture_is_unknown_with_too_few_boxes() -> None:
    assert np.isnan(posture_of(track(still(3)), 0, 100)).all()


def test_many_moments_are_measured_like_each_alone() -> None:
    boxes = still(90) + np.random.default_rng(0).normal(size=(90, 4)).cumsum(axis=0)
    spans_s = np.array([[0.0, 2.5], [1.0, 2.0], [2.0, 6.0], [50.0, 60.0]])
    together = postures_of(track(boxes), spans_s)
    alone = [posture_of(track(boxes), start_s, end_s) for start_s, end_s in spans_s.tolist()]
    np.testing.assert_allclose(together, alone)
    assert np.isnan(together[3]).all()
