"""What does a comparison cost, relative to separate analyses? Runs both on one clip with the real networks.

    .venv/bin/python -m benchmarks.compare [--entries i3d:8,i3d:16,i3d:32] [--own mc3_18 FILE LABELS] [--rounds 2]

Each round runs, in turn: one detection pass (decoding, detection and tracking, no classification), a separate analysis
for each classifier, and one comparison of all. The networks are loaded and warm. Prints the medians over the
rounds, how often the detector received each sampled frame, and whether the comparison takes no longer than its
classifications and 1.05 detection passes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.compare import compare
from recognizer.analysis.file import analyze
from recognizer.comparison.model import names_of
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.types import Classifier, Clip, Detection, Detector, Prediction

DETECTION_ALLOWANCE = 1.05
"""Detection passes that a comparison may take in addition to its classifications."""


class CountingDetector:
    """A detector that counts its frames."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.frames = 0

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """See ``Detector``."""
        self.frames += len(frames_rgb)
        return self._detector.detect(frames_rgb)


class TimedClassifier:
    """A classifier that measures its time; with None it predicts nothing."""

    def __init__(self, classifier: Classifier | None) -> None:
        self._classifier = classifier
        self.worked_s = 0.0

    @property
    def name(self) -> str:
        """See ``Classifier``."""
        return self._classifier.name if self._classifier else "nothing"

    @property
    def labels(self) -> tuple[str, ...]:
        """See ``Classifier``."""
        return self._classifier.labels if self._classifier else ()

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """See ``Classifier``."""
        if self._classifier is None:
            return []
        started_s = time.perf_counter()
        predictions = self._classifier.classify(clips)
        self.worked_s += time.perf_counter() - started_s
        return predictions

    def warm_up(self, samples: int) -> None:
        """See ``Classifier``."""
        if self._classifier is not None:
            self._classifier.warm_up(samples)


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s


def chosen_settings(entries: str, own: Sequence[Sequence[str]]) -> list[Settings]:
    """Return the settings that the options select."""
    settings = []
    for word in entries.split(","):
        name, _, samples = word.partition(":")
        settings.append(Settings(video_classifier_model=name, num_video_sequence_samples=int(samples or 8)))
    for network, checkpoint, labels in own:
        settings.append(Settings(video_classifier_model=network, checkpoint_path=checkpoint, labels_path=labels))
    return settings


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--clip", default="stgcn_ta_chi.mp4")
    parser.add_argument("--entries", default="i3d:8,i3d:16,i3d:32", metavar="NAME:SAMPLES,...")
    parser.add_argument("--own", nargs=3, action="append", default=[], metavar=("NETWORK", "FILE", "LABELS"))
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    path = arguments.clips / arguments.clip
    if not path.is_file():
        sys.exit(f"the clip '{path}' does not exist; give its folder with --clips.")
    settings = chosen_settings(arguments.entries, arguments.own)
    names = names_of(settings)
    cache = ModelCache(max_classifiers=len(settings))
    timed = {one: TimedClassifier(cache.get(one).classifier) for one in settings}
    detector = CountingDetector(cache.get(settings[0]).detector)

    def load(one: Settings) -> Models:
        return replace(cache.get(one), detector=detector, classifier=timed[one])

    compare(path, settings, load=load)  # the first run sets everything up
    nothing = replace(cache.get(settings[0]), detector=detector, classifier=TimedClassifier(None))
    detection_s, compared_s, classified_s = [], [], []
    alone_s: dict[Settings, list[float]] = {one: [] for one in settings}
    shown = 0

    def analyze_alone(one: Settings) -> None:
        analyze(path, one, models=load(one))

    for _ in range(arguments.rounds):
        detector.frames = 0
        detection_s.append(seconds(lambda: analyze(path, settings[0], models=nothing)))
        samples = detector.frames
        for one in settings:
            alone_s[one].append(seconds(partial(analyze_alone, one)))
        detector.frames = 0
        for classifier in timed.values():
            classifier.worked_s = 0.0
        compared_s.append(seconds(lambda: compare(path, settings, load=load)))
        classified_s.append(sum(classifier.worked_s for classifier in timed.values()))
        shown = max(shown, detector.frames)
    separate_s = sum(median(times) for times in alone_s.values())
    allowed_s = median(c + DETECTION_ALLOWANCE * d for c, d in zip(classified_s, detection_s, strict=True))
    compared = median(compared_s)
    within = "within" if compared <= allowed_s else "beyond"
    rows = [
        ("one detection pass", median(detection_s), ""),
        *((f"{name} alone", median(alone_s[one]), "") for name, one in zip(names, settings, strict=True)),
        ("sum of the separate analyses", separate_s, ""),
        ("one comparison of all", compared, f"{compared / separate_s:.2f} of the sum"),
        ("  of which classification", median(classified_s), ""),
        (f"classification + {DETECTION_ALLOWANCE} detection passes", allowed_s, f"the comparison is {within} it"),
    ]
    print(f"{path.name}, {samples} sampled frames; medians of {arguments.rounds} rounds")
    for title, took_s, remark in rows:
        print(f"{title:<40} {took_s:7.2f} s  {remark}".rstrip())
    print(f"the comparison showed the detector {shown} frames, each sampled frame {shown / samples:.2f} times")


if __name__ == "__main__":
    main()
