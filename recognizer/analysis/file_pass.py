"""One pass over a video file: its observations, from the best available source, and their record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.following import PeopleFollower, cropped
from recognizer.analysis.pass_record import RecordedPass
from recognizer.analysis.passes import PassRecorder, PassStore, pass_key_from
from recognizer.clips.cropping import Cropper
from recognizer.networks.devices import resolve_device
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import frame_rate_hz
from recognizer.types import Frame, Observation, Reading
from recognizer.video import PREFETCHED_FRAMES, VideoReader, prefetched

_T = TypeVar("_T")

_FRAMES_PER_DETECTION = {"cpu": 4, "mps": 4, "cuda": PREFETCHED_FRAMES}
"""Sampled frames per call of the detector, by the kind of device. Clips that these frames complete are classified
together, and a GPU needs many at once; on a CPU larger batches gain nothing (8 take 23 ms each, 4 take 25 ms)."""


def frames_per_detection(settings: Settings) -> int:
    """Return the number of sampled frames per call of the detector on the device of ``settings``."""
    return _FRAMES_PER_DETECTION[resolve_device(settings.device).type]


class _Source(Protocol):
    """Where a file's observations come from. Times, notes and reading are complete after the last batch."""

    @property
    def frame_times_s(self) -> NDArray[np.float64]: ...

    @property
    def notes(self) -> Sequence[str]: ...

    @property
    def reading(self) -> Reading: ...

    def batches(self) -> Iterator[Sequence[Observation]]:
        """Yield the observations in order of time; call once."""
        ...

    def close(self) -> None:
        """Stop reading; can be called repeatedly."""
        ...


class _StoredCrops:
    """A stored pass and its crops: nothing is decoded."""

    def __init__(self, recorded: RecordedPass, settings: Settings) -> None:
        self._recorded = recorded
        self._settings = settings
        self.frame_times_s = recorded.frame_times_s
        self.notes = recorded.notes
        self.reading = recorded.reading

    def batches(self) -> Iterator[Sequence[Observation]]:
        return _batched(self._recorded.observations(self._settings.crop_style), frames_per_detection(self._settings))

    def close(self) -> None:
        """Do nothing: there is nothing to stop."""


class _DecodedFrames:
    """Frames of a file, decoded ahead on another thread."""

    def __init__(self, reader: VideoReader, wanted: Callable[[int, float], bool]) -> None:
        self._reader = reader
        self._frames = prefetched(reader.frames(wanted))

    @property
    def frame_times_s(self) -> NDArray[np.float64]:
        return self._reader.frame_times_s

    @property
    def notes(self) -> Sequence[str]:
        return self._reader.notes

    @property
    def reading(self) -> Reading:
        return self._reader.reading

    def close(self) -> None:
        self._frames.close()


class _StoredPeople(_DecodedFrames):
    """The people of a stored pass, cropped in another style: frames are decoded, but nobody is detected."""

    def __init__(self, reader: VideoReader, recorded: RecordedPass, settings: Settings) -> None:
        self._recorded = recorded
        self._cropper = Cropper(settings.crop_style, settings.max_gap_s(frame_rate_hz(reader.info)))
        self._sample_of = {index: sample for sample, index in enumerate(recorded.frame_index.tolist())}
        super().__init__(reader, lambda index, _: index in self._sample_of)

    def batches(self) -> Iterator[Sequence[Observation]]:
        for frame in self._frames:
            sample = self._sample_of[frame.index]
            people, appearances = self._recorded.people_in(sample), self._recorded.appearances_in(sample)
            yield [
                cropped(
                    self._cropper,
                    frame,
                    people,
                    appearances,
                    is_cut=self._recorded.is_cut(sample),
                    camera=self._recorded.camera_at(sample),
                    camera_roughly=self._recorded.camera_roughly_at(sample),
                    crossings=self._recorded.crossings_at(sample),
                )
            ]


class _DetectedPeople(_DecodedFrames):
    """People detected and tracked in the file's frames."""

    def __init__(self, reader: VideoReader, models: Models, settings: Settings) -> None:
        self._follower = PeopleFollower(models, settings, frame_rate_hz(reader.info), is_file=True)
        self._batch_size = frames_per_detection(settings)
        # only the decoding thread advances the sample clock
        super().__init__(reader, lambda _, time_s: self._follower.take_sample(time_s))

    def batches(self) -> Iterator[Sequence[Observation]]:
        batches: Iterator[list[Frame]] = _batched(self._frames, self._batch_size)
        batch = next(batches, None)
        while batch is not None:
            found = self._follower.find(batch)
            # fetch the next batch now: decoding it then overlaps tracking and cropping (one core), not inference (all
            # cores)
            upcoming = next(batches, None)
            yield [self._follower.observe(frame, people) for frame, people in zip(batch, found, strict=True)]
            batch = upcoming


class FilePass:
    """One pass over a file: takes its observations from the best available source, and records them.

    Use as a context manager.

    Attributes:
        people_are_known: whether the people come from a stored pass.
        is_recorded: whether this pass is being recorded.
    """

    def __init__(self, reader: VideoReader, models: Models, settings: Settings, store: PassStore | None) -> None:
        style = settings.crop_style
        key = pass_key_from(reader.info.sha256, models.provenance, settings, reader.reading)
        recorded = None if store is None or key is None else store.find(key)
        self._source: _Source
        self._recorder: PassRecorder | None = None
        if recorded is not None and recorded.has_crops(style):
            self._source = _StoredCrops(recorded, settings)
        elif recorded is not None:
            self._source = _StoredPeople(reader, recorded, settings)
        else:
            self._source = _DetectedPeople(reader, models, settings)
        if store is not None and key is not None and not isinstance(self._source, _StoredCrops):
            self._recorder = store.record(key, style)
        self.people_are_known = recorded is not None
        self.is_recorded = self._recorder is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()
        if self._recorder is not None:
            self._recorder.discard()

    def batches(self) -> Iterator[Sequence[Observation]]:
        """Yield and record the observations, in order of time; call once."""
        for batch in self._source.batches():
            if self._recorder is not None:
                for observation in batch:
                    self._recorder.add(observation)
            yield batch

    def finish(self, *, complete: bool) -> tuple[NDArray[np.float64], Sequence[str], Reading]:
        """Stop reading; store the pass if it is complete.

        Returns:
            The times of the frames, float64 (n,), the reader's notes, and how the video was read.
        """
        self._source.close()
        times_s, notes, reading = self._source.frame_times_s, self._source.notes, self._source.reading
        if complete and self._recorder is not None:
            self._recorder.commit(times_s, notes, reading)
        return times_s, notes, reading


def _batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
