"""One pass over a video file: its observations, from the best available source, and their record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.bounds import batch_size, check_people, check_picture
from recognizer.analysis.file_following import FileFollower
from recognizer.analysis.pass_record import RecordedPass
from recognizer.analysis.passes import PassRecorder, PassStore, pass_key_from
from recognizer.analysis.save_points import Journal
from recognizer.analysis.sights import Sight, UnfitError
from recognizer.analysis.stand_ins import StandIns
from recognizer.clips.cropping import Cropper
from recognizer.networks.devices import resolve_device
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import frame_rate_hz
from recognizer.types import Detection, Frame, Observation, Picture, Reading
from recognizer.video import PREFETCHED_FRAMES, VideoReader, frames_ahead, prefetched

_T = TypeVar("_T")

_LOOKS_UP_EVERY_S = 10.0
"""While frames before a save point are decoded, one in so many seconds of the video is looked at for a cancel."""

_FRAMES_PER_DETECTION = {"cpu": 4, "mps": 4, "cuda": PREFETCHED_FRAMES}
"""Sampled frames per call of the detector, by the kind of device. Clips that these frames complete are classified
together, and a GPU needs many at once; on a CPU larger batches gain nothing (8 take 23 ms each, 4 take 25 ms)."""


def frames_per_detection(settings: Settings) -> int:
    """Return the number of sampled frames per call of the detector on the device of ``settings``."""
    return _FRAMES_PER_DETECTION[resolve_device(settings.device).type]


class _Source(Protocol):
    """A source of a file's observations. Times, notes and reading are complete after the last batch."""

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
        self._frames = prefetched(
            reader.frames(_bounded(wanted)), frames_ahead(reader.facts.width, reader.facts.height)
        )

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
            for crossing in self._recorded.crossings_at(sample):
                if crossing.is_swapped:
                    self._cropper.swap(crossing.one_id, crossing.other_id)
            people = self._recorded.people_in(sample)
            yield [self._recorded.observation(sample, people, *self._cropper.cut(frame.rgb, frame.time_s, people))]


