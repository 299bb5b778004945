"""The timing of a file: where its clock begins, how long it lasts, and how many frames a second it has."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from recognizer.video.facts import Timing

MAX_FRAME_RATE_HZ: Final = 1000

_DOUBTFUL_FRAME_RATE_HZ: Final = 125
"""A stated rate above this is measured: WebM files from a browser's recorder claim 1000."""

_DOUBTFUL_RATIO: Final = 1.1
"""A file whose average and usual rates differ by more has holes, or varies; its rate is measured."""

_SAME_SHARE: Final = 0.02
_ROUNDED_TICKS: Final = 1.01
"""Distances that differ by up to this share or by so many ticks of the file's stamps are the same."""

_REORDERED_FRAMES: Final = 3
"""FFmpeg's stamps of an AVI file begin up to this many frames late, because it adds the delay of B-frames."""

_LATEST_START: Final = Fraction(86_400)
"""An MP4 file that begins later, in seconds, is part of a live stream whose clock is the time of day."""

_SAME_CLOCK: Final = Fraction(1, 50)
"""Clocks that begin closer together, in seconds, show the same picture."""

_NO_TIMESTAMPS: Final = 0x0080
_CAN_RESTART: Final = 0x0200
"""FFmpeg's flags of a container, AVFMT_NOTIMESTAMPS and AVFMT_TS_DISCONT (libavformat/avformat.h)."""

_SOON: Final = Fraction(1, 2)
"""A first picture that is earlier, in seconds, only waits for B-frames."""


def timing_of(
    container: InputContainer, stream: VideoStream, first: VideoFrame, given_rate_hz: float | None = None
) -> Timing:
    """Return how a file counts time, from its header and its first frame.

    The clock begins with the earliest stream. An MP4 or MOV file has a time line of its own, and its clock begins there
    (ISO/IEC 14496-12, 8.6.6): players show that time, also for a file whose first stamp is not 0.

    Args:
        container: the file, open.
        stream: its pictures.
        first: the first frame that can be decoded.
        given_rate_hz: the user's frame rate for a raw stream; other files have a clock, and it is not used.
    """
    if container.format.flags & _NO_TIMESTAMPS:
        rate, is_known = _raw_rate(stream, given_rate_hz)
        # FFmpeg makes stamps for MPEG-2 that show some fields longer than others, as film on NTSC video needs
        counts = container.format.name != "mpegvideo" or given_rate_hz is not None
        zero_s = 0.0 if counts else float(_stamp_s(first, stream, Fraction(0)))
        return Timing(zero_s, 0.0, None, False, rate, not is_known, counts, False, True)
    rate = plausible_rate(stream.average_rate) or plausible_rate(stream.guessed_rate)
    earliest = _earliest(container, stream)
    first_s = _stamp_s(first, stream, earliest)
    zero = _zero(container, earliest, first_s)
    delay = _reordering_delay(container, earliest, first_s, rate)
    end, of_pictures = _end(container, stream)
    return Timing(
        zero_s=float(zero + delay),
        first_picture_s=float(first_s - zero - delay),
        end_s=None if end is None else float(end - zero),
        end_is_of_pictures=of_pictures,
        rate=rate,
        rate_is_assumed=False,
        counts_frames=False,
        can_restart=bool(container.format.flags & _CAN_RESTART),
        is_players_clock=abs(zero) < _SAME_CLOCK,
    )


def is_doubtful(stream: VideoStream, rate: Fraction | None) -> bool:
    """Return whether the rate must be measured: the file states none, an absurd one, or one that it does not keep."""
    usual = plausible_rate(stream.guessed_rate)
    if rate is None or rate > _DOUBTFUL_FRAME_RATE_HZ:
        return True
    return usual is not None and max(usual, rate) > _DOUBTFUL_RATIO * min(usual, rate)


