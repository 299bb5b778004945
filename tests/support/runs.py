"""Settings, people and helpers for the tests of whole runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from tests.support.fakes import (
    ScriptedClassifier,
    ScriptedDetector,
    person,
)

QUICK = Settings(num_video_sequence_samples=4, skip_frame=3)
"""At 30 frames a second: a sample every 0.1 s, a clip every 0.3 s."""

LEFT = person((4, 8, 20, 44))
RIGHT = person((40, 8, 56, 44))

MakeVideo = Callable[..., Path]


def detector_of(models: Models) -> ScriptedDetector:
    assert isinstance(models.detector, ScriptedDetector)
    return models.detector


def classifier_of(models: Models) -> ScriptedClassifier:
    assert isinstance(models.classifier, ScriptedClassifier)
    return models.classifier


def even(frames: int, rate_hz: float = 30.0) -> list[float]:
    """Return the times of ``frames`` frames at a constant rate."""
    return [k / rate_hz for k in range(frames)]


def same(one: Timeline, other: Timeline) -> None:
    """Assert that two timelines are equal."""
    assert one.predictions == other.predictions
    assert one.segments() == other.segments()
    assert one.analysed_s == other.analysed_s
    assert one.notes == other.notes
    np.testing.assert_array_equal(one.frame_times_s, other.frame_times_s)
    assert [track.person_id for track in one.people] == [track.person_id for track in other.people]
    for a, b in zip(one.people, other.people, strict=True):
        assert a.presence == b.presence
        np.testing.assert_array_equal(a.time_s, b.time_s)
        np.testing.assert_array_equal(a.box_xyxy, b.box_xyxy)
        np.testing.assert_array_equal(a.confidence, b.confidence)
