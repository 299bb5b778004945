"""Networks that compute nothing, for what is left of an analysis without them: following, cutting out, collecting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from benchmarks.throughput_sides import serve_models
from benchmarks.tiled_clips import cells
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.types import Clip, Detection, Prediction

_HEIGHT, _WIDTH = 0.8, 0.35
"""A person's box in shares of the height of their cell, about as in the clips."""

_SWAY = 0.05
_CLIPS_AT_ONCE = 2
"""As a classifier on a CPU takes them."""


class StandInDetector:
    """Finds one person in the middle of each cell of a tiled video, who sways."""

    def __init__(self, people: int, size_wh: tuple[int, int]) -> None:
        self._cells = cells(people, size_wh)
        self._pictures = 0

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """See ``Detector``."""
        return [self._next() for _ in frames_rgb]

    def _next(self) -> list[Detection]:
        self._pictures += 1
        found = []
        for k, (left, top, width, height) in enumerate(self._cells):
            x = left + width / 2 + _SWAY * height * math.sin(self._pictures / 5 + k)
            y, half_width, half_height = top + height / 2, _WIDTH * height / 2, _HEIGHT * height / 2
            found.append(Detection((x - half_width, y - half_height, x + half_width, y + half_height), 0.9))
        return found


class StandInClassifier:
    """Puts clips into arrays as a network would, and says the same of all."""

    name = "stand-in"
    labels = ("waving", "jogging")
    _exact = None

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """See ``Classifier``."""
        said = []
        for start in range(0, len(clips), _CLIPS_AT_ONCE):
            for clip in [clip.stacked() for clip in clips[start : start + _CLIPS_AT_ONCE]]:
                top = (("waving", 0.6), ("jogging", 0.3))
                said.append(Prediction(clip.person_id, clip.start_s, clip.end_s, top, self.name))
        return said

    def warm_up(self, samples: int) -> None:
        """Do nothing."""


def serve_stand_ins(settings: Settings, people: int, size_wh: tuple[int, int], calls: Connection) -> None:
    """Run the engine's process without networks, for a tiled video; see ``serve_engine``."""
    serve_models(Models(StandInDetector(people, size_wh), StandInClassifier(), {}), settings, calls)
