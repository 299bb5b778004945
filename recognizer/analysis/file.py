"""The analysis of a video file: observations from its frames or from a stored pass, labelled as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.following import PeopleFollower, cropped
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.pass_record import RecordedPass
from recognizer.analysis.passes import PassRecorder, PassStore, pass_key_from
from recognizer.clips.cropping import Cropper
from recognizer.networks.devices import resolve_device
from recognizer.networks.loading import Models, load_models
from recognizer.people.appearance import Appearances
from recognizer.people.stitching import Tracklet, stitch
from recognizer.settings import LEAST_HEIGHT_PX, Settings
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.types import Clip, Frame, Observation
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
        with _Pass(reader, models, settings, pass_store) as one_pass:
            return _FileAnalysis(one_pass, reader, models, settings, progress, cancel).label_everyone()


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
    with (
        open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader,
        _Pass(reader, models, settings, pass_store) as one_pass,
    ):
        if one_pass.people_are_known or not one_pass.is_recorded:
            return True
        return _FileAnalysis(one_pass, reader, models, settings, progress, cancel).find_everyone()


class Stitcher:
    """Collects what it takes to stitch a file's tracks: the people's appearance and the cuts."""

    def __init__(self) -> None:
        self._appearances = Appearances()
        self._cuts_s: list[float] = []

    def add(self, observation: Observation) -> None:
        """Take one sampled frame."""
        self._appearances.add(observation)
        if observation.is_cut:
            self._cuts_s.append(observation.time_s)

    def person_of(self, tracks: Iterable[PersonTrack], interval_s: float) -> dict[int, int]:
        """Return the person's number for each track's number.

        Args:
            tracks: all tracks of the file.
            interval_s: time between two samples.
        """
        tracklets = [
            Tracklet(track.person_id, track.time_s, track.box_xyxy, self._appearances.of(track.person_id))
            for track in tracks
        ]
        return stitch(tracklets, interval_s=interval_s, cuts_s=self._cuts_s)


class _Source(Protocol):
    """Where a file's observations come from. The times and notes are complete after the last batch."""

    @property
    def frame_times_s(self) -> NDArray[np.float64]: ...

    @property
    def notes(self) -> Sequence[str]: ...

    def batches(self) -> Iterator[Sequence[Observation]]:
        """Yield the observations in order of time; call once."""
        ...

    def close(self) -> None:
        """Stop reading; may be called again."""
        ...


class _StoredCrops:
    """A stored pass and its crops: nothing is decoded."""

    def __init__(self, recorded: RecordedPass, settings: Settings) -> None:
        self._recorded = recorded
        self._settings = settings
        self.frame_times_s = recorded.frame_times_s
        self.notes = recorded.notes

    def batches(self) -> Iterator[Sequence[Observation]]:
        return _batched(self._recorded.observations(self._settings.crop_style), frames_per_detection(self._settings))

    def close(self) -> None:
        """There is nothing to stop."""


class _DecodedFrames:
    """Frames of a file, decoded ahead on another thread."""

    def __init__(self, reader: VideoReader, wanted: Callable[[int, float], bool]) -> None:
        self._reader = reader
        self._frames = decoded_ahead(reader.frames(wanted))

    @property
    def frame_times_s(self) -> NDArray[np.float64]:
        return self._reader.frame_times_s

    @property
    def notes(self) -> Sequence[str]:
        return self._reader.notes

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
            yield [cropped(self._cropper, frame, people, appearances, is_cut=self._recorded.is_cut(sample))]


class _DetectedPeople(_DecodedFrames):
    """People detected and tracked in the file's frames."""

    def __init__(self, reader: VideoReader, models: Models, settings: Settings) -> None:
        self._follower = PeopleFollower(models, settings, frame_rate_hz(reader.info), is_file=True)
        self._batch_size = frames_per_detection(settings)
        # the sample clock is only ever advanced by the thread that decodes
        super().__init__(reader, lambda _, time_s: self._follower.take_sample(time_s))

    def batches(self) -> Iterator[Sequence[Observation]]:
        batches: Iterator[list[Frame]] = _batched(self._frames, self._batch_size)
        batch = next(batches, None)
        while batch is not None:
            found = self._follower.find(batch)
            # Pull the next batch now: its decoding then overlaps tracking and cropping (one core), not inference (all
            # cores).
            upcoming = next(batches, None)
            yield [self._follower.observe(frame, people) for frame, people in zip(batch, found, strict=True)]
            batch = upcoming


