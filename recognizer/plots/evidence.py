"""What the predictions under a segment say together, for its hover text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np

from recognizer.types import Prediction, Segment

_TOP_COUNT: Final = 5


class Evidence:
    """What the predictions under a stretch of time say together.

    Each prediction counts for the time it decides, as in Timeline.segments: where two overlap, up to the middle of the
    overlap. A label that is not among a prediction's top five counts as 0 there.
    """

    def __init__(self, predictions: Iterable[Prediction]) -> None:
        by_person: dict[int, list[Prediction]] = defaultdict(list)
        for prediction in predictions:
            by_person[prediction.person_id].append(prediction)
        self._by_person = {person_id: self._pieces(of_person) for person_id, of_person in by_person.items()}

    @staticmethod
    def _pieces(predictions: list[Prediction]) -> tuple[list[Prediction], list[float], list[float]]:
        predictions.sort(key=lambda prediction: (prediction.start_s, prediction.end_s))
        starts_s = np.array([prediction.start_s for prediction in predictions])
        ends_s = np.array([prediction.end_s for prediction in predictions])
        overlaps = ends_s[:-1] > starts_s[1:]
        middles_s = (starts_s[1:] + ends_s[:-1]) / 2
        starts_s[1:] = np.where(overlaps, middles_s, starts_s[1:])
        ends_s[:-1] = np.where(overlaps, middles_s, ends_s[:-1])
        return predictions, starts_s.tolist(), ends_s.tolist()

    def top(self, segment: Segment) -> list[tuple[str, float]]:
        """The most probable labels of the segment with their mean probabilities, descending."""
        if segment.person_id not in self._by_person:
            return []
        predictions, starts_s, ends_s = self._by_person[segment.person_id]
        first = bisect_right(ends_s, segment.start_s)
        past = bisect_left(starts_s, segment.end_s)
        sums: dict[str, float] = defaultdict(float)
        total_s = 0.0
        for k in range(first, past):
            weight_s = min(ends_s[k], segment.end_s) - max(starts_s[k], segment.start_s)
            if weight_s <= 0:
                continue
            total_s += weight_s
            for label, probability in predictions[k].top:
                sums[label] += weight_s * probability
        best = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:_TOP_COUNT]
        return [(label, weighted / total_s) for label, weighted in best]
