"""Labelling while observations keep coming: neither thread waits for the other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recognizer.analysis.labeling import ActionLabeler
from recognizer.networks.loading import Models
from recognizer.types import CROP_SIZE_PX, Clip, Observation, Prediction, TrackedPerson
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always, video_info
from tests.support.featured import FeaturedClassifier
from tests.support.runs import LEFT, QUICK
from tests.support.waiting import WAIT_S

CROP = np.zeros((CROP_SIZE_PX, CROP_SIZE_PX, 3), np.uint8)


class HeldClassifier(ScriptedClassifier):
    """Classifies nothing until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.released = threading.Event(), threading.Event()

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        self.reached.set()
        assert self.released.wait(WAIT_S)
        return super().classify(clips)


def observation(sample: int) -> Observation:
    return Observation(sample, sample / 10, (TrackedPerson(1, LEFT.box_xyxy, 0.9),), (CROP,))


def labeler_of(classifier: ScriptedClassifier) -> ActionLabeler:
    return ActionLabeler(Models(ScriptedDetector(always()), classifier), QUICK, video_info())


def test_observations_are_added_and_the_timeline_is_read_while_the_classifier_runs() -> None:
    classifier = HeldClassifier()
    labeler = labeler_of(classifier)
    (clip,) = [clip for sample in range(4) for clip in labeler.add(observation(sample))]
    thread = threading.Thread(target=labeler.label, args=([clip],), daemon=True)
    thread.start()
    assert classifier.reached.wait(WAIT_S)
    labeler.add(observation(4))
    labeler.add_people(0.45, observation(4).people)
    assert len(labeler.timeline(np.zeros(0), complete=False).people[0].time_s) == 6
    assert labeler.latest_prediction(1) is None
    classifier.released.set()
    thread.join(WAIT_S)
    assert labeler.latest_prediction(1) is not None


def test_a_prediction_for_an_earlier_stay_is_not_the_latest() -> None:
    """Regression: a slow classifier labelled a person who had just returned with what they did before."""
    labeler = labeler_of(ScriptedClassifier())
    (clip,) = [clip for sample in range(4) for clip in labeler.add(observation(sample))]
    labeler.add(observation(50))
    assert labeler.stay_began_s(1) == pytest.approx(5.0)
    labeler.label([clip])
    assert labeler.latest_prediction(1) is None
    assert len(labeler.timeline(np.zeros(0), complete=False).predictions) == 1


@pytest.mark.parametrize("keeps", [True, False])
def test_features_are_kept_unless_the_settings_say_otherwise(keeps: bool) -> None:
    settings = replace(QUICK, keep_features=keeps)
    labeler = ActionLabeler(Models(ScriptedDetector(always()), FeaturedClassifier()), settings, video_info())
    clips = [clip for sample in range(4) for clip in labeler.add(observation(sample))]
    assert [one.features is not None for one in labeler.label(clips)] == [keeps]
    (stored,) = labeler.timeline(np.zeros(0), complete=True).predictions
    latest = labeler.latest_prediction(1)
    assert latest is not None
    assert (stored.features is not None, latest.features is not None) == (keeps, keeps)


def test_a_change_of_settings_stops_keeping_features() -> None:
    models = Models(ScriptedDetector(always()), FeaturedClassifier())
    labeler = ActionLabeler(models, QUICK, video_info())
    labeler.change(models, replace(QUICK, keep_features=False))
    clips = [clip for sample in range(4) for clip in labeler.add(observation(sample))]
    assert [one.features for one in labeler.label(clips)] == [None]
