"""Analyze a video file: label its observations, stitch its tracks, and report progress."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.bounds import check_stated
from recognizer.analysis.closer_look import unconfirmed
from recognizer.analysis.file_pass import FilePass
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.passes import PassStore
from recognizer.analysis.save_points import Journal, SavePoints, journal_key
from recognizer.analysis.sights import UnfitError
from recognizer.analysis.stitcher import Stitcher
from recognizer.clips.sampling import with_pictures
from recognizer.networks.loading import Models, load_models
from recognizer.settings import LEAST_HEIGHT_PX, LONG_CLIP_S, Settings
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.types import Clip, Observation, Picture, VideoInfo
from recognizer.video import VideoInput, VideoReader, open_video

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

CLIPS_IN_FIRST_CALL = 2
MOST_CLIPS_PER_CALL = 64
CALL_TAKES_S = 0.5
"""Each call of the classifier gets as many clips as should take this long, judging by the previous call: a cancel takes
effect soon on a small machine, and a GPU gets large batches. The number is even: PyTorch takes two clips at once on a
CPU, which must not depend on the speed of the machine, because a batch may change the last bits."""

_RATE_AFTER_S = 0.5
"""No rate is reported earlier, because it would be arbitrary: stored crops are read immediately, before anything is
classified."""


_LONGER_S = 1.0
"""If the pictures go on for longer after the stated end, the file states a wrong one."""


_LOOKS_UP_EVERY = 500
"""Samples that are repeated between two looks for a cancel; a thousand take about a second."""

_SHORT_STAY = 0.5
"""Of clips of this share of the full length or shorter, at most a third is named (docs/accuracy.md)."""


@dataclass(frozen=True)
class Progress:
    """The progress of an analysis.

    Attributes:
        analysed_s: seconds of the video analyzed so far.
        duration_s: total seconds; None if the file does not state them.
        frames_per_s: frames of the video per second of work; None until it can be measured.
        remaining_s: estimated seconds of work left; None until it can be estimated.
        from_crops: whether the people come from a stored pass.
        resumed: whether an earlier process, which was killed, did the first part.
        went_on_at_s: seconds of the video that this part had; None until it is repeated, and if there is none.
        timeline: returns the timeline so far; takes the longer, the more there is.
    """

    analysed_s: float
    duration_s: float | None
    frames_per_s: float | None
    remaining_s: float | None
    from_crops: bool
    resumed: bool
    went_on_at_s: float | None
    timeline: Callable[[], Timeline]


def analyze(
    path: VideoInput,
    settings: Settings | None = None,
    *,
    models: Models | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    pass_store: PassStore | None = None,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
    save_points: SavePoints | None = None,
) -> Timeline:
    """Analyze who does what, when, in a video file.

    Args:
        path: the file, or a source with parts or choices.
        settings: the settings; the documented defaults if None.
        models: loaded networks, to share them between calls; loaded if None.
        progress: called after each step, on this thread.
        cancel: called after each step; True ends the analysis, and the timeline so far is returned.
        pass_store: where to store the finished pass, so that another classifier or sequence length need not decode or
            detect again.
        max_file_bytes: larger files are refused.
        sha256: hash of the file's bytes, if already known.
        name: name of the file in messages; None for its file name.
        save_points: where to keep what is done, so that after a crash another call with the same arguments goes on from
            there; its timeline is that of an undisturbed call. None to keep nothing.

    Returns:
        The timeline; ``complete`` is False if the analysis was cancelled.

    Raises:
        VideoError: the file cannot be read as a video.
        LimitError: the video is longer, or has more people, than the operator allows.
        WeightsError: a network's weights are unavailable.
        CheckpointError: a user's own checkpoint does not fit.
    """
    settings = settings or Settings()
    with open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader:
        check_stated(reader.facts)
        models = models or load_models(settings, None)
        journal = _journal("label", save_points, reader, models, settings)

        def label() -> Timeline:
            with FilePass(reader, models, settings, pass_store, journal) as one_pass:
                return _FileAnalysis(one_pass, reader, models, settings, progress, cancel, journal).label_everyone(path)

        return _resumed_or_anew(label, journal)


def find_people(
    path: VideoInput,
    settings: Settings,
    *,
    models: Models,
    pass_store: PassStore,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
    save_points: SavePoints | None = None,
) -> bool:
    """Find and track the people in a video file and store the pass, so that analyses can start from it.

    Takes the arguments of ``analyze``. Does not run the classifier. Returns at once if the pass is already stored.

    Returns:
        False if it was cancelled; then nothing is stored.

    Raises:
        VideoError: the file cannot be read as a video.
    """
    with open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader:
        check_stated(reader.facts)
        journal = _journal("find", save_points, reader, models, settings)

        def find() -> bool:
            with FilePass(reader, models, settings, pass_store, journal) as one_pass:
                if one_pass.people_are_known or not one_pass.is_recorded:
                    return True
                return _FileAnalysis(one_pass, reader, models, settings, progress, cancel, journal).find_everyone()

        return _resumed_or_anew(find, journal)


def _journal(
    purpose: str, save_points: SavePoints | None, reader: VideoReader, models: Models, settings: Settings
) -> Journal:
    return Journal(save_points, journal_key(purpose, reader.info.sha256, reader.reading, models, settings))


def _resumed_or_anew(run: Callable[[], _Result], journal: Journal) -> _Result:
    """Run from the save point, or from the start if what is saved does not fit."""
    try:
        return run()
    except UnfitError as error:
        _log.warning("the save points do not fit (%s), so the analysis begins at the start", error)
        journal.forget()
        return run()


class _FileAnalysis:
    """Runs one pass over a file, reports progress, and stops when it is cancelled."""

    def __init__(
        self,
        one_pass: FilePass,
        reader: VideoReader,
        models: Models,
        settings: Settings,
        progress: Callable[[Progress], None] | None,
        cancel: Callable[[], bool] | None,
        journal: Journal,
    ) -> None:
        self._pass = one_pass
        self._models = models
        self._journal = journal
        self._is_resumed = not journal.begins_anew
        self._video = reader.info
        self._labeler = ActionLabeler(models, settings, reader.info, is_file=True)
        self._stitcher = Stitcher()
        self._interval_s = settings.sample_interval_s(frame_rate_hz(reader.info))
        self._progress = progress
        self._cancel = cancel or (lambda: False)
        self._begins_s = reader.reading.first_picture_s
        self._analysed_s = self._begins_s
        self._measure_from_here()
        self._clips_per_call = CLIPS_IN_FIRST_CALL

    def label_everyone(self, video: VideoInput) -> Timeline:
        """Label everyone's actions; the timeline is incomplete if the analysis was cancelled.

        Args:
            video: the file, to look again at people who were found weakly.
        """
        complete = self._repeat() and self._label_all()
        frame_times_s, notes, reading = self._pass.finish(complete=complete)
        person_of = self._stitcher.person_of(self._labeler.tracks(), self._interval_s)
        # clips follow the person, whom the tracker may have lost too often for a clip under any of its numbers
        complete = complete and self._label(self._labeler.clips_of_people(person_of))
        if not complete:
            self._journal.save(self._analysed_s)
        timeline = self._labeler.timeline(
            frame_times_s,
            complete=complete,
            notes=notes,
            video=_as_decoded(self._video, frame_times_s) if complete else None,
            person_of=person_of,
        )
        weak = weakly_found(timeline)
        if weak and complete:
            least, detector = timeline.settings.min_person_confidence, self._models.detector
            weak = unconfirmed(weak, least, video, timeline.video, detector, self._cancel)
        remarks = (*_remarks(timeline, weak), *self._stitcher.doubts(person_of))
        return replace(timeline, notes=(*timeline.notes, *remarks), reading=reading)

    def find_everyone(self) -> bool:
        """Find and track everyone, label nothing; return False if the analysis was cancelled."""
        complete = self._repeat() and self._find_all()
        if not complete:
            self._journal.save(self._analysed_s)
        self._pass.finish(complete=complete)
        return complete

    def _repeat(self) -> bool:
        """Repeat what an earlier process did, without networks; return False if cancelled."""
        clips: list[Clip] = []
        for number, observation in enumerate(self._pass.repeated()):
            clips += self._unsaid(self._add(observation))
            if number % _LOOKS_UP_EVERY == 0:
                self._pass.keep(self._needed(clips))
                if self._cancel():
                    return False
                self._report()
        self._pass.keep(self._needed(clips))
        for time_s in self._pass.catch_up():
            if self._cancel():
                return False
            self._analysed_s = max(self._analysed_s, time_s)
            self._report()
        self._labeler.replace_pictures(self._pass.picture)
        clips = [with_pictures(clip, self._pass.picture) for clip in clips]
        self._pass.keep(())
        self._measure_from_here()
        return self._label(clips)

    def _needed(self, clips: Iterable[Clip]) -> Iterator[Picture]:
        """Yield the stand-ins whose pictures are still needed: those in clips, and those that later clips may show."""
        yield from self._labeler.pictures()
        for clip in clips:
            yield from clip.rgb
            yield from clip.surroundings_rgb if clip.surroundings_rgb is not None else ()

    def _add(self, observation: Observation) -> list[Clip]:
        self._stitcher.add(observation)
        self._analysed_s = observation.time_s
        return self._labeler.add(observation)

    def _unsaid(self, clips: Sequence[Clip]) -> Sequence[Clip]:
        """Add what an earlier process said about clips, and return the rest."""
        known = self._journal.repeat(clips)
        self._labeler.repeat(known)
        return clips[len(known) :]

    def _measure_from_here(self) -> None:
        """Measure the rate from now on: what is repeated takes no time."""
        self._started_s, self._measured_from_s = time.monotonic(), self._analysed_s

    def _label_all(self) -> bool:
        """Label everyone; return False if cancelled."""
        for batch in self._pass.batches():
            if self._cancel():
                return False
            if not self._label([clip for observation in batch for clip in self._add(observation)]):
                return False
            self._journal.save_if_due(self._analysed_s)
            self._report()
        return self._label(self._labeler.end_clips())

    def _find_all(self) -> bool:
        """Find everyone; return False if cancelled."""
        for batch in self._pass.batches():
            if self._cancel():
                return False
            self._analysed_s = batch[-1].time_s
            self._journal.save_if_due(self._analysed_s)
            self._report()
        return not self._cancel()

    def _label(self, clips: Sequence[Clip]) -> bool:
        """Label clips in calls of a suitable size; return False if cancelled."""
        waiting = list(self._unsaid(clips))
        while waiting and not self._cancel():
            some, waiting = waiting[: self._clips_per_call], waiting[self._clips_per_call :]
            started_s = time.monotonic()
            self._journal.heard(self._labeler.label(some))
            self._journal.save_if_due(self._analysed_s)
            took_s = (time.monotonic() - started_s) / len(some)
            pairs = int(CALL_TAKES_S / max(took_s, 1e-6)) // 2
            self._clips_per_call = max(2, min(MOST_CLIPS_PER_CALL, 2 * pairs))
            self._report()
        return not self._cancel()

    def _report(self) -> None:
        if self._progress is None:
            return
        took_s = time.monotonic() - self._started_s
        analysed_s, duration_s = self._analysed_s - self._begins_s, self._video.duration_s
        measured_s = self._analysed_s - self._measured_from_s
        seconds_per_s = measured_s / took_s if took_s > _RATE_AFTER_S and measured_s else None
        if duration_s is not None:
            duration_s -= self._begins_s
            if analysed_s > duration_s + _LONGER_S:
                duration_s = None
        remaining_s = None
        if duration_s is not None and seconds_per_s:
            remaining_s = max(duration_s - analysed_s, 0.0) / seconds_per_s
        self._progress(
            Progress(
                analysed_s=analysed_s,
                duration_s=duration_s,
                frames_per_s=None if seconds_per_s is None else seconds_per_s * frame_rate_hz(self._video),
                remaining_s=remaining_s,
                from_crops=self._pass.people_are_known,
                resumed=self._is_resumed,
                went_on_at_s=(self._measured_from_s - self._begins_s or None) if self._is_resumed else None,
                timeline=lambda: self._labeler.timeline(np.zeros(0), complete=False),
            )
        )


def _as_decoded(video: VideoInfo, frame_times_s: NDArray[np.float64]) -> VideoInfo:
    """Return the facts with the number of decoded frames, and with the duration that these have if the file states none
    or a shorter one."""
    if not len(frame_times_s):
        return video
    end_s, stated_s = float(frame_times_s[-1]) + 1 / frame_rate_hz(video, frame_times_s), video.duration_s
    is_wrong = stated_s is None or end_s > stated_s + _LONGER_S
    return replace(video, frame_count=len(frame_times_s), duration_s=end_s if is_wrong else stated_s)


def weakly_found(timeline: Timeline) -> list[PersonTrack]:
    """Return the people who were found with less than the detector confidence on average, of those that pages show."""
    least = timeline.settings.min_person_confidence
    return [person for person in timeline.without_brief.people if float(person.confidence.mean()) < least]


def _remarks(timeline: Timeline, weak: Sequence[PersonTrack]) -> Iterator[str]:
    """Yield remarks about the result for users."""
    small = len(timeline.small_ids)
    if small:
        who = "1 person is" if small == 1 else f"{small} people are"
        yield (
            f"{who} under {LEAST_HEIGHT_PX} pixels tall most of the time: tracked, but too small to be labelled; "
            "film from closer, or at a higher resolution."
        )
    settings = timeline.settings
    clip_s = settings.clip_span_s(timeline.frame_rate_hz)
    longest_s = max((person.present_s for person in timeline.people), default=clip_s)
    if timeline.complete and longest_s < _SHORT_STAY * clip_s:
        remedy = "lower the sequence length or the skip interval" if clip_s > LONG_CLIP_S else "take a longer video"
        yield (
            f"Nobody is there for half a clip ({longest_s:.1f} of {clip_s:.1f} s): so little is seldom enough for a "
            f"name; {remedy}."
        )
    if weak:
        who = "1 person was" if len(weak) == 1 else f"{len(weak)} people were"
        numbers = ("person " if len(weak) == 1 else "people ") + ", ".join(str(person.person_id) for person in weak)
        them = "it" if len(weak) == 1 else "them"
        yield (
            f"{who} found with less than the detector confidence of {settings.min_person_confidence:g} on "
            f"average ({numbers}): perhaps an object or a part of someone; raise the detector confidence to leave "
            f"{them} out."
        )
