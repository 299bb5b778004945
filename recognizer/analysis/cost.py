"""Measure the cost of classifying a video: time per clip, and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import psutil
import torch

from recognizer.classifier_specs import spec_of
from recognizer.comparison.model import Cost
from recognizer.networks.classifiers.architecture import parameters_for
from recognizer.networks.devices import resolve_device
from recognizer.timeline.model import Timeline
from recognizer.types import Classifier, Clip, Prediction

_SAMPLING_INTERVAL_S: Final = 0.25
"""Interval between two measurements of the process's memory."""


class TimedClassifier:
    """A classifier that measures its own calls."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._calls: list[tuple[int, float]] = []

    @property
    def name(self) -> str:
        """See ``Classifier``."""
        return self._classifier.name

    @property
    def labels(self) -> tuple[str, ...]:
        """See ``Classifier``."""
        return self._classifier.labels

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Classify clips and record the time taken."""
        started_s = time.perf_counter()
        predictions = self._classifier.classify(clips)
        if clips:
            self._calls.append((len(clips), time.perf_counter() - started_s))
        return predictions

    def warm_up(self, samples: int) -> None:
        """See ``Classifier``."""
        self._classifier.warm_up(samples)

    @property
    def clips(self) -> int:
        """Number of clips classified so far."""
        return sum(clips for clips, _ in self._calls)

    @property
    def took_s(self) -> float:
        """Seconds of all calls so far."""
        return sum(took_s for _, took_s in self._calls)

    @property
    def ms_per_clip(self) -> float | None:
        """Mean milliseconds per clip. The first call sets up the network; it counts only if there is no other."""
        counted = self._calls[1:] or self._calls
        if not counted:
            return None
        return 1000.0 * sum(took_s for _, took_s in counted) / sum(clips for clips, _ in counted)


class PeakMemory:
    """Measures this process's peak memory during a ``with`` block.

    Attributes:
        peak_bytes: resident memory of the process, sampled every _SAMPLING_INTERVAL_S.
        gpu_peak_bytes: memory that PyTorch allocated on the GPU; None without a CUDA GPU.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self.gpu_peak_bytes: int | None = None
        self._process = psutil.Process()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._sample()
        if torch.cuda.is_available():
            self.gpu_peak_bytes = torch.cuda.max_memory_allocated()

    def _sample(self) -> None:
        self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)

    def _watch(self) -> None:
        while not self._over.wait(_SAMPLING_INTERVAL_S):
            self._sample()


def cost_of(timeline: Timeline, classifier: TimedClassifier, memory: PeakMemory) -> Cost:
    """Return the cost of making ``timeline`` with ``classifier``."""
    settings = timeline.settings
    spec = spec_of(settings.video_classifier_model)
    return Cost(
        clips=classifier.clips,
        ms_per_clip=classifier.ms_per_clip,
        video_s=timeline.analysed_s,
        device=str(resolve_device(settings.device)),
        backend=timeline.provenance.get("classifier_backend", ""),
        parameters=parameters_for(spec, len(classifier.labels)),
        peak_memory_bytes=memory.peak_bytes,
        gpu_memory_bytes=memory.gpu_peak_bytes,
        top1_percent=spec.top1_percent if settings.checkpoint_path is None else None,
    )
