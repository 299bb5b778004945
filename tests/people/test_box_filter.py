"""Smoothing of boxes as if every frame had been sampled, compared with Ultralytics' filter called for every frame."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from ultralytics.trackers.utils.kalman_filter import KalmanFilterXYWH

from recognizer.people.box_filter import BoxFilter
from recognizer.types import Box


def xywh(box: Box) -> np.ndarray:
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]])


def walk(frames: int) -> list[Box]:
    random = np.random.default_rng(3)
    ways = np.cumsum(random.normal(0, 4, (frames, 4)), axis=0)
    return [(100 + a, 80 + b, 180 + a + abs(c), 300 + b + abs(d)) for a, b, c, d in ways.tolist()]


def test_with_every_frame_sampled_it_equals_the_filter_of_bot_sort() -> None:
    ours, theirs = BoxFilter(30.0), KalmanFilterXYWH()
    ours.expect(30.0)
    boxes = walk(50)
    mean, covariance = theirs.initiate(xywh(boxes[0]))
    assert ours.update({7: boxes[0]}) == {7: pytest.approx(boxes[0])}
    for box in boxes[1:]:
        mean, covariance = theirs.update(*theirs.predict(mean, covariance), xywh(box))
        assert xywh(ours.update({7: box})[7]) == pytest.approx(mean[:4], rel=1e-9)


def test_frames_in_between_lie_on_a_straight_line() -> None:
    """With every third frame, the box equals that of every frame if the person moves straight in between."""
    every, third = BoxFilter(30.0), BoxFilter(30.0)
    every.expect(30.0)
    third.expect(10.0)
    stops = walk(12)
    third.update({1: stops[0]})
    every.update({1: stops[0]})
    for before, after in pairwise(stops):
        for step in (1 / 3, 2 / 3, 1.0):
            middle = tuple(a + (b - a) * step for a, b in zip(xywh(before), xywh(after), strict=True))
            x, y, w, h = middle
            shown = every.update({1: (x - w / 2, y - h / 2, x + w / 2, y + h / 2)})
        assert third.update({1: after})[1] == pytest.approx(shown[1])


def test_people_do_not_mix_and_are_forgotten_after_they_leave() -> None:
    boxes = BoxFilter(30.0)
    boxes.expect(15.0)
    left, right = (0.0, 0.0, 50.0, 100.0), (200.0, 0.0, 250.0, 100.0)
    assert boxes.update({1: left, 2: right}) == {1: pytest.approx(left), 2: pytest.approx(right)}
    assert boxes.update({2: right}) == {2: pytest.approx(right)}
    for _ in range(3):
        boxes.update({})
    elsewhere = (20.0, 10.0, 70.0, 110.0)
    assert boxes.update({1: elsewhere}) == {1: pytest.approx(elsewhere)}