class _Pass:
    """One pass over a file: takes its observations from the best source there is, and records them.

    Use as a context manager.

    Attributes:
        people_are_known: whether a stored pass says who is where.
        is_recorded: whether the pass will be stored, if it is not yet.
    """

    def __init__(self, reader: VideoReader, models: Models, settings: Settings, store: PassStore | None) -> None:
        style = settings.crop_style
        key = pass_key_from(reader.info.sha256, models.provenance, settings)
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

    def finish(self, *, complete: bool) -> tuple[NDArray[np.float64], Sequence[str]]:
        """Stop reading; store the pass if it is complete.

        Returns:
            The times of the frames, float64 (n,), and the reader's notes.
        """
        self._source.close()
        times_s, notes = self._source.frame_times_s, self._source.notes
        if complete and self._recorder is not None:
            self._recorder.commit(times_s, notes)
        return times_s, notes


class _FileAnalysis:
    """Runs one pass over a file, reports progress, and stops when it is cancelled."""

    def __init__(
        self,
        one_pass: _Pass,
        reader: VideoReader,
        models: Models,
        settings: Settings,
        progress: Callable[[Progress], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self._pass = one_pass
        self._video = reader.info
        self._labeler = ActionLabeler(models, settings, reader.info)
        self._stitcher = Stitcher()
        self._interval_s = settings.sample_interval_s(frame_rate_hz(reader.info))
        self._progress = progress
        self._cancel = cancel or (lambda: False)
        self._started_s = time.monotonic()
        self._analysed_s = 0.0
        self._clips_per_call = CLIPS_IN_FIRST_CALL

    def label_everyone(self) -> Timeline:
        """Label what everyone does; the timeline is incomplete if the analysis was cancelled."""
        complete = self._label_all()
        frame_times_s, notes = self._pass.finish(complete=complete)
        timeline = self._labeler.timeline(
            frame_times_s,
            complete=complete,
            notes=notes,
            person_of=self._stitcher.person_of(self._labeler.tracks(), self._interval_s),
        )
        return replace(timeline, notes=(*timeline.notes, *_remarks(timeline)))

    def find_everyone(self) -> bool:
        """Find and track everyone, label nothing; return False if the analysis was cancelled."""
        complete = self._find_all()
        self._pass.finish(complete=complete)
        return complete

    def _label_all(self) -> bool:
        """Return whether the end was reached."""
        for batch in self._pass.batches():
            if self._cancel():
                return False
            clips: list[Clip] = []
            for observation in batch:
                self._stitcher.add(observation)
                clips += self._labeler.add(observation)
            self._analysed_s = batch[-1].time_s
            if not self._label(clips):
                return False
            self._report()
        return self._label(self._labeler.end_clips())

    def _find_all(self) -> bool:
        """Return whether the end was reached."""
        for batch in self._pass.batches():
            if self._cancel():
                return False
            self._analysed_s = batch[-1].time_s
            self._report()
        return not self._cancel()

    def _label(self, clips: Sequence[Clip]) -> bool:
        """Label clips in calls of a suitable size; return False if cancelled."""
        waiting = list(clips)
        while waiting and not self._cancel():
            some, waiting = waiting[: self._clips_per_call], waiting[self._clips_per_call :]
            started_s = time.monotonic()
            self._labeler.label(some)
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
                from_crops=self._pass.people_are_known,
                timeline=lambda: self._labeler.timeline(np.zeros(0), complete=False),
            )
        )


def _remarks(timeline: Timeline) -> Iterator[str]:
    """Yield what people should know about the result."""
    small = len(timeline.small_ids)
    if small:
        who = "1 person is" if small == 1 else f"{small} people are"
        yield (
            f"{who} under {LEAST_HEIGHT_PX} pixels high for most of their time: followed, but too small to be named; "
            "film from nearer, or with more pixels."
        )


def _batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
