"""Running a comparison: one pass of decoding, detection and tracking, then each classifier over what it saw."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil
import torch

from recognizer.analysis.file import Progress, analyze, find_people
from recognizer.analysis.passes import PassStore
from recognizer.comparison.model import CANCELLED, Comparison, Cost, Entry, check_comparable, named
from recognizer.errors import CheckpointError, SettingsError, WeightsError
from recognizer.networks.classifiers.specs import spec_of
from recognizer.networks.devices import resolve_device
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Classifier, Clip, Prediction
from recognizer.video import open_video

_MEMORY_EVERY_S: Final = 0.25
"""How often the program's memory is looked at while a classifier works."""


@dataclass(frozen=True)
class CompareProgress:
    """How far a comparison is.

    Attributes:
        entry: name of the one that runs; None while people are looked for, for all of them.
        number: which of those that are to run it is, from 1; so many less one are over.
        count: how many are to run.
        analysis: how far its analysis, or the looking for people, is; None while its networks are loaded.
        share: of all that is to be done, by the steps that are over.
    """

    entry: str | None
    number: int
    count: int
    analysis: Progress | None
    share: float


def compare(
    path: str | Path,
    settings: Sequence[Settings],
    *,
    load: Callable[[Settings], Models],
    known: Sequence[Entry] = (),
    checkpoint_names: Sequence[str | None] = (),
    pass_store: PassStore | None = None,
    progress: Callable[[CompareProgress], None] | None = None,
    entry_done: Callable[[Comparison], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
) -> Comparison:
    """Run several classifiers over one video; people are found and followed once.

    Args:
        path: the file.
        settings: one for each classifier; what decides who is seen where must be the same for all.
        load: gives the networks of settings, fetched where they are not here.
        known: entries of an earlier comparison of this video; those that ran with the same settings do not run again.
        checkpoint_names: what the person calls the checkpoint of each, where that is not its path's own name.
        pass_store: where the pass is kept; a temporary folder if None.
        progress: called often, on this thread.
        entry_done: called after each entry with all that is there so far.
        cancel: asked often; True ends the comparison, and those that are finished are kept.
        max_file_bytes: larger files are refused.
        sha256: of the file's bytes, where it is known already.
        name: what messages call the file, where it is not its file name.

    Returns:
        One entry for each of ``settings``, in their order. Where the weights of one cannot be had, its ``problem`` says
        so, and the others run all the same.

    Raises:
        SettingsError: the settings cannot be compared.
        VideoError: the file cannot be read as a video.
    """
    check_comparable(settings)
    ran = [entry for entry in known if entry.timeline is not None]
    asked = [
        Entry(name="", settings=one, checkpoint_name=checkpoint_name)
        for one, checkpoint_name in zip(settings, checkpoint_names or [None] * len(settings), strict=True)
    ]
    entries = list(named([next((e for e in ran if e.settings == one.settings), one) for one in asked]))
    to_run = [k for k, entry in enumerate(entries) if entry.timeline is None]
    if not to_run:
        return Comparison(tuple(entries))
    is_cancelled = cancel or (lambda: False)

    def report(entry: str | None, number: int, over: int, analysis: Progress | None) -> None:
        """``over`` so many steps; looking for people is one, like each classifier."""
        if progress is None:
            return
        part = min(1.0, analysis.analysed_s / analysis.duration_s) if analysis and analysis.duration_s else 0.0
        share = (over + part) / (len(to_run) + 1)
        progress(CompareProgress(entry, number, len(to_run), analysis, share))

    with ExitStack() as stack:
        if pass_store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comparison-", ignore_cleanup_errors=True))
            pass_store = PassStore(Path(folder))
        with open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader:
            file = {"max_file_bytes": max_file_bytes, "sha256": reader.info.sha256, "name": name}
        one_pass: dict[str, Any] = {**file, "pass_store": pass_store.remembering(), "cancel": is_cancelled}
        are_found = False
        for number, k in enumerate(to_run, 1):
            entry = entries[k]
            if is_cancelled():
                entries[k] = replace(entry, problem=CANCELLED)
                continue
            report(entry.name, number, number - 1 + are_found, None)
            try:
                models = load(entry.settings)
            except (WeightsError, CheckpointError, SettingsError) as error:
                entries[k] = replace(entry, problem=_in_their_words(str(error), entry))
            else:
                # a pass of its own: in turn with a classifier the detector is slower than alone
                are_found = are_found or find_people(
                    path, entry.settings, models=models, progress=partial(report, None, number, number - 1), **one_pass
                )
                entries[k] = replace(entry, problem=CANCELLED)
                if are_found:
                    entries[k] = _run(path, entry, models, partial(report, entry.name, number, number), one_pass)
            if entry_done is not None:
                entry_done(Comparison(tuple(entries)))
    return Comparison(tuple(entries))


def _run(
    path: str | Path,
    entry: Entry,
    models: Models,
    progress: Callable[[Progress], None],
    one_pass: Mapping[str, Any],
) -> Entry:
    """The entry with its timeline and what it cost, or with the note that it was cancelled."""
    measured = _Measured(models.classifier)
    with _MemoryWatch() as memory:
        timeline = analyze(
            path, entry.settings, models=replace(models, classifier=measured), progress=progress, **one_pass
        )
    if not timeline.complete:
        return replace(entry, problem=CANCELLED)
    cost = _cost(timeline, measured, memory)
    return replace(entry, labels=models.classifier.labels, timeline=timeline, cost=cost)


def _in_their_words(problem: str, entry: Entry) -> str:
    """An uploaded checkpoint is stored under the name of its hash; people know it by their own."""
    path = entry.settings.checkpoint_path
    return problem if path is None or entry.checkpoint_name is None else problem.replace(path, entry.checkpoint_name)


def _cost(timeline: Timeline, measured: _Measured, memory: _MemoryWatch) -> Cost:
    settings = timeline.settings
    spec = spec_of(settings.video_classifier_model)
    return Cost(
        clips=measured.clips,
        ms_per_clip=measured.ms_per_clip,
        video_s=timeline.analysed_s,
        device=str(resolve_device(settings.device)),
        backend=timeline.provenance.get("classifier_backend", ""),
        parameters=spec.parameters_for(len(measured.labels)),
        peak_memory_bytes=memory.peak_bytes,
        gpu_memory_bytes=memory.gpu_peak_bytes,
        top1_percent=spec.top1_percent if settings.checkpoint_path is None else None,
    )


class _Measured:
    """A classifier, and how long it takes."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._calls: list[tuple[int, float]] = []

    @property
    def name(self) -> str:
        return self._classifier.name

    @property
    def labels(self) -> tuple[str, ...]:
        return self._classifier.labels

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        started_s = time.perf_counter()
        predictions = self._classifier.classify(clips)
        if clips:
            self._calls.append((len(clips), time.perf_counter() - started_s))
        return predictions

    def warm_up(self, samples: int) -> None:
        self._classifier.warm_up(samples)

    @property
    def clips(self) -> int:
        return sum(clips for clips, _ in self._calls)

    @property
    def ms_per_clip(self) -> float | None:
        """The first call sets the network up, so it does not count where there are others."""
        counted = self._calls[1:] or self._calls
        if not counted:
            return None
        return 1000.0 * sum(took_s for _, took_s in counted) / sum(clips for clips, _ in counted)


class _MemoryWatch:
    """The most memory that this program holds while the ``with`` block runs.

    Attributes:
        peak_bytes: resident memory of the process, looked at every _MEMORY_EVERY_S.
        gpu_peak_bytes: what PyTorch held of the GPU; None without a CUDA GPU.
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
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._look()
        if torch.cuda.is_available():
            self.gpu_peak_bytes = torch.cuda.max_memory_allocated()

    def _look(self) -> None:
        self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)

    def _watch(self) -> None:
        while not self._over.wait(_MEMORY_EVERY_S):
            self._look()
