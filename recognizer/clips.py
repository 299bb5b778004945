"""From tracked people to clips: when to sample, how to crop, when a person's clip is full."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.settings import Settings
from recognizer.types import CROP_SIZE_PX, Box, Clip, Observation

PAD_RGB = (110, 101, 96)
"""Fills a crop beyond the border: torchvision's Kinetics-400 mean (0.432, 0.395, 0.376) as bytes, which the
normalisation of the networks turns into about zero."""


class SampleClock:
    """Says which frames of a stream are sampled: the first one at or after each tick of a fixed grid in time.

    A frame may come half a frame early, so that rounded time stamps do not skip a tick. In a hole of the stream
    the ticks pass unused; they do not pile up.
    """

    def __init__(self, interval_s: float, frame_period_s: float) -> None:
        self._interval_s = interval_s
        self._tolerance_s = frame_period_s / 2
        self._origin_s: float | None = None
        self._next_tick = 0

    def take(self, time_s: float) -> bool:
        """Whether the frame at ``time_s`` is a sample; asks must come in time order, each frame once."""
        if self._origin_s is None:
            self._origin_s = time_s
        tick = math.floor((time_s - self._origin_s + self._tolerance_s) / self._interval_s)
        if tick < self._next_tick:
            return False
        self._next_tick = tick + 1
        return True


def square_window(box_xyxy: Box, margin_percentage: float) -> tuple[int, int, int]:
    """Left, top and side (pixels) of the square around a box, with the margin added on each side."""
    x1, y1, x2, y2 = box_xyxy
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * margin_percentage / 100)))
    return round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2), side


def square_crop(
    rgb: NDArray[np.uint8], box_xyxy: Box, margin_percentage: float, size_px: int = CROP_SIZE_PX
) -> NDArray[np.uint8]:
    """Cut a square around a person out of uint8 (H, W, 3); padded at the border, never squashed, resized once.

    Returns:
        uint8 (size_px, size_px, 3).
    """
    left, top, side = square_window(box_xyxy, margin_percentage)
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if (x2 - x1, y2 - y1) == (side, side):
        return _resize(rgb[y1:y2, x1:x2], size_px, size_px)
    crop = np.empty((size_px, size_px, 3), np.uint8)
    crop[:] = PAD_RGB
    if x2 > x1 and y2 > y1:
        scale = size_px / side
        to_x1, to_y1 = round((x1 - left) * scale), round((y1 - top) * scale)
        to_x2, to_y2 = max(to_x1 + 1, round((x2 - left) * scale)), max(to_y1 + 1, round((y2 - top) * scale))
        inside = _resize(rgb[y1:y2, x1:x2], to_x2 - to_x1, to_y2 - to_y1)
        crop[to_y1:to_y2, to_x1:to_x2] = inside[: size_px - to_y1, : size_px - to_x1]
    return crop


def _resize(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    shrinks = width < rgb.shape[1]
    resized = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


@dataclass
class _Buffer:
    """The newest samples of one person."""

    samples: deque[tuple[float, NDArray[np.uint8]]]
    new: int = 0
    has_clip: bool = field(default=False)


class ClipSampler:
    """Collects each person's crops and hands out a clip when that person's own buffer is full.

    One per stream. The first clip comes with the N-th sample, the next after ``settings.new_samples_per_clip``
    new ones. When a person is gone for longer than the allowed gap, or the stream ends, samples that no clip has
    covered yet go into a last clip together with the ones before them. So it is where another shot begins.

    Args:
        settings: how long a clip is.
        frame_rate_hz: of the stream.
        least_height_px: samples in which a person is less high are left out.
    """

    def __init__(self, settings: Settings, frame_rate_hz: float, least_height_px: float = 0.0) -> None:
        self._least_height_px = least_height_px
        self._length = settings.num_video_sequence_samples
        self._new_samples_per_clip = settings.new_samples_per_clip
        self._interval_s = settings.sample_interval_s(frame_rate_hz)
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._buffers: dict[int, _Buffer] = {}

    def change(self, settings: Settings, frame_rate_hz: float) -> None:
        """Go on with other settings. Samples are kept where they still fit, and whoever has enough of them gets a clip
        with the next one; another sampling interval begins everyone's clip anew."""
        interval_s = settings.sample_interval_s(frame_rate_hz)
        self._max_gap_s = settings.max_gap_s(frame_rate_hz)
        self._length = settings.num_video_sequence_samples
        self._new_samples_per_clip = settings.new_samples_per_clip
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            self._buffers = {}
        for buffer in self._buffers.values():
            buffer.samples = deque(buffer.samples, maxlen=self._length)
            buffer.new, buffer.has_clip = len(buffer.samples), False

    def add(self, observation: Observation) -> list[Clip]:
        """Take one sampled frame; returns the clips that are complete now, in order of ``person_id``."""
        clips = self._end(
            lambda buffer: observation.is_cut or observation.time_s - buffer.samples[-1][0] > self._max_gap_s
        )
        for person, crop in zip(observation.people, observation.crops_rgb, strict=True):
            if person.box_xyxy[3] - person.box_xyxy[1] < self._least_height_px:
                continue
            buffer = self._buffers.setdefault(person.person_id, _Buffer(deque(maxlen=self._length)))
            buffer.samples.append((observation.time_s, crop))
            buffer.new += 1
            needed = self._new_samples_per_clip if buffer.has_clip else self._length
            if buffer.new >= needed:
                clips.append(self._clip(person.person_id, buffer))
        return sorted(clips, key=lambda clip: (clip.person_id, clip.start_s))

    def finish(self) -> list[Clip]:
        """The last clips of everyone who was still there when the stream ended."""
        return self._end(lambda _: True)

    def _end(self, is_over: Callable[[_Buffer], bool]) -> list[Clip]:
        over = {person_id: buffer for person_id, buffer in self._buffers.items() if is_over(buffer)}
        for person_id in over:
            del self._buffers[person_id]
        return [self._clip(person_id, buffer) for person_id, buffer in over.items() if buffer.has_clip and buffer.new]

    def _clip(self, person_id: int, buffer: _Buffer) -> Clip:
        buffer.new = 0
        buffer.has_clip = True
        times_s = [time_s for time_s, _ in buffer.samples]
        return Clip(
            person_id=person_id,
            start_s=times_s[0],
            end_s=times_s[-1] + self._interval_s,
            rgb=_stack(crop for _, crop in buffer.samples),
        )


def joined(older: Clip, newer: Clip, from_s: float) -> Clip:
    """One clip over the time of two successive ones of a person, with as many samples as ``newer`` has.

    Each clip's samples are taken as evenly spaced, as the sampler makes them, and so are those of the result: at each
    of its times it shows the nearest sample there is.

    Args:
        older: begins first; the two may overlap.
        newer: ends last.
        from_s: what lies before this is left out.
    """
    length = len(newer.rgb)
    start_s = max(older.start_s, from_s)
    earlier = _sample_times_s(older)
    kept = earlier < newer.start_s
    times_s = np.concatenate((earlier[kept], _sample_times_s(newer)))
    crops_rgb = np.concatenate((older.rgb[kept], newer.rgb))
    wanted_s = start_s + np.arange(length) * (newer.end_s - start_s) / length
    nearest = np.abs(times_s[:, None] - wanted_s).argmin(axis=0)
    return Clip(newer.person_id, start_s, newer.end_s, crops_rgb[nearest])


def _sample_times_s(clip: Clip) -> NDArray[np.float64]:
    return clip.start_s + np.arange(len(clip.rgb)) * (clip.end_s - clip.start_s) / len(clip.rgb)


def _stack(crops: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(list(crops))