class _DetectedPeople(_DecodedFrames):
    """People detected and tracked in the file's frames; up to the save point, in what these showed."""

    def __init__(self, reader: VideoReader, models: Models, settings: Settings, journal: Journal) -> None:
        self._follower = FileFollower(models, settings, frame_rate_hz(reader.info))
        self._stand_ins = StandIns(self._follower.cropper)
        self._batch_size = batch_size(frames_per_detection(settings), reader.facts.width, reader.facts.height)
        self._journal = journal
        self._sights: Sequence[Sight] = journal.sights
        self._again: frozenset[int] = frozenset()
        super().__init__(reader, self._is_wanted)

    def _is_wanted(self, index: int, time_s: float) -> bool:
        # only the decoding thread advances the sample clock
        is_sample = self._follower.take_sample(time_s)
        return is_sample if not self._sights or index > self._sights[-1].frame_index else index in self._again

    def repeated(self) -> Iterator[Observation]:
        """Yield what was observed up to the save point, with stand-ins for pictures; ``catch_up`` must follow.

        Raises:
            UnfitError: it comes out otherwise.
        """
        for sight in self._sights:
            yield self._follower.repeat(sight, self._stand_ins)

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Forget all stand-ins but these, and their pictures."""
        self._stand_ins.keep(pictures)

    def catch_up(self) -> Iterator[float]:
        """Decode up to the save point, and cut out the pictures that were kept; yield the time every few seconds.

        Raises:
            UnfitError: the video has no such frames.
        """
        if not self._sights:
            return
        latest = self._sights[-1].frame_index
        compared = next((one.frame_index for one in reversed(self._sights) if not one.is_blank), None)
        needed = {*self._stand_ins.frames, latest} | ({compared} if compared is not None else set())
        self._again = frozenset(needed.union(_now_and_then(self._sights)))
        compared_rgb = None
        for frame in self._frames:
            self._stand_ins.see(frame)
            if frame.index == compared:
                compared_rgb = frame.rgb
            yield frame.time_s
            if frame.index == latest:
                self._follower.see_again(frame.rgb, compared_rgb)
                return
        raise UnfitError(f"the video ends before frame {latest}")

    def picture(self, stand_in: Picture) -> Picture:
        """Return the picture that a kept stand-in stands for."""
        return self._stand_ins.picture(stand_in)

    def batches(self) -> Iterator[Sequence[Observation]]:
        batches: Iterator[list[Frame]] = _batched(self._frames, self._batch_size)
        batch = next(batches, None)
        # tracking and cropping keep one core busy, so people are looked for in the next batch meanwhile, on the others
        with ThreadPoolExecutor(1, "detect") as detecting:
            found = None if batch is None else detecting.submit(self._follower.find, batch)
            while batch is not None and found is not None:
                upcoming, people_of = next(batches, None), found.result()
                found = None if upcoming is None else detecting.submit(self._follower.find, upcoming)
                yield [self._observed(frame, people) for frame, people in zip(batch, people_of, strict=True)]
                batch = upcoming

    def _observed(self, frame: Frame, people: Sequence[Detection]) -> Observation:
        observation = self._follower.observe(frame, people)
        if self._follower.sight is not None:
            self._journal.saw(self._follower.sight)
        return observation


def _now_and_then(sights: Sequence[Sight]) -> Iterator[int]:
    """Yield the index of a frame every few seconds, so that a cancel need not wait until all are decoded."""
    next_s = float("-inf")
    for sight in sights:
        if sight.time_s >= next_s:
            next_s = sight.time_s + _LOOKS_UP_EVERY_S
            yield sight.frame_index


class FilePass:
    """One pass over a file: takes its observations from the best available source, and records them.

    Use as a context manager.

    Attributes:
        people_are_known: whether the people come from a stored pass.
        is_recorded: whether this pass is being recorded.
    """

    def __init__(
        self, reader: VideoReader, models: Models, settings: Settings, store: PassStore | None, journal: Journal
    ) -> None:
        style = settings.crop_style
        key = pass_key_from(reader.info.sha256, models.provenance, settings, reader.reading)
        recorded = None if store is None or key is None else store.find(key)
        self._source: _Source
        self._resumed: _DetectedPeople | None = None
        self._recorder: PassRecorder | None = None
        if recorded is not None and recorded.has_crops(style):
            self._source = _StoredCrops(recorded, settings)
        elif recorded is not None:
            self._source = _StoredPeople(reader, recorded, settings)
        else:
            self._source = self._resumed = _DetectedPeople(reader, models, settings, journal)
        if store is not None and key is not None and not isinstance(self._source, _StoredCrops):
            self._recorder = store.record(key, style, with_crops=recorded is not None or not journal.sights)
        self.people_are_known = recorded is not None
        self.is_recorded = self._recorder is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()
        if self._recorder is not None:
            self._recorder.discard()

    def repeated(self) -> Iterator[Observation]:
        """Yield and record what was observed up to the save point, with stand-ins for pictures; call once, first.

        Raises:
            UnfitError: it comes out otherwise.
        """
        if self._resumed is not None:
            for observation in self._resumed.repeated():
                self._record(observation)
                yield observation

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Forget all stand-ins but these, and their pictures."""
        if self._resumed is not None:
            self._resumed.keep(pictures)

    def catch_up(self) -> Iterator[float]:
        """Decode up to the save point; yield the time every few seconds. ``picture`` is ready afterwards.

        Raises:
            UnfitError: the video has no such frames.
        """
        return iter(()) if self._resumed is None else self._resumed.catch_up()

    def picture(self, picture: Picture) -> Picture:
        """Return the picture that a kept stand-in stands for."""
        return picture if self._resumed is None else self._resumed.picture(picture)

    def batches(self) -> Iterator[Sequence[Observation]]:
        """Yield and record the observations after the repeated ones, in order of time; call once.

        Raises:
            LimitError: the video turns out to have more pictures or people than the operator allows, or to be longer.
        """
        for batch in self._source.batches():
            check_people(batch)
            for observation in batch:
                self._record(observation)
            yield batch

    def _record(self, observation: Observation) -> None:
        if self._recorder is not None:
            self._recorder.add(observation)

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


def _bounded(wanted: Callable[[int, float], bool]) -> Callable[[int, float], bool]:
    """Return the filter of frames; it stops a file that is longer than it says."""

    def checked(index: int, time_s: float) -> bool:
        check_picture(index, time_s)
        return wanted(index, time_s)

    return checked


def _batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
