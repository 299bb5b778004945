"""One side of ``benchmarks.against``: answers questions, a line of JSON each, with the package of its own revision.

Run as a file, so that ``recognizer`` and ``benchmarks`` come from ``PYTHONPATH``. Only what every revision has is used.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from time import perf_counter
from typing import Any

import psutil


def processors_s() -> float:
    """Return the processors' seconds of this process and of all that it started."""
    me = psutil.Process()
    times = [one.cpu_times() for one in (me, *me.children(recursive=True))]
    return sum(one.user + one.system for one in times) + times[0].children_user + times[0].children_system


@cache
def models_of(
    classifier: str, preset: str, checkpoint: str | None = None, labels: str | None = None
) -> tuple[Any, Any]:
    """Return the loaded networks, and their settings."""
    from recognizer import settings as module
    from recognizer.networks.loading import load_models

    own = module.Settings(video_classifier_model=classifier, checkpoint_path=checkpoint, labels_path=labels)
    chosen = getattr(module, preset)(own)
    return load_models(chosen), chosen


def analyze(video: str, **network: str) -> dict[str, Any]:
    """Analyze a video; answer with its cost, who is called what, when, and how the networks ran."""
    from recognizer import analyze as run

    models, settings = models_of(**network)
    used_s, started_s = processors_s(), perf_counter()
    timeline = run(video, settings, models=models)
    cost = processors_s() - used_s, perf_counter() - started_s
    ways = {name: models.provenance[f"{name}_backend"] for name in ("detector", "classifier")}
    return {"cost": cost, "said": said(timeline), "ways": ways}


def said(timeline: Any) -> list[tuple[float, Sequence[float], str, float]]:
    """Return time, box, label and probability of each person at each sample."""
    by_person: dict[int, list[Any]] = {}
    for segment in timeline.segments():
        by_person.setdefault(segment.person_id, []).append(segment)
    rows: list[tuple[float, Sequence[float], str, float]] = []
    for track in timeline.people:
        for time_s, box in zip(track.time_s, track.box_xyxy, strict=True):
            for one in by_person.get(track.person_id, ()):
                if one.start_s <= time_s < one.end_s:
                    rows.append((float(time_s), [float(side) for side in box], one.action, float(one.confidence)))
                    break
    return rows


class Counting:
    """A classifier that counts its clips."""

    def __init__(self, classifier: Any) -> None:
        self._classifier, self.clips = classifier, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._classifier, name)

    def classify(self, clips: Sequence[Any]) -> Any:
        """See ``recognizer.types.Classifier``."""
        self.clips += len(clips)
        return self._classifier.classify(clips)


def live(clips: str, people: int, seconds: float, **network: str) -> dict[str, Any]:
    """Feed a camera's frames in real time; answer with the figures of ``benchmarks.live`` and clips a second."""
    from pathlib import Path

    from benchmarks.live import run
    from benchmarks.live_clips import CAMERA_HZ, camera_frames
    from recognizer.networks.loading import Models

    models, settings = models_of(**network)
    models.classifier.warm_up(settings.num_video_sequence_samples)
    counting = Counting(models.classifier)
    frames = camera_frames(Path(clips), people, round(seconds * CAMERA_HZ))
    figures = run(Models(models.detector, counting, models.provenance), settings, frames)
    return {"clips_per_s": counting.clips / seconds, **figures}


def main() -> None:
    """Answer until the questions end."""
    answers: dict[str, Callable[..., dict[str, Any]]] = {"analyze": analyze, "live": live}
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(answers[question.pop("do")](**question)), file=channel, flush=True)


if __name__ == "__main__":
    main()
