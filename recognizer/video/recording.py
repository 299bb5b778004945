"""Read the files of one recording as one video: one clock, one size, one sound."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import DEFAULT_FRAME_RATE_HZ
from recognizer.types import DamagedSpan, Frame, Part, Reading, VideoInfo
from recognizer.video.decoding import FrameFilter, State, Stop
from recognizer.video.diagnosis import display_name
from recognizer.video.reader import VideoReader
from recognizer.video.sound import SAMPLE_RATE_HZ, Samples
from recognizer.video.source import VideoSource, gaps, recording_sha256

_SOON_S = 0.5
"""Pictures of a later part that begin after this have continuing time stamps: nothing is missing before them."""


class RecordingReader(VideoReader):
    """Several files that continue each other. Works like a ``VideoReader`` of one file.

    A part begins where the stated duration of the one before it ends, or after its last picture if that is later. Some
    recorders let time stamps go on from part to part, others begin each at 0; both are read alike. Pictures have the
    size of the first part's; others are letterboxed.
    """

    def __init__(self, parts: Sequence[VideoReader], source: VideoSource, sha256: str | None) -> None:
        """Take over the readers of the parts.

        Args:
            parts: the readers, in order.
            source: the files.
            sha256: the recording's hash, if it is known.
        """
        self._parts = tuple(parts)
        self._names = source.part_names
        self._sha256s = source.sha256s
        first = parts[0]._inspection
        super().__init__(source.paths[0], display_name(source.name), first)
        for part in parts[1:]:
            part.fit_into(first.info.width, first.info.height)
        self._leads_s = (0.0, *(_lead_s(part.reading) for part in parts[1:]))
        durations_s = [
            None if part.facts.duration_s is None else part.facts.duration_s - lead_s
            for part, lead_s in zip(parts, self._leads_s, strict=True)
        ]
        self._remarks = tuple(gaps(self._names, durations_s))
        starts_s = list(accumulate((duration_s or 0.0 for duration_s in durations_s[:-1]), initial=0.0))
        self._interval_s = 1 / float(first.info.frame_rate or DEFAULT_FRAME_RATE_HZ)
        self._info = _joined([part.facts for part in parts], durations_s, sha256)
        self._opening = replace(
            parts[0].reading,
            parts=tuple(
                Part(name, start_s, sha256)
                for name, start_s, sha256 in zip(
                    self._names, starts_s, source.sha256s or [None] * len(parts), strict=True
                )
            ),
        )
        self._state = State(self._opening)
        self._current: tuple[VideoReader, float] | None = None

    @property
    def info(self) -> VideoInfo:
        """The facts of the recording. The first access reads all files for their hashes, unless they are known."""
        if self._info.sha256 is None:
            hashes = self._sha256s or tuple(part.info.sha256 or "" for part in self._parts)
            self._info = replace(self._info, sha256=recording_sha256(hashes))
            self._opening = _with_hashes(self._opening, hashes)
            self._state.reading = _with_hashes(self.reading, hashes)
        return self._info

    @property
    def frame_times_s(self) -> NDArray[np.float64]:
        """Times of all frames decoded so far: float64 (frames,), strictly increasing."""
        finished = super().frame_times_s
        if self._current is None:
            return finished
        part, start_s = self._current
        return np.concatenate((finished, part.frame_times_s + start_s))

    def sound(self) -> Iterator[tuple[int, Samples]]:
        """Yield the sound of all parts, if any, for a ``VideoWriter``."""
        for number, part in enumerate(self._parts):
            parts = self.reading.parts  # later parts begin where the pictures of the earlier ones ended
            start = round((parts[number].start_s - self._leads_s[number]) * SAMPLE_RATE_HZ)
            for position, samples in part.sound():
                yield start + position, samples

    def close(self) -> None:
        """Stop all reading and close all files. Can be called twice."""
        super().close()
        for part in self._parts:
            part.close()

    def _frames(self, select: FrameFilter | None, max_height_px: int | None, stop: Stop) -> Generator[Frame]:
        self._state = state = State(self._opening, list(self._remarks))
        self._current = None
        start_s = 0.0
        for number, part in enumerate(self._parts):
            first, zero_s = len(state.times_s), start_s - self._leads_s[number]
            self._current = part, zero_s
            state.reading = _with_start(state.reading, number, start_s)
            with closing(part.frames(_shifted(select, first, zero_s), max_height_px=max_height_px)) as frames:
                stop.also(frames.stop)
                for frame in frames:
                    state.progress = (number + part.progress) / len(self._parts)
                    yield Frame(first + frame.index, zero_s + frame.time_s, frame.rgb)
                stop.no_longer(frames.stop)
            if stop:
                return
            part_times_s = part.frame_times_s + zero_s
            self._current = None
            state.times_s.extend(part_times_s)
            state.reading = _combined(state.reading, part.reading, zero_s)
            state.notes.extend(f"{self._names[number]}: {note}" for note in part.notes)
            start_s = max(zero_s + (part.facts.duration_s or 0.0), float(part_times_s[-1]) + self._interval_s)
        state.progress = 1.0


def _lead_s(reading: Reading) -> float:
    """Return the seconds on a later part's clock before its pictures that belong to the parts before it."""
    return reading.first_picture_s if reading.first_picture_s > _SOON_S else 0.0


def _joined(facts: Sequence[VideoInfo], lengths_s: Sequence[float | None], sha256: str | None) -> VideoInfo:
    """Return the facts of the recording: sums, and what the first part says of the picture."""
    durations_s = [one for one in lengths_s if one is not None]
    counts = [one.frame_count for one in facts if one.frame_count is not None]
    return replace(
        facts[0],
        sha256=sha256,
        duration_s=sum(durations_s) if len(durations_s) == len(facts) else None,
        frame_count=sum(counts) if len(counts) == len(facts) else None,
    )


def _shifted(select: FrameFilter | None, first: int, start_s: float) -> FrameFilter | None:
    if select is None:
        return None
    return lambda index, time_s: select(first + index, start_s + time_s)


def _with_start(reading: Reading, number: int, start_s: float) -> Reading:
    parts = list(reading.parts)
    parts[number] = replace(parts[number], start_s=start_s)
    return replace(reading, parts=tuple(parts))


def _with_hashes(reading: Reading, sha256s: Sequence[str]) -> Reading:
    parts = tuple(replace(part, sha256=sha256) for part, sha256 in zip(reading.parts, sha256s, strict=True))
    return replace(reading, parts=parts)


def _combined(whole: Reading, part: Reading, start_s: float) -> Reading:
    """Return the reading with that of one more part, whose clock begins at ``start_s``."""
    changed_s = part.letterboxed_from_s
    letterboxed_s = None if changed_s is None else start_s + changed_s
    return replace(
        whole,
        deinterlaced=whole.deinterlaced or part.deinterlaced,
        tone_mapped_from=whole.tone_mapped_from or part.tone_mapped_from,
        letterboxed_from_s=letterboxed_s if whole.letterboxed_from_s is None else whole.letterboxed_from_s,
        repaired_stamps=whole.repaired_stamps + part.repaired_stamps,
        damaged=(
            *whole.damaged,
            *(DamagedSpan(start_s + one.start_s, start_s + one.end_s, one.packets) for one in part.damaged),
        ),
        pauses=(*whole.pauses, *((start_s + begin_s, start_s + end_s) for begin_s, end_s in part.pauses)),
    )
