"""A second classifier beside the first: it names the same clips of the same people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from recognizer.analysis.labeling import ActionLabeler
from recognizer.live.naming import Namer
from recognizer.live.stats import NamingStats
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Clip, Prediction


class SecondClassifier:
    """What another classifier says of a stream's clips; has a thread of its own, so that neither waits for the other.

    Args:
        models: whose classifier speaks.
        settings: those of the stream, but for the classifier.
        labeler: the stream's; it alone collects clips.
        now_s: the stream's time.
    """

    def __init__(self, models: Models, settings: Settings, labeler: ActionLabeler, now_s: Callable[[], float]) -> None:
        self._labeler = labeler
        self._lock = threading.Lock()
        self._said: list[Prediction] = []
        self._newest: dict[int, Prediction] = {}
        self.change(models, settings)
        self._namer = Namer(self._label, labeler.stay_began_s, now_s)

    def change(self, models: Models, settings: Settings) -> None:
        """Go on with another classifier, or other settings; what was said before stays."""
        with self._lock:
            self._models, self._settings = models, settings

    @property
    def name(self) -> str:
        """Of the classifier that speaks now."""
        return self._models.classifier.name

    @property
    def labels(self) -> tuple[str, ...]:
        """What the classifier that speaks now can say."""
        return self._models.classifier.labels

    @property
    def problem(self) -> str | None:
        """One sentence about what went wrong last; None when nothing did."""
        return self._namer.problem

    def put(self, clips: Sequence[Clip]) -> None:
        """Clips that are full now; returns at once."""
        self._namer.put(clips)

    def _label(self, clips: Sequence[Clip]) -> None:
        predictions = self._models.classifier.classify(clips)
        with self._lock:
            self._said += predictions
            for prediction in predictions:
                self._newest[prediction.person_id] = prediction

    def newest_prediction(self, person_id: int) -> Prediction | None:
        """What was last said of a person in their present stay."""
        newest = self._newest.get(person_id)
        if newest is None or newest.start_s < self._labeler.stay_began_s(person_id):
            return None
        return newest

    def stats(self) -> NamingStats:
        """How its naming keeps up."""
        return self._namer.stats()

    def timeline(self, first: Timeline, since_s: float = 0.0) -> Timeline:
        """The same people as in the first classifier's timeline, and what this one says of them."""
        with self._lock:
            said = [prediction for prediction in self._said if prediction.end_s > since_s]
            settings, own = self._settings, self._models.provenance
        said.sort(key=lambda prediction: (prediction.person_id, prediction.start_s, prediction.end_s))
        return replace(
            first,
            # the clips are the stream's, whatever its settings have become since this classifier was chosen
            settings=replace(
                first.settings,
                video_classifier_model=settings.video_classifier_model,
                checkpoint_path=settings.checkpoint_path,
                labels_path=settings.labels_path,
            ),
            predictions=tuple(replace(p, end_s=min(p.end_s, first.analysed_s)) for p in said),
            provenance={**first.provenance, **own},
        )

    def close(self, last_clips: Sequence[Clip], timeout_s: float) -> None:
        """End its thread, and name what still waits and ``last_clips``; called once."""
        self._namer.close(last_clips, timeout_s)
