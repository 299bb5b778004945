"""The two sides of ``benchmarks.throughput``: each a process of its own, and the weights that both get."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.against_side import processors_s
from recognizer.settings import Settings
from recognizer.types import Box, Classifier, Clip, Detection, Detector, Prediction

if TYPE_CHECKING:
    from benchmarks.plain_loop import PlainResult
    from recognizer.networks.loading import Models

KIB_PER_MIB = 1024

People = dict[int, dict[int, Box]]
"""Boxes by frame number, then by person."""


class TimedDetector:
    """A detector that measures its time and counts its pictures."""

    def __init__(self, detector: Detector) -> None:
        self.took_s, self.pictures = 0.0, 0
        self._detector = detector

    def detect(self, frames_rgb: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """See ``Detector``."""
        started_s = perf_counter()
        found = self._detector.detect(frames_rgb)
        self.took_s += perf_counter() - started_s
        self.pictures += len(frames_rgb)
        return found


class TimedClassifier:
    """A classifier that measures its time, and stores its clips on request."""

    def __init__(self, classifier: Classifier) -> None:
        self.took_s, self.clips = 0.0, 0
        self.kept: list[Clip] | None = None
        self.name, self.labels = classifier.name, classifier.labels
        self._classifier = classifier

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """See ``Classifier``."""
        started_s = perf_counter()
        predictions = self._classifier.classify(clips)
        self.took_s += perf_counter() - started_s
        self.clips += len(clips)
        if self.kept is not None:
            self.kept.extend(clips)
        return predictions

    def warm_up(self, samples: int) -> None:
        """See ``Classifier``."""
        self._classifier.warm_up(samples)


class CountedRunner:
    """Counts the clips whose labels are so close that the classifier also runs its exact network, and measures that."""

    def __init__(self, classifier: Any) -> None:
        self.clips, self.took_s = 0, 0.0
        self._exact = classifier._exact
        if self._exact is not None:
            classifier._exact = self

    def __call__(self, batch: Any) -> Any:
        """Run the exact network."""
        started_s = perf_counter()
        output = self._exact(batch)
        self.took_s += perf_counter() - started_s
        self.clips += len(batch)
        return output


@dataclass(frozen=True)
class Said:
    """The label of one clip; its first and last frame are samples, counted from 0."""

    person_id: int
    first_frame: int
    last_frame: int
    label: str
    probability: float


@dataclass(frozen=True)
class EngineRun:
    """One run of the engine; times in seconds."""

    took_s: float
    processors_s: float
    detect_s: float
    classify_s: float
    pictures: int
    clips: int
    asked_again: int
    again_s: float
    frames: int
    people: People
    said: list[Said]


@dataclass(frozen=True)
class Alone:
    """Seconds that the engine's stages take one after the other, on the inputs of a run."""

    decode_s: float
    detect_s: float
    classify_s: float

    @property
    def sum_s(self) -> float:
        """Time of a run without overlap and without other work."""
        return self.decode_s + self.detect_s + self.classify_s


def serve_engine(settings: Settings, calls: Connection) -> None:
    """Run the engine's process; answers ``("run", path)``, ``("alone", path)`` and ``("memory", "")``."""
    from recognizer.networks.loading import load_models

    serve_models(load_models(settings), settings, calls)


def serve_models(loaded: Models, settings: Settings, calls: Connection) -> None:
    """Run the engine's process with these networks."""
    from recognizer.analysis.file import analyze
    from recognizer.analysis.file_pass import frames_per_detection
    from recognizer.clips.sampling import SampleClock
    from recognizer.networks.loading import Models
    from recognizer.timeline.model import frame_rate_hz
    from recognizer.video import open_video

    again = CountedRunner(loaded.classifier)

    def run(path: str, kept: list[Clip] | None = None) -> EngineRun:
        detector, classifier = TimedDetector(loaded.detector), TimedClassifier(loaded.classifier)
        classifier.kept = kept
        clips_before, again_before_s = again.clips, again.took_s
        used_s, started_s = processors_s(), perf_counter()
        timeline = analyze(path, settings, models=Models(detector, classifier, loaded.provenance))
        took_s, used_s = perf_counter() - started_s, processors_s() - used_s
        rate_hz = timeline.frame_rate_hz
        people: People = {}
        for track in timeline.people:
            for time_s, box in zip(track.time_s, track.box_xyxy, strict=True):
                people.setdefault(round(time_s * rate_hz), {})[track.person_id] = tuple(box)
        said = [
            Said(p.person_id, round(p.start_s * rate_hz), round(p.end_s * rate_hz) - settings.skip_frame, *p.top[0])
            for p in timeline.predictions
        ]
        frames = len(timeline.frame_times_s)
        return EngineRun(
            took_s,
            used_s,
            detector.took_s,
            classifier.took_s,
            detector.pictures,
            classifier.clips,
            again.clips - clips_before,
            again.took_s - again_before_s,
            frames,
            people,
            said,
        )

    def alone(path: str) -> Alone:
        clips: list[Clip] = []
        run(path, clips)
        with open_video(path, sha256="0" * 64) as reader:
            rate_hz = frame_rate_hz(reader.info)
            clock = SampleClock(settings.sample_interval_s(rate_hz), 1 / rate_hz)
            started_s = perf_counter()
            frames = list(reader.frames(lambda _, time_s: clock.take_sample(time_s)))
            decode_s = perf_counter() - started_s
        at_once = frames_per_detection(settings)
        started_s = perf_counter()
        for start in range(0, len(frames), at_once):
            loaded.detector.detect([frame.rgb for frame in frames[start : start + at_once]])
        detect_s = perf_counter() - started_s
        started_s = perf_counter()
        loaded.classifier.classify(clips)
        return Alone(decode_s, detect_s, perf_counter() - started_s)

    _serve(calls, {"run": run, "alone": alone}, dict(loaded.provenance))