def usual_rate(stamps_s: list[float], stated: tuple[Fraction | None, ...], tick_s: float) -> Fraction | None:
    """Return the rate that belongs to the median distance between frames; None for fewer than two frames.

    Args:
        stamps_s: the frames' stamps in seconds.
        stated: rates from the file's header; the closest one that agrees with the measured one is more exact.
        tick_s: unit of the stamps; those of Matroska are rounded to milliseconds.
    """
    distances_s = np.diff(np.unique(np.asarray(stamps_s, np.float64)))
    if not len(distances_s):
        return None
    # one of the distances: the mean of the two in the middle may be near none
    median_s = float(np.percentile(distances_s, 50, method="lower"))
    tolerance_s = max(tick_s * _ROUNDED_TICKS, _SAME_SHARE * median_s)
    usual_s = float(np.mean(distances_s[np.abs(distances_s - median_s) <= tolerance_s]))
    agreeing = [one for one in stated if one and abs(1 / one - median_s) <= tolerance_s]
    # a last picture that stays longer makes the average of a short 240 fps file 236, within the tolerance
    closest = min(agreeing, key=lambda one: abs(1 / one - usual_s), default=None)
    return closest or plausible_rate(as_fraction(1 / Fraction(usual_s)))


def as_fraction(rate_hz: Fraction | float) -> Fraction:
    """Return a frame rate as a fraction of small numbers, such as 30000/1001; a picture an hour is 1/3600, not 0."""
    rate = Fraction(rate_hz)
    return rate.limit_denominator(1001) if rate >= 1 else 1 / (1 / rate).limit_denominator(1001)


def plausible_rate(rate: Fraction | None) -> Fraction | None:
    """Return the rate if a camera can have it, else None."""
    return rate if rate is not None and 0 < rate <= MAX_FRAME_RATE_HZ else None


def _raw_rate(stream: VideoStream, given_rate_hz: float | None) -> tuple[Fraction | None, bool]:
    """Return the rate of a raw stream, and whether it is known: from the user, or from the stream's own header.

    FFmpeg's ``avg_frame_rate`` of a raw stream is 25 whatever the header says (libavformat, ``rawdec.c``).
    """
    if given_rate_hz:
        return as_fraction(given_rate_hz), True
    header = plausible_rate(stream.codec_context.framerate)
    return header or plausible_rate(stream.guessed_rate), header is not None


def _stamp_s(first: VideoFrame, stream: VideoStream, otherwise: Fraction) -> Fraction:
    stamp, base = first.pts if first.pts is not None else first.dts, first.time_base or stream.time_base
    return otherwise if stamp is None or base is None else stamp * base


def _earliest(container: InputContainer, stream: VideoStream) -> Fraction:
    """Return the stamp at which the earliest stream begins, in seconds.

    FFmpeg rounds it to microseconds; where it is the stream of the pictures, the exact stamp is known.
    """
    rounded = Fraction(container.start_time or 0, av.time_base)
    if stream.start_time is not None and stream.time_base is not None:
        own = stream.start_time * stream.time_base
        if container.start_time is None or abs(own - rounded) <= Fraction(2, av.time_base):
            return own
    return rounded


def _zero(container: InputContainer, earliest: Fraction, first: Fraction) -> Fraction:
    """Return the stamp at which the clock begins, in seconds."""
    if _is_movie(container) and earliest < _LATEST_START:
        return min(Fraction(0), first)
    return min(earliest, first)


def _is_movie(container: InputContainer) -> bool:
    """Return whether the file is MP4, MOV or 3GP."""
    return "mp4" in container.format.name.split(",")


def _reordering_delay(
    container: InputContainer, earliest: Fraction, first: Fraction, rate: Fraction | None
) -> Fraction:
    """Return by how many seconds FFmpeg's stamps are late because an AVI file stores no presentation times."""
    if container.format.name != "avi" or rate is None or first - earliest > _REORDERED_FRAMES / rate:
        return Fraction(0)
    return max(Fraction(0), first - earliest)


def _end(container: InputContainer, stream: VideoStream) -> tuple[Fraction | None, bool]:
    """Return the stamp at which the pictures end, in seconds, and whether it is certainly that of the pictures."""
    if stream.duration is not None and stream.duration > 0 and stream.time_base is not None:
        begins, length = (stream.start_time or 0) * stream.time_base, stream.duration * stream.time_base
        # FFmpeg counts a fragmented MP4 file's duration from 0, also if it is a piece that begins later
        is_piece = not stream.frames and _is_movie(container) and _SOON <= begins < length
        # in ASF every stream has the duration of the longest
        return (length if is_piece else begins + length), container.format.name != "asf" or not container.streams.audio
    if container.duration is None or container.duration <= 0:
        return None, False
    begins = Fraction(container.start_time or 0, av.time_base)
    length = Fraction(container.duration, av.time_base)
    # Matroska's header holds the end stamp, not the length, of a piece that was cut out without new stamps
    states_end = "matroska" in container.format.name and length > begins
    return (length if states_end else begins + length), not container.streams.audio
