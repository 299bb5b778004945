"""From the scores of a clip's views to its prediction: which labels come first, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recognizer.classifier_specs import EvidenceWeights
from recognizer.networks.classifiers.evidence import confidence, support, weighed
from recognizer.types import Clip, ClipFeatures, Prediction

TOP_LABELS = 5
"""Number of labels in a prediction."""

CLOSE_CALL = 0.86
"""If the probability of the runner-up exceeds this share of the best label's, a network that runs in a rounded format
runs again in float32. On 196 real clips of eight samples, I3D in bfloat16 labelled four differently from float32, with
shares of 0.91 to 0.97; at 0.86 (scores 0.15 apart) one clip in six runs again and no difference remains."""

LEAST_SURE = 0.1
"""Close labels that are both less sure than this do not run again: pages show labels from 0.3 on, and rounding moves a
confidence by a few hundredths (docs/decisions/105-what-float32-decides.md)."""

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The scores of a clip's crop and of its surroundings, each (number of labels,)."""


class Views(NamedTuple):
    """A network's scores and features for the clips of one batch.

    Attributes:
        of_crop: scores, float32 (B, labels).
        of_surroundings: scores, float32 (len(around), labels); None if no clip has surroundings.
        around: the clips with surroundings.
        features: one for each clip; None for each if the runner returns scores alone.
    """

    of_crop: Tensor
    of_surroundings: Tensor | None
    around: list[int]
    features: Sequence[ClipFeatures | None]

    @property
    def scores(self) -> Tensor:
        """The mean of the scores of crop and surroundings, float32 (B, labels)."""
        if self.of_surroundings is None:
            return self.of_crop
        scores = self.of_crop.clone()
        scores[self.around] = (scores[self.around] + self.of_surroundings) / 2
        return scores

    def pairs(self) -> Iterator[tuple[int, Pair]]:
        """Yield each clip with surroundings, and the scores of its crop and of its surroundings."""
        if self.of_surroundings is not None:
            for k, place in zip(self.around, self.of_surroundings.double().cpu().numpy(), strict=True):
                yield k, (self.of_crop[k].double().cpu().numpy(), place)


@dataclass(frozen=True)
class Naming:
    """Turns scores into predictions.

    Attributes:
        name: stored as ``Prediction.classifier``.
        labels: in the order of the scores.
        full_s: seconds of a full clip.
        temperature: divides the scores.
        evidence: gives the best label of a clip with surroundings its probability; None leaves it to the scores.
    """

    name: str
    labels: tuple[str, ...]
    full_s: float
    temperature: float = 1.0
    evidence: EvidenceWeights | None = None

    def predictions(self, clips: Sequence[Clip], views: Views) -> list[Prediction]:
        """Return the predictions. Only clips with surroundings have evidence of how sure the best label is."""
        best = self._probabilities(views).topk(min(TOP_LABELS, len(self.labels)), dim=1)
        values, outputs = best.values.tolist(), best.indices.tolist()
        sure: dict[int, float] = {}
        if self.evidence is not None:
            sure = {k: self._sure(clips[k], pair, outputs[k][0], self.evidence) for k, pair in views.pairs()}
        return [
            replace(self._prediction(clip, values[k], outputs[k], sure.get(k)), features=views.features[k])
            for k, clip in enumerate(clips)
        ]

    def close_calls(self, clips: Sequence[Clip], views: Views) -> Iterator[int]:
        """Yield the clips whose best two labels are close and not both less sure than ``LEAST_SURE``."""
        if len(self.labels) < 2:
            return
        best = views.scores.topk(2, dim=1)
        close = torch.exp(best.values[:, 1] - best.values[:, 0]) > CLOSE_CALL
        highest = self._probabilities(views).amax(dim=1).tolist()
        pairs = {} if self.evidence is None else dict(views.pairs())
        for k in close.nonzero().flatten().tolist():
            sure = highest[k]
            if self.evidence is not None and k in pairs:
                sure = max(self._sure(clips[k], pairs[k], label, self.evidence) for label in best.indices[k].tolist())
            if sure >= LEAST_SURE:
                yield k

    def _probabilities(self, views: Views) -> Tensor:
        return torch.softmax(views.scores.double() / self.temperature, dim=1)

    def _sure(self, clip: Clip, pair: Pair, label: int, weights: EvidenceWeights) -> float:
        return confidence(support(clip, pair, label, self.full_s), weights)

    def _prediction(
        self, clip: Clip, probabilities: Sequence[float], outputs: Sequence[int], sure: float | None
    ) -> Prediction:
        shown = probabilities if sure is None else weighed(probabilities, sure)
        top = tuple((self.labels[k], p) for k, p in zip(outputs, shown, strict=True))
        own = () if sure is None else tuple(probabilities)
        return Prediction(clip.person_id, clip.start_s, clip.end_s, top, self.name, own)