def serve_plain(settings: Settings, checkpoint: str, calls: Connection) -> None:
    """Run the plain loop's process; answers ``("run", path)``, ``("run", path, boxes)`` and ``("memory", "")``."""
    from ultralytics import YOLO

    from benchmarks import plain_loop
    from recognizer import weights
    from recognizer.classifier_specs import spec_of
    from recognizer.networks.classifiers.architecture import build
    from recognizer.networks.classifiers.checkpoint import read_tensors
    from recognizer.networks.devices import resolve_device

    spec = spec_of(settings.video_classifier_model)
    network = build(spec, 400)
    network.load_state_dict(read_tensors(Path(checkpoint)))
    device = str(resolve_device(settings.device))
    network.eval().to(device)
    yolo = YOLO(str(weights.resolve(settings.model)), task="detect")

    def run(path: str, given: People | None = None) -> PlainResult:
        used_s = processors_s()
        result = plain_loop.run(Path(path), yolo, network, spec, settings, device, given)
        result.processors_s = processors_s() - used_s
        return result

    _serve(calls, {"run": run}, {})


def _serve(calls: Connection, answers: dict[str, Any], hello: dict[str, str]) -> None:
    calls.send(hello)
    while (call := calls.recv()) is not None:
        what, *arguments = call
        if what == "memory":
            calls.send(_most_memory_mib())
        else:
            calls.send(answers[what](*arguments))


def _most_memory_mib() -> float:
    """Return this process's peak memory."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB
    # on Linux getrusage starts from the memory of the parent process
    (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / KIB_PER_MIB


class Side:
    """One of the two processes."""

    def __init__(self, target: Any, *arguments: Any) -> None:
        self._calls, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=target, args=(*arguments, theirs), daemon=True)
        self._process.start()

    @cached_property
    def hello(self) -> dict[str, str]:
        """The process's provenance, as soon as its networks are loaded."""
        hello: dict[str, str] = self._calls.recv()
        return hello

    def ask(self, what: str, path: Path | str = "", *more: Any) -> Any:
        """Return the process's answer."""
        _ = self.hello  # its first message
        self._calls.send((what, str(path), *more))
        return self._calls.recv()

    def close(self) -> None:
        """End the process."""
        self._calls.send(None)
        self._process.join()


def checkpoint_of(settings: Settings, folder: Path, *, close: bool = True) -> tuple[Path, Settings, str]:
    """Return the file of the classifier's weights, the settings that use it, and a word for the weights.

    Args:
        settings: name the classifier.
        folder: gets random weights if the published ones are unavailable.
        close: whether the labels of random weights are as close as they are, not as far apart as a trained network's.
    """
    from recognizer import weights
    from recognizer.errors import WeightsError
    from recognizer.networks import loading

    name = settings.video_classifier_model
    try:
        return loading.network_path(name, weights.resolve(name)), settings, "published"
    except WeightsError:
        pass
    from benchmarks.random_weights import APART, with_random_weights

    random = with_random_weights(settings, folder, 1.0 if close else APART[name])
    return Path(str(random.checkpoint_path)), random, "random, close" if close else "random"


@dataclass(frozen=True)
class Speed:
    """Both sides on one video: medians of the runs, and the engine's median run.

    Attributes:
        plain_s, engine_s: by the clock.
        plain_used_s, engine_used_s: of the processors.
        run: of the engine.
    """

    plain_s: float
    plain_used_s: float
    engine_s: float
    engine_used_s: float
    run: EngineRun

    @classmethod
    def of(cls, plain: Sequence[PlainResult], engine: Sequence[EngineRun]) -> Speed:
        """Return the medians of runs."""
        return cls(
            median(one.took_s for one in plain),
            median(one.processors_s for one in plain),
            median(one.took_s for one in engine),
            median(one.processors_s for one in engine),
            sorted(engine, key=lambda one: one.took_s)[len(engine) // 2],
        )

    @property
    def ratio(self) -> float:
        """By the clock."""
        return self.plain_s / self.engine_s

    @property
    def ratio_used(self) -> float:
        """In processor time."""
        return self.plain_used_s / self.engine_used_s

    @property
    def ratio_without(self) -> float:
        """By the clock, without what was asked again in float32."""
        return self.ratio / (1 - self.run.again_s / self.run.took_s)
