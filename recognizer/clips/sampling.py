"""Collect clips of tracked people: when to sample, and when a person's clip is full."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.types import Clip, Observation, Picture

_SHORTEST_CLIP_S = 1.0
_SHORTEST_SHARE = 0.5
"""A stay that ends before its clip is full is still classified if it has this length and this share of the samples;
most actions cannot be recognized in less."""

_SHORTEST_WITH_EVIDENCE_S = 0.25
"""The same where evidence decides how sure a label is: it is weaker in a short clip, so most stay unknown, and nearly
all names that remain are right; shorter clips were not measured (docs/accuracy.md)."""

_ROUNDING_S = 1e-6


def shortest_stay_s(settings: Settings, frame_rate_hz: float) -> float:
    """Return how long a person must be visible to be classified, in a stream of ``frame_rate_hz``."""
    span_s = settings.clip_span_s(frame_rate_hz)
    if settings.asks_for_evidence:
        return min(span_s, _SHORTEST_WITH_EVIDENCE_S)
    return min(span_s, max(_SHORTEST_CLIP_S, _SHORTEST_SHARE * span_s))


class SampleClock:
    """Decides which frames of a stream are sampled: the first one at or after each tick of a fixed grid in time.

    A frame may come half a frame early, so that rounded time stamps do not skip a tick. Ticks in a gap of the stream
    are dropped; they do not accumulate.
    """

    def __init__(self, interval_s: float, frame_period_s: float) -> None:
        self._interval_s = interval_s
        self._tolerance_s = frame_period_s / 2
        self._origin_s: float | None = None
        self._next_tick = 0

    def take_sample(self, time_s: float) -> bool:
        """Return whether the frame at ``time_s`` is a sample, and use up its tick. Call once per frame, in order."""
        if self._origin_s is None:
            self._origin_s = time_s
        tick = math.floor((time_s - self._origin_s + self._tolerance_s) / self._interval_s)
        if tick < self._next_tick:
            return False
        self._next_tick = tick + 1
        return True


class _Sample(NamedTuple):
    time_s: float
    crop_rgb: Picture
    surroundings_rgb: Picture | None

    def replaced(self, picture_of: Callable[[Picture], Picture]) -> _Sample:
        """Return the sample with other pictures."""
        around = self.surroundings_rgb
        return _Sample(self.time_s, picture_of(self.crop_rgb), None if around is None else picture_of(around))


class _SampledClip(Clip):
    """A clip that shares its samples with later clips of the person, and makes arrays of them when asked for these.

    Clips of all people may be complete at the same time; with arrays of their own, they would take twice the memory.
    """

    def __init__(self, person_id: int, start_s: float, end_s: float, samples: Sequence[_Sample]) -> None:
        facts = {"person_id": person_id, "start_s": start_s, "end_s": end_s, "samples": tuple(samples)}
        for name, value in facts.items():
            object.__setattr__(self, name, value)  # the class is frozen

    samples: tuple[_Sample, ...]

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """See ``Clip``; a copy."""
        return _stack([sample.crop_rgb for sample in self.samples])

    @property
    def surroundings_rgb(self) -> NDArray[np.uint8] | None:
        """See ``Clip``; a copy."""
        around = [sample.surroundings_rgb for sample in self.samples if sample.surroundings_rgb is not None]
        return _stack(around) if len(around) == len(self.samples) else None

    @property
    def shape(self) -> tuple[int, ...]:
        """See ``Clip``."""
        return len(self.samples), *self.samples[0].crop_rgb.shape

    def stacked(self) -> Clip:
        """See ``Clip``."""
        return Clip(self.person_id, self.start_s, self.end_s, self.rgb, self.surroundings_rgb)


def _stack(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    """Return the pictures as one array; unlike ``np.stack``, it holds no second array of each meanwhile."""
    stack = np.empty((len(pictures), *pictures[0].shape), np.uint8)
    for k, picture in enumerate(pictures):
        stack[k] = np.asarray(picture)
    return stack


def _samples_of(clip: Clip) -> Sequence[_Sample]:
    if isinstance(clip, _SampledClip):
        return clip.samples
    surroundings = clip.surroundings_rgb
    around: Sequence[Picture | None] = [None] * clip.length if surroundings is None else list(surroundings)
    return list(map(_Sample, _sample_times_s(clip).tolist(), clip.rgb, around))


def with_pictures(clip: Clip, picture_of: Callable[[Picture], Picture]) -> Clip:
    """Return a clip that shows, in place of each picture, another."""
    samples = [sample.replaced(picture_of) for sample in _samples_of(clip)]
    return _SampledClip(clip.person_id, clip.start_s, clip.end_s, samples)


@dataclass
class _Buffer:
    """The latest samples of one person."""

    samples: deque[_Sample]
    new: int = 0
    has_clip: bool = field(default=False)


class LeftOver(NamedTuple):
    """The samples of a stay that was too short for a clip.

    Attributes:
        person_id: the tracker's number.
        shot: how many shots began before it.
        samples: the samples, in order of time.
    """

    person_id: int
    shot: int
    samples: tuple[_Sample, ...]


MOST_LEFT_OVER = 1000
"""At most this many left-over samples are kept, with surroundings 300 MB or less; of more, the oldest get no clip."""


class ClipSampler:
    """Collects each person's crops and returns a clip when that person's buffer is full.

    One per stream. The first clip comes with the N-th sample, the next after ``settings.new_samples_per_clip``
    new ones. When a person is gone for longer than the allowed gap, at a shot boundary, and when the stream ends,
    samples that are in no clip yet form a last clip together with the ones before them, if they span more than
    ``settings.label_holds_s``; a stay too short for a full clip gives a shorter clip, if it spans ``shortest_stay_s``.

    Args:
        settings: these decide the length of a clip.
        frame_rate_hz: frame rate of the stream.
        least_height_px: samples in which a person is shorter are skipped.
        keeps_left_over: whether to keep the samples of stays that are too short for a clip, for ``clips_of_people``.
    """

    def __init__(
        self,
        settings: Settings,
        frame_rate_hz: float,
        least_height_px: float = 0.0,
        *,
        keeps_left_over: bool = False,
    ) -> None:
        self._least_height_px = least_height_px
        self._length = settings.num_video_sequence_samples
        self._new_samples_per_clip = settings.new_samples_per_clip
        self._interval_s = settings.sample_interval_s(frame_rate_hz)
        self._shortest_s = shortest_stay_s(settings, frame_rate_hz)
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._label_holds_s = settings.label_holds_s(frame_rate_hz)
        self._buffers: dict[int, _Buffer] = {}
        self._keeps_left_over = keeps_left_over
        self._left_over: deque[LeftOver] = deque()
        self._left_over_samples = 0
        self._shot = 0

    def change(self, settings: Settings, frame_rate_hz: float) -> None:
        """Continue with other settings. Samples that still fit stay, and a person with enough of them gets a clip with
        the next one; a new sampling interval restarts everyone's clip."""
        interval_s = settings.sample_interval_s(frame_rate_hz)
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._label_holds_s = settings.label_holds_s(frame_rate_hz)
        self._shortest_s = shortest_stay_s(settings, frame_rate_hz)
        self._length = settings.num_video_sequence_samples
        self._new_samples_per_clip = settings.new_samples_per_clip
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            self._buffers = {}
        for buffer in self._buffers.values():
            buffer.samples = deque(buffer.samples, maxlen=self._length)
            buffer.new, buffer.has_clip = len(buffer.samples), False

    def add(self, observation: Observation) -> list[Clip]:
        """Add one sampled frame; return the clips that are now complete, in order of ``person_id``."""
        clips = self._end(
            lambda buffer: observation.is_cut or observation.time_s - buffer.samples[-1].time_s > self._max_gap_s
        )
        self._shot += observation.is_cut
        around = observation.surroundings_rgb or (None,) * len(observation.people)
        for person, crop, surroundings in zip(observation.people, observation.crops_rgb, around, strict=True):
            if person.box_xyxy[3] - person.box_xyxy[1] < self._least_height_px:
                continue
            clips += self._push(person.person_id, _Sample(observation.time_s, crop, surroundings))
        return sorted(clips, key=lambda clip: (clip.person_id, clip.start_s))

    def swap(self, one_id: int, other_id: int, since_s: float) -> None:
        """Exchange the samples of two people from a time on: their numbers were swapped."""
        buffers = {person_id: self._buffers.pop(person_id, None) for person_id in (one_id, other_id)}
        for person_id, source_id in ((one_id, other_id), (other_id, one_id)):
            own, source = buffers[person_id], buffers[source_id]
            head = [sample for sample in own.samples if sample.time_s < since_s] if own else []
            tail = [sample for sample in source.samples if sample.time_s >= since_s] if source else []
            if not head and not tail:
                continue
            new = min(source.new, len(tail)) if source else 0
            if own is not None:
                new += max(0, own.new - (len(own.samples) - len(head)))
            has_clip = own.has_clip if own is not None and head else bool(source and source.has_clip)
            self._buffers[person_id] = _Buffer(deque((*head, *tail), maxlen=self._length), new, has_clip)

    def pictures(self) -> Iterator[Picture]:
        """Yield all pictures that a later clip may show."""
        for samples in (*(one.samples for one in self._buffers.values()), *(one.samples for one in self._left_over)):
            for sample in samples:
                yield sample.crop_rgb
                if sample.surroundings_rgb is not None:
                    yield sample.surroundings_rgb

    def replace_pictures(self, picture_of: Callable[[Picture], Picture]) -> None:
        """Replace each of ``pictures`` by another."""

        def replaced(sample: _Sample) -> _Sample:
            return sample.replaced(picture_of)

        for buffer in self._buffers.values():
            buffer.samples = deque(map(replaced, buffer.samples), maxlen=buffer.samples.maxlen)
        self._left_over = deque(one._replace(samples=tuple(map(replaced, one.samples))) for one in self._left_over)

    def finish(self) -> list[Clip]:
        """Return the last clips of everyone visible when the stream ended."""
        return self._end(lambda _: True)

    def _end(self, is_over: Callable[[_Buffer], bool]) -> list[Clip]:
        over = {person_id: buffer for person_id, buffer in self._buffers.items() if is_over(buffer)}
        for person_id in over:
            del self._buffers[person_id]
            if self._keeps_left_over and not over[person_id].has_clip and not self._deserves_a_last(over[person_id]):
                self._keep(LeftOver(person_id, self._shot, tuple(over[person_id].samples)))
        return [self._clip(person_id, buffer) for person_id, buffer in over.items() if self._deserves_a_last(buffer)]

    def _keep(self, stay: LeftOver) -> None:
        self._left_over.append(stay)
        self._left_over_samples += len(stay.samples)
        while self._left_over_samples > MOST_LEFT_OVER:
            self._left_over_samples -= len(self._left_over.popleft().samples)

    def clips_of_people(self, person_of: Mapping[int, int]) -> list[Clip]:
        """Return clips of people whom the tracker lost so often that its numbers had none; call it after ``finish``.

        Args:
            person_of: the person of each of the tracker's numbers. A clip has the first of its numbers.
        """
        stays_of: dict[tuple[int, int], list[LeftOver]] = defaultdict(list)
        for stay in sorted(self._left_over, key=lambda stay: (stay.samples[0].time_s, stay.person_id)):
            stays_of[person_of.get(stay.person_id, stay.person_id), stay.shot].append(stay)
        self._left_over.clear()
        clips: list[Clip] = []
        for stays in stays_of.values():
            if len(stays) == 1:
                continue
            for sample in sorted((sample for stay in stays for sample in stay.samples), key=lambda one: one.time_s):
                if (buffer := self._buffers.get(stays[0].person_id)) is not None:
                    latest_s = buffer.samples[-1].time_s
                    if sample.time_s <= latest_s:
                        continue  # the detector found the person twice
                    if sample.time_s - latest_s > self._max_gap_s:
                        clips += self.finish()
                clips += self._push(stays[0].person_id, sample)
            clips += self.finish()
        return sorted(clips, key=lambda clip: (clip.end_s, clip.person_id))

    def _push(self, person_id: int, sample: _Sample) -> list[Clip]:
        buffer = self._buffers.setdefault(person_id, _Buffer(deque(maxlen=self._length)))
        buffer.samples.append(sample)
        buffer.new += 1
        needed = self._new_samples_per_clip if buffer.has_clip else self._length
        return [self._clip(person_id, buffer)] if buffer.new >= needed else []

    def _deserves_a_last(self, buffer: _Buffer) -> bool:
        if buffer.has_clip and buffer.new < len(buffer.samples):
            new_s = buffer.samples[-1].time_s - buffer.samples[-buffer.new - 1].time_s
            return new_s > self._label_holds_s + _ROUNDING_S
        # the number of samples counts, because a second with gaps shows less
        return len(buffer.samples) * self._interval_s >= self._shortest_s - _ROUNDING_S

    def _clip(self, person_id: int, buffer: _Buffer) -> Clip:
        buffer.new = 0
        buffer.has_clip = True
        samples = buffer.samples
        return _SampledClip(person_id, samples[0].time_s, samples[-1].time_s + self._interval_s, samples)


def joined(older: Clip, newer: Clip, from_s: float) -> Clip:
    """Join two successive clips of a person into one, with as many samples as ``newer``.

    The samples of both clips are assumed to be evenly spaced, as the sampler makes them. The result consists of the
    samples nearest to evenly spaced times, and shares them with the two.

    Args:
        older: the clip that starts first; the two may overlap.
        newer: the clip that ends last.
        from_s: start of the result, if ``older`` starts earlier.
    """
    length = newer.length
    start_s = max(older.start_s, from_s)
    earlier = _sample_times_s(older)
    before = earlier < newer.start_s
    times_s = np.concatenate((earlier[before], _sample_times_s(newer)))
    samples = [*compress(_samples_of(older), before), *_samples_of(newer)]
    wanted_s = start_s + np.arange(length) * (newer.end_s - start_s) / length
    nearest = np.abs(times_s[:, None] - wanted_s).argmin(axis=0)
    return _SampledClip(newer.person_id, start_s, newer.end_s, [samples[k] for k in nearest])


def _sample_times_s(clip: Clip) -> NDArray[np.float64]:
    return clip.start_s + np.arange(clip.length) * (clip.end_s - clip.start_s) / clip.length
