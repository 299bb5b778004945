"""Find the stretches of a video that are missing because packets were damaged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recognizer.types import DamagedSpan

_DECODERS_DELAY_FRAMES = 32
"""A packet that cannot be decoded is reported at most this many pictures before its gap: 16 that H.264 and HEVC may
hold back for the display order, and one for each of FFmpeg's up to 16 decoding threads."""

_PAUSE_S = 1.0
_PAUSE = 10.0
"""A gap without damage is a pause if it is longer than both this many seconds and this many usual distances."""

_GAP = 1.5
"""Two pictures further apart than this, in usual distances, have a picture missing between them."""


class DamageLog:
    """Collects what went wrong while the pictures of one stream were decoded."""

    def __init__(self) -> None:
        self._failed: list[tuple[int, int]] = []
        self._marked: list[int] = []

    def packet_failed(self, frames_before: int) -> None:
        """A packet could not be decoded, after this many pictures had come out."""
        self._failed.append((frames_before, 1))

    def packet_is_marked(self, frames_before: int) -> None:
        """The demuxer marks the next packet as damaged, after this many pictures had come out.

        A transport stream's demuxer marks the packet after a loss; the decoder then drops pictures without an error.
        """
        self._failed.append((frames_before, 0))

    def frame_is_marked(self, index: int) -> None:
        """The decoder marks the picture of this index as damaged; it drops those that depend on lost packets."""
        self._marked.append(index)

    def spans(self, times_s: Sequence[float] | NDArray[np.float64], end_s: float) -> tuple[DamagedSpan, ...]:
        """Return the damaged stretches, in order of time.

        Args:
            times_s: time of every picture, ascending; at least one.
            end_s: time at which the video should end.
        """
        if not (self._failed or self._marked):
            return ()
        times = np.asarray(times_s, np.float64)
        distances = np.diff(times)
        usual_s = float(np.median(distances)) if len(distances) else 0.0
        gaps = np.flatnonzero(distances > _GAP * usual_s).tolist()  # gap k lies between pictures k and k + 1
        placed = (_after_packet(frames, packets, times, gaps, usual_s, end_s) for frames, packets in self._failed)
        found = [span for span in placed if span is not None]
        found += [_around(index, times, set(gaps), usual_s) for index in self._marked]
        merged = _merged(found, usual_s)
        return (*merged[:-1], _up_to(merged[-1], float(times[-1]), usual_s, end_s)) if merged else ()


def _after_packet(
    frames: int, packets: int, times_s: NDArray[np.float64], gaps: list[int], usual_s: float, end_s: float
) -> DamagedSpan | None:
    """Return the gap that a packet left; without one, the moment at which it failed.

    A packet that is only marked and leaves no gap is not reported: where recordings are joined, the first one is.
    """
    first = max(0, frames - 1)
    nearest = bisect_left(gaps, first)
    if nearest < len(gaps) and gaps[nearest] <= first + _DECODERS_DELAY_FRAMES:
        k = gaps[nearest]
        return DamagedSpan(float(times_s[k]) + usual_s, float(times_s[k + 1]), packets)
    if not packets:
        return None
    last_s = float(times_s[-1]) + usual_s
    if first + _DECODERS_DELAY_FRAMES >= len(times_s) - 1 and end_s > last_s:  # nothing came after it
        return DamagedSpan(last_s, last_s + usual_s, packets)
    start_s = float(times_s[min(first, len(times_s) - 1)])
    return DamagedSpan(start_s, start_s + usual_s, packets)


def _up_to(last: DamagedSpan, last_picture_s: float, usual_s: float, end_s: float) -> DamagedSpan:
    """Extend a stretch after the last picture by its packets, up to the end of the video."""
    if last.start_s <= last_picture_s:
        return last
    return replace(last, end_s=max(last.end_s, min(end_s, last.start_s + last.packets * usual_s)))


def _around(index: int, times_s: NDArray[np.float64], gaps: set[int], usual_s: float) -> DamagedSpan:
    """Return the damaged picture with the gaps next to it."""
    start_s = float(times_s[index - 1]) + usual_s if index - 1 in gaps else float(times_s[index])
    end_s = float(times_s[index + 1]) if index in gaps else float(times_s[index]) + usual_s
    return DamagedSpan(start_s, end_s, 0)


def _merged(spans: list[DamagedSpan], usual_s: float) -> tuple[DamagedSpan, ...]:
    """Join stretches that overlap or have at most one picture between them."""
    merged: list[DamagedSpan] = []
    for span in sorted(spans, key=lambda one: (one.start_s, one.end_s)):
        if merged and span.start_s <= merged[-1].end_s + _GAP * usual_s:
            last = merged[-1]
            merged[-1] = DamagedSpan(last.start_s, max(last.end_s, span.end_s), last.packets + span.packets)
        else:
            merged.append(span)
    return tuple(merged)


def pauses(
    times_s: Sequence[float] | NDArray[np.float64], damaged: Sequence[DamagedSpan]
) -> tuple[tuple[float, float], ...]:
    """Return the stretches without a new picture that no damage explains: ``(start_s, end_s)``, in order of time.

    A camera may have stopped, or a demuxer may have skipped a damaged part without a sign (Matroska).
    """
    times = np.asarray(times_s, np.float64)
    distances = np.diff(times)
    if not len(distances) or distances.max() <= _PAUSE_S:
        return ()
    usual_s = float(np.median(distances))
    long = np.flatnonzero(distances > max(_PAUSE_S, _PAUSE * usual_s)).tolist()
    found = [(float(times[k]) + usual_s, float(times[k + 1])) for k in long]
    return tuple(
        (start_s, end_s)
        for start_s, end_s in found
        if not any(span.start_s < end_s and start_s < span.end_s for span in damaged)
    )
