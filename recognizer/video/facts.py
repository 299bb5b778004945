"""The facts about a file that are found when it is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from recognizer.types import Reading, VideoInfo


@dataclass(frozen=True)
class Timing:
    """The clock of a file.

    Attributes:
        zero_s: the time stamp, in seconds, at which the clock begins.
        first_picture_s: time of the first picture on the clock.
        end_s: time at which the pictures end on the clock, as the file states it; None if it does not.
        end_is_of_pictures: False if ``end_s`` may be the end of the sound.
        rate: usual frames per second; None if unknown.
        rate_is_assumed: whether neither the file nor the user states the rate of a stream that has no time stamps.
        counts_frames: whether frame k is at ``k / rate``, because the stream is raw: it has no time stamps.
        can_restart: whether the clock may step back in such a file, so that ``end_s`` may be far too early.
        is_players_clock: whether a browser shows the same times for the file.
    """

    zero_s: float
    first_picture_s: float
    end_s: float | None
    end_is_of_pictures: bool
    rate: Fraction | None
    rate_is_assumed: bool
    counts_frames: bool
    can_restart: bool
    is_players_clock: bool


@dataclass(frozen=True)
class Inspection:
    """A :class:`VideoInfo` and the facts that only this package needs.

    Attributes:
        info: the public facts.
        container: FFmpeg's name of the container, such as ``matroska,webm``.
        pixel_format: FFmpeg's name, such as ``yuv420p``.
        audio_codecs: FFmpeg's names of the audio codecs.
        timing: how the file counts time.
        stream: number of the chosen video stream among all streams of the file.
        is_sole_stream: whether every player shows this stream, because there is no other.
        reading: how the file will be read, as far as the first picture tells.
    """

    info: VideoInfo
    container: str
    pixel_format: str
    audio_codecs: tuple[str, ...]
    timing: Timing
    stream: int
    is_sole_stream: bool
    reading: Reading = field(default_factory=Reading)
