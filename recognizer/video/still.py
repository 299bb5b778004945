"""One picture from the middle of a file, without decoding what is before it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.video.container import open_container, packets
from recognizer.video.facts import Inspection, Timing
from recognizer.video.picture import PictureConverter, PixelAspect


def still_here(path: Path, shown: str, facts: Inspection, time_s: float) -> NDArray[np.uint8]:
    """Return the picture that a player shows at a time, decoded in this process; see ``looking.still``.

    Raises:
        VideoError: as ``looking.still``, except that the file was a readable video.
    """
    if facts.timing.counts_frames:
        raise VideoError(f"{shown} has no time stamps to look for {time_s:.1f} s by; make a copy in another format.")
    microseconds = (time_s + facts.timing.zero_s) * av.time_base
    if not abs(microseconds) < _MOST_MICROSECONDS:
        raise VideoError(f"{shown} cannot be read at {time_s:.1f} s: no player counts so far; make a copy of it.")
    with open_container(path, shown, facts.stream) as (container, chosen):
        try:
            container.seek(round(microseconds), backward=True)
            latest = None
            for frame in (frame for packet in packets(container, chosen) for frame in packet.decode()):
                base = frame.time_base or chosen.time_base or Fraction(1, 1000)
                if latest is not None and _time_s(frame.pts, base, facts.timing) > time_s + _TOLERANCE_S:
                    break
                latest = frame
        except av.FFmpegError as error:
            raise VideoError(f"{shown} cannot be read at {time_s:.1f} s; make a copy of it.") from error
        if latest is None:
            raise VideoError(f"{shown} has no picture at {time_s:.1f} s; drop in the whole video.")
        converter = PictureConverter((facts.info.width, facts.info.height))
        return converter.upright_rgb(latest, PixelAspect(chosen).of(latest))


_MOST_MICROSECONDS = 2.0**63
"""FFmpeg's times have 64 bits: 292,000 years. A damaged file may claim more."""

_TOLERANCE_S = 1e-3
"""Containers round time stamps to milliseconds."""


def _time_s(stamp: int | None, base: Fraction, timing: Timing) -> float:
    return float("inf") if stamp is None else float(stamp * base) - timing.zero_s
