"""The run over a file: what is seen in it, from its frames or from an earlier pass, and named as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from recognizer.analysis.passes import PassRecorder, PassStore, RecordedPass, pass_key_from
from recognizer.analysis.stream import Recognizer
from recognizer.networks.classifiers.network import resolve_device
from recognizer.networks.loading import Models, load_models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.types import Clip, Frame, Observation, VideoInfo
from recognizer.video import DECODED_AHEAD, VideoReader, decoded_ahead, open_video

_T = TypeVar("_T")

_FRAMES_PER_DETECTION = {"cpu": 4, "mps": 4, "cuda": DECODED_AHEAD}
"""Sampled frames that go through the detector together, by the kind of device. What fills up because of them is named
together, too, and a GPU wants many clips at once; on a CPU more gain nothing (8 take 23 ms each, 4 take 25)."""

CLIPS_IN_FIRST_CALL = 2
MOST_CLIPS_PER_CALL = 64
CALL_TAKES_S = 0.5
"""How many clips are named together follows from how long the ones before took: as many as are done in this time, so
that a cancel is seen soon on a small machine and a GPU gets whole batches."""

_RATE_AFTER_S = 0.5
"""Before, the rate is chance: the crops of an earlier pass are there at once, and nothing is named yet."""


def frames_per_detection(settings: Settings) -> int:
    """How many sampled frames go through the detector together on the device of ``settings``."""
    return _FRAMES_PER_DETECTION[resolve_device(settings.device).type]


@dataclass(frozen=True)
class Progress:
    """How far an analysis is.

    Attributes:
        analysed_s: seconds of the video that are done.
        duration_s: seconds in all; None where the file does not tell.
        frames_per_s: frames of the video done in a second of work; None before that can be told.
        remaining_s: estimate of the seconds of work to come; None where it cannot be told.
        from_crops: True where the crops of an earlier pass serve.
        timeline: gives the timeline so far; costs little, but is not free.
    """

    analysed_s: float
    duration_s: float | None
    frames_per_s: float | None
    remaining_s: float | None
    from_crops: bool
    timeline: Callable[[], Timeline]


def analyze(
    path: str | Path,
    settings: Settings | None = None,
    *,
    models: Models | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pass_store: PassStore | None = None,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
) -> Timeline:
    """Tell who does what, when, in a video file.

    Args:
        path: the file.
        settings: how; the documented defaults where not given.
        models: loaded networks, to share them between calls; loaded when not given.
        progress: called after each step, on this thread.
        cancel: asked after each step; True ends the analysis, and what is there so far is returned.
        pass_store: where a finished pass is kept, so that another classifier or sequence length need not decode or
            detect again.
        max_file_bytes: larger files are refused.
        sha256: of the file's bytes, where it is known already.
        name: what messages call the file, where it is not its file name.

    Returns:
        The timeline; ``complete`` is False where it was cancelled.

    Raises:
        VideoError: the file cannot be read as a video.
        WeightsError: a network's weights cannot be had.
        CheckpointError: a person's own checkpoint does not fit.
    """
    settings = settings or Settings()
    with open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader:
        models = models or load_models(settings, None)
        recognizer = Recognizer(models, settings, reader.info, is_file=True)
        with _seen_in(reader, recognizer, models, settings, pass_store) as seen:
            run = _Run(recognizer, reader.info, progress, cancel, seen)
            complete = run.name_everyone()
            seen.end(complete)
            return recognizer.timeline(
                complete=complete, frame_times_s=seen.source.frame_times_s, notes=seen.source.notes, stitched=True
            )


def find_people(
    path: str | Path,
    settings: Settings,
    *,
    models: Models,
    pass_store: PassStore,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
) -> bool:
    """Find and follow the people of a video file and keep the pass, so that analyses of it begin from there.

    The arguments are those of ``analyze``; of the networks only the detector works. Nothing is done where the pass is
    kept already.

    Returns:
        False where it was cancelled; then nothing is kept.

    Raises:
        VideoError: the file cannot be read as a video.
    """
    with open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader:
        recognizer = Recognizer(models, settings, reader.info, is_file=True)
        with _seen_in(reader, recognizer, models, settings, pass_store) as seen:
            if seen.from_crops or not seen.is_kept:
                return True
            complete = _Run(recognizer, reader.info, progress, cancel, seen).find_everyone()
            seen.end(complete)
            return complete


@dataclass(frozen=True)
class _Seen:
    """What is seen in a file.

    Attributes:
        batches: of what was seen, in order of time; to be taken once.
        source: has the times of the frames and the notes, when the last batch was taken.
        from_crops: whether the people were found in an earlier pass.
        is_kept: whether another analysis will find the pass.
        end: to be called with whether the last batch was taken: nothing is read any more, and the pass is kept.
    """

    batches: Iterator[Sequence[Observation]]
    source: RecordedPass | VideoReader
    from_crops: bool
    is_kept: bool
    end: Callable[[bool], None]


@contextmanager
def _seen_in(
    reader: VideoReader, recognizer: Recognizer, models: Models, settings: Settings, store: PassStore | None
) -> Iterator[_Seen]:
    at_once = frames_per_detection(settings)
    key = pass_key_from(reader.info.sha256, models.provenance, settings)
    recorded = None if store is None or key is None else store.find(key)
    if recorded is not None and recorded.has_crops(settings.crop_style):
        observations = recorded.observations(settings.crop_style)
        yield _Seen(_batches(observations, at_once), recorded, from_crops=True, is_kept=True, end=lambda _: None)
        return
    with ExitStack() as stack:
        recorder: PassRecorder | None = None
        if store is not None and key is not None:
            recorder = stack.enter_context(store.record(key, settings.crop_style))
        if recorded is not None:
            # the same people cut out otherwise: decode for the crops, detect nothing
            sample_of = {index: sample for sample, index in enumerate(recorded.frame_index.tolist())}
            frames = decoded_ahead(reader.frames(lambda index, _: index in sample_of))
            batches: Iterator[Sequence[Observation]] = (
                [recognizer.observe_again(frame, recorded, sample_of[frame.index])] for frame in frames
            )
        else:
            frames = decoded_ahead(reader.frames(lambda _, time_s: recognizer.take_sample(time_s)))
            batches = _observed(recognizer, _batches(frames, at_once))
        stack.enter_context(closing(frames))

        def end(complete: bool) -> None:
            frames.close()
            if complete and recorder is not None:
                recorder.keep(reader.frame_times_s, reader.notes)

        batches = batches if recorder is None else _entered(batches, recorder)
        yield _Seen(batches, reader, from_crops=recorded is not None, is_kept=recorder is not None, end=end)


def _observed(recognizer: Recognizer, batches: Iterator[Sequence[Frame]]) -> Iterator[Sequence[Observation]]:
    batch = next(batches, None)
    while batch is not None:
        found = recognizer.find(batch)
        # taken now, so that what may be decoded in their stead is decoded beside following and cutting out, which keep
        # one core busy, and not beside the networks, which keep all of them busy
        upcoming = next(batches, None)
        yield recognizer.observe_found(batch, found)
        batch = upcoming


def _entered(batches: Iterable[Sequence[Observation]], recorder: PassRecorder) -> Iterator[Sequence[Observation]]:
    for batch in batches:
        for observation in batch:
            recorder.add(observation)
        yield batch


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


class _Run:
    """Drives one recogniser through a file, reporting and looking out for a cancel."""

    def __init__(
        self,
        recognizer: Recognizer,
        video: VideoInfo,
        progress: Callable[[Progress], None] | None,
        cancel: Callable[[], bool] | None,
        seen: _Seen,
    ) -> None:
        self._recognizer = recognizer
        self._video = video
        self._progress = progress
        self._cancel = cancel or (lambda: False)
        self._seen = seen
        self._started_s = time.monotonic()
        self._analysed_s = 0.0
        self._clips_per_call = CLIPS_IN_FIRST_CALL

    def name_everyone(self) -> bool:
        """Go through what is seen and name its clips; True when the end was reached, False when cancelled before."""
        for batch in self._seen.batches:
            if self._cancel():
                return False
            clips = self._recognizer.collect(batch)
            self._analysed_s = batch[-1].time_s
            if not self._label(clips):
                return False
            self._report()
        return self._label(self._recognizer.end_clips())

    def find_everyone(self) -> bool:
        """Go through what is seen; True when the end was reached, False when cancelled before."""
        for batch in self._seen.batches:
            if self._cancel():
                return False
            self._analysed_s = batch[-1].time_s
            self._report()
        return not self._cancel()

    def _label(self, clips: Sequence[Clip]) -> bool:
        waiting = list(clips)
        while waiting and not self._cancel():
            some, waiting = waiting[: self._clips_per_call], waiting[self._clips_per_call :]
            started_s = time.monotonic()
            self._recognizer.label(some)
            took_s = (time.monotonic() - started_s) / len(some)
            self._clips_per_call = max(1, min(MOST_CLIPS_PER_CALL, int(CALL_TAKES_S / max(took_s, 1e-6))))
            self._report()
        return not self._cancel()

    def _report(self) -> None:
        if self._progress is None:
            return
        took_s = time.monotonic() - self._started_s
        seconds_per_s = self._analysed_s / took_s if took_s > _RATE_AFTER_S else None
        duration_s = self._video.duration_s
        remaining_s = None
        if duration_s is not None and seconds_per_s:
            remaining_s = max(duration_s - self._analysed_s, 0.0) / seconds_per_s
        self._progress(
            Progress(
                analysed_s=self._analysed_s,
                duration_s=duration_s,
                frames_per_s=None if seconds_per_s is None else seconds_per_s * frame_rate_hz(self._video),
                remaining_s=remaining_s,
                from_crops=self._seen.from_crops,
                timeline=lambda: self._recognizer.timeline(complete=False),
            )
        )
