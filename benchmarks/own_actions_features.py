"""Features of today's networks for ``benchmarks.own_actions``, in the way that runs and in float32.

    .venv/bin/python -m benchmarks.own_actions_features FOLDER TARGET [--classifier i3d]
    .venv/bin/python -m benchmarks.own_actions TARGET/chosen
    .venv/bin/python -m benchmarks.own_actions TARGET/float32

Analyzes the videos in ``FOLDER/videos`` with the recommended settings and runs each clip in both ways, so that only the
rounding differs. ``FOLDER`` is laid out as ``benchmarks.own_actions_data`` says; features of videos that are not there
are taken over into both. Prints how far the features are apart, relative to their length. Goes on where it ended.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.file import analyze
from recognizer.networks.backends.autotune import TunedNetwork
from recognizer.networks.classifiers.network import NetworkClassifier
from recognizer.networks.loading import Models, load_models
from recognizer.settings import CLASSIFIER_NAMES, Settings, recommended
from recognizer.timeline.model import PersonTrack
from recognizer.types import Clip, ClipFeatures, Prediction

WAYS = ("chosen", "float32")


class InBothWays:
    """A classifier that runs every clip in float32 as well, and keeps the predictions of each way."""

    def __init__(self, chosen: NetworkClassifier) -> None:
        exact = chosen._exact
        if exact is None:
            raise SystemExit(f"{chosen.name} runs in {chosen.choice.way.name} here, so nothing is rounded.")
        tuned = TunedNetwork(exact, None, chosen.choice)
        self._chosen = chosen
        self._exact = NetworkClassifier(chosen.spec, None, chosen.labels, tuned=tuned)
        self.name, self.labels = chosen.name, chosen.labels
        self.said: dict[str, list[Prediction]] = {way: [] for way in WAYS}

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """See ``Classifier``."""
        predictions = self._chosen.classify(clips)
        self.said["chosen"] += predictions
        self.said["float32"] += self._exact.classify(clips)
        return predictions

    def warm_up(self, samples: int) -> None:
        """See ``Classifier``."""
        self._chosen.warm_up(samples)


def stored(predictions: Sequence[Prediction], people: Sequence[PersonTrack]) -> dict[str, NDArray[Any]]:
    """Return the arrays of one video, as ``own_actions_data`` reads them."""
    views = np.stack([_over_time(one.features) for one in predictions if one.features is not None])
    boxes = [
        np.column_stack((np.full(len(one.time_s), one.person_id), one.time_s, one.box_xyxy, one.confidence))
        for one in people
    ]
    return {
        "crop": views[:, 0],
        "around": views[:, 1],
        "pid": np.array([one.person_id for one in predictions]),
        "start": np.array([one.start_s for one in predictions]),
        "end": np.array([one.end_s for one in predictions]),
        "boxes": np.concatenate(boxes).astype(np.float32),
    }


def _over_time(features: ClipFeatures) -> NDArray[np.float32]:
    """Return features as two steps of time, (V, D, 2), whose mean and direction are those that were kept."""
    values, change = np.split(features.values_and_change(), 2)
    slight = np.float32(1e-4) * features.step[:, None] * change
    return np.stack((values - slight, values + slight), axis=2)


def apart(ours: dict[str, NDArray[Any]], exact: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return how far the crops' features of each clip are apart, relative to their length."""
    off = np.linalg.norm(ours["crop"].mean(axis=2) - exact["crop"].mean(axis=2), axis=1)
    return np.asarray(off / np.linalg.norm(exact["crop"].mean(axis=2), axis=1), np.float64)


def main() -> None:
    """Analyze and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("target", type=Path, metavar="TARGET")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    arguments = parser.parse_args()
    settings = recommended(Settings(video_classifier_model=arguments.classifier))
    models = load_models(settings)
    assert isinstance(models.classifier, NetworkClassifier)
    for way in WAYS:
        (arguments.target / way / "feat").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(arguments.folder / "labels.tsv", arguments.target / way / "labels.tsv")
    videos = sorted((arguments.folder / "videos").iterdir())
    for other in (arguments.folder / "feat").iterdir():
        if other.stem not in {video.name for video in videos}:
            for way in WAYS:
                shutil.copyfile(other, arguments.target / way / "feat" / other.name)
    off = []
    for video in videos:
        files = {way: arguments.target / way / "feat" / f"{video.name}.npz" for way in WAYS}
        if not all(file.is_file() for file in files.values()):
            both = InBothWays(models.classifier)
            timeline = analyze(video, settings, models=Models(models.detector, both, models.provenance))
            if not both.said["chosen"]:
                continue
            for way, file in files.items():
                np.savez(file, allow_pickle=False, **stored(both.said[way], timeline.people))
        arrays = [dict(np.load(files[way])) for way in WAYS]
        off.append(apart(arrays[0], arrays[1]))
        print(
            f"{video.name}: {len(off[-1])} clips, features off by {np.median(off[-1]):.3f} of their length", flush=True
        )
    every = np.concatenate(off)
    way = models.classifier.choice.way.name
    print(f"{len(every)} clips by {way}: off by {np.median(every):.3f} in the median, {every.max():.3f} at most")


if __name__ == "__main__":
    main()
