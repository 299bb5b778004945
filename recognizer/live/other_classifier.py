"""Another classifier next to the stream's own: it classifies the same clips of the same people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from recognizer.analysis.labeling import ActionLabeler
from recognizer.live.labeling_thread import LabelingThread
from recognizer.live.stats import LabelingStats
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Prediction


class OtherClassifier:
    """Holds another classifier's predictions. It has a thread of its own, so neither classifier waits for the other.

    Args:
        models: the models with the other classifier.
        settings: the stream's, with the other classifier.
        labeler: the stream's; only this one collects clips.
        now_s: the stream's time.

    Attributes:
        is_active: whether it is currently in use.
    """

    def __init__(self, models: Models, settings: Settings, labeler: ActionLabeler, now_s: Callable[[], float]) -> None:
        self.is_active = True
        self._labeler = labeler
        self._lock = threading.Lock()
        self._predictions: list[Prediction] = []
        self._latest: dict[int, Prediction] = {}
        self.change(models, settings)
        self._thread = LabelingThread(self._label, labeler.stay_began_s, now_s)

    def change(self, models: Models, settings: Settings) -> None:
        """Continue with another classifier or other settings; earlier predictions stay."""
        with self._lock:
            self._models, self._settings = models, settings

    @property
    def name(self) -> str:
        """Name of the current classifier."""
        return self._models.classifier.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the current classifier."""
        return self._models.classifier.labels

    @property
    def problem(self) -> str | None:
        """One sentence about what went wrong last; None if nothing did."""
        return self._thread.problem

    def put(self, clips: Sequence[Clip]) -> None:
        """Add complete clips, without waiting."""
        self._thread.put(clips)

    def oldest_wait_s(self) -> float:
        """Return how long the oldest clip without a label has waited; 0 if there is none."""
        return self._thread.oldest_wait_s()

    def _label(self, clips: Sequence[Clip]) -> None:
        predictions = self._models.classifier.classify(clips)
        with self._lock:
            if not self._settings.keep_features:
                predictions = [replace(one, features=None) for one in predictions]
            self._predictions += predictions
            for prediction in predictions:
                self._latest[prediction.person_id] = prediction

    def latest_prediction(self, person_id: int) -> Prediction | None:
        """Return the latest prediction of a person's present stay."""
        latest = self._latest.get(person_id)
        if latest is None or latest.start_s < self._labeler.stay_began_s(person_id):
            return None
        return latest

    def stats(self) -> LabelingStats:
        """Return how well labelling keeps up."""
        return self._thread.stats()

    def timeline(self, first: Timeline, since_s: float = 0.0) -> Timeline:
        """Return the people of the stream's own timeline ``first`` with this classifier's predictions."""
        with self._lock:
            predictions = [prediction for prediction in self._predictions if prediction.end_s > since_s]
            settings, own = self._settings, self._models.provenance
        predictions.sort(key=lambda prediction: (prediction.person_id, prediction.start_s, prediction.end_s))
        return replace(
            first,
            # the clips are the stream's, even if its settings have changed since this classifier was chosen
            settings=replace(
                first.settings,
                video_classifier_model=settings.video_classifier_model,
                checkpoint_path=settings.checkpoint_path,
                labels_path=settings.labels_path,
            ),
            predictions=tuple(replace(p, end_s=min(p.end_s, first.analysed_s)) for p in predictions),
            provenance={**first.provenance, **own},
        )

    def close(self, last_clips: Sequence[Clip], timeout_s: float) -> None:
        """End the thread, then classify the waiting clips and, if in use, ``last_clips``; call once."""
        self._thread.close(last_clips if self.is_active else [], timeout_s)
