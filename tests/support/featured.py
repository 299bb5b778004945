"""Generated analyses with features: a clip's features follow from its label, so that labels can be taught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from recognizer.timeline.model import Timeline
from recognizer.types import Clip, ClipFeatures, Prediction
from tests.support.fakes import ScriptedClassifier
from tests.support.own_actions import SIZE, moments
from tests.support.workbench import generated_timeline

WEIGHTS_SHA256 = "cd" * 32


class FeaturedClassifier(ScriptedClassifier):
    """Labels clips with features, of which the highest is the time at which the clip starts."""

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        predictions = super().classify(clips)
        return [replace(one, features=ClipFeatures.rounded(np.array([[0.0, one.start_s]]))) for one in predictions]


class ActingClassifier(ScriptedClassifier):
    """Says ``waving`` of everything; the features are those of an action that can be taught.

    Args:
        name: of the classifier.
        action_at: returns the action of a clip that starts at a time.
    """

    def __init__(self, name: str, action_at: Callable[[float], str]) -> None:
        super().__init__()
        self.name = name
        self._action_at = action_at

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        return [
            replace(one, features=ClipFeatures.rounded(moments(self._action_at(one.start_s), 1, 3, video=9)[0]))
            for one in super().classify(clips)
        ]


def featured_timeline(
    people: int = 2,
    duration_s: float = 30.0,
    *,
    seed: int = 1,
    sha256: str | None = "ab" * 32,
    action_s: float = 8.0,
    views: int = 2,
    weights_sha256: str = WEIGHTS_SHA256,
) -> Timeline:
    """Return a generated timeline (see ``generated_timeline``) whose predictions have features."""
    timeline = generated_timeline(people, duration_s, seed=seed, sha256=sha256, action_s=action_s)
    return replace(
        timeline,
        predictions=tuple(with_features(timeline.predictions, views=views, video=seed)),
        provenance={"classifier": "i3d", "classifier_sha256": weights_sha256, "classifier_backend": "pytorch-float32"},
    )


def with_features(predictions: Sequence[Prediction], *, views: int = 2, video: int = 0) -> list[Prediction]:
    """Return predictions with features that follow from the first label."""
    return [
        replace(one, features=ClipFeatures.rounded(moments(one.top[0][0], 1, k, views, SIZE, video)[0]))
        for k, one in enumerate(predictions)
    ]


def stretch_of(timeline: Timeline, person_id: int, label: str) -> tuple[float, float]:
    """Return a stretch in which a person's clips all have a label: the middle of the longest."""
    runs: list[list[Prediction]] = [[]]
    for one in timeline.predictions:
        if one.person_id == person_id and one.top[0][0] == label:
            runs[-1].append(one)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    assert longest, f"person {person_id} never does {label}"
    middle = longest[len(longest) // 2]
    return middle.start_s, middle.end_s


def labels_of(timeline: Timeline, person_id: int) -> list[str]:
    """Return the labels of a person's clips, the most frequent first."""
    labels = [one.top[0][0] for one in timeline.predictions if one.person_id == person_id]
    names, counts = np.unique(labels, return_counts=True)
    return [str(names[k]) for k in np.argsort(-counts, kind="stable")]
