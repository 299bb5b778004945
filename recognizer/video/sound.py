"""Decode the sound of a video, align it with the pictures, and encode it as AAC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from recognizer.video.container import open_container, packets
from recognizer.video.facts import Timing

_RATE_HZ: Final = 48_000
SAMPLE_RATE_HZ: Final = _RATE_HZ
"""Samples per second of the sound that is read."""

_LAYOUT: Final = "stereo"
_CHANNELS: Final = 2
_FORMAT: Final = "fltp"
_BITS_PER_S: Final = 128_000
_SAMPLES_A_FRAME: Final = 1024
"""Samples of one AAC frame (ISO/IEC 14496-3)."""

_DRIFT: Final = round(0.05 * _RATE_HZ)
"""Ignore gaps and overlaps up to this many samples. Rounded stamps cause them, and they are inaudible, while cutting or
padding a few samples crackles."""

_LONGEST_SILENCE: Final = 300 * _RATE_HZ
"""Longer silence, in samples, is left out of the track: a damaged time stamp may put years between two pictures."""

_MOST_SAMPLES: Final = 2**62
"""Sound further away, at 48 kHz three million years, has a damaged time stamp; FFmpeg's numbers have 64 bits."""

_RESTART: Final = round(0.5 * _RATE_HZ)
"""A step back by more samples than this is a restart of the recorder's clock."""

Samples = NDArray[np.float32]
"""Float32 (channels, samples), -1 to 1."""


def read_sound(path: Path, shown: str, stream: int, timing: Timing) -> Iterator[tuple[int, Samples]]:
    """Yield the first audio track: the position of the samples, counted from the zero of the clock, and the samples.

    Yields nothing if no track can be decoded. Damaged parts are skipped.

    Args:
        path: the video.
        shown: its name in messages.
        stream: number of the video stream among all streams of the file.
        timing: how the file counts time.

    Raises:
        VideoError: the file can no longer be opened.
    """
    with open_container(path, shown, stream) as (container, _):
        track = next((one for one in container.streams.audio if one.codec_context is not None), None)
        if track is None:
            return
        resampler, made_for = AudioResampler(_FORMAT, _LAYOUT, _RATE_HZ), None
        zero_s, ended = timing.zero_s, 0
        for packet in packets(container, track):
            for frame in _or_nothing(packet.decode):
                if frame.time is None:
                    continue
                kind = (frame.format.name, frame.layout.name, frame.sample_rate)
                if kind != made_for:
                    resampler, made_for = AudioResampler(_FORMAT, _LAYOUT, _RATE_HZ), kind
                begins = round((frame.time - zero_s) * _RATE_HZ)
                if abs(begins) >= _MOST_SAMPLES:
                    continue
                if timing.can_restart and begins < ended - _RESTART:  # continue like the clock of the pictures
                    zero_s, begins = frame.time - ended / _RATE_HZ, ended
                for part in _or_nothing(partial(resampler.resample, frame)):
                    samples = part.to_ndarray().astype(np.float32, copy=False)
                    yield begins, samples
                    begins += samples.shape[1]
                    ended = begins


def _or_nothing(work: Callable[[], list[AudioFrame]]) -> list[AudioFrame]:
    """Return the frames, or none if the sound is damaged, which leaves a gap."""
    try:
        return work()
    except MemoryError:  # some FFmpeg errors are MemoryErrors too
        raise
    except av.FFmpegError:
        return []


class SoundTrack:
    """The audio track of a file that is being written.

    Args:
        container: the file, still empty.
        sound: from ``read_sound``.
        first: the first item of ``sound``, already taken from it.
    """

    def __init__(
        self, container: OutputContainer, sound: Iterator[tuple[int, Samples]], first: tuple[int, Samples]
    ) -> None:
        self._stream: AudioStream = container.add_stream("aac", rate=_RATE_HZ, layout=_LAYOUT)
        self._stream.codec_context.bit_rate = _BITS_PER_S
        self._sound = sound
        self._next: tuple[int, Samples] | None = first
        self._waiting: Samples = _silence(0)
        # the track begins with its first samples: silence before them may be hours long in a piece of a recording
        self._encoded = max(0, first[0])
        self._is_silent = True

    def until(self, end_s: float) -> Iterator[Packet[AudioStream]]:
        """Encode the sound before this time, except for the last samples that do not fill an AAC frame."""
        end = round(end_s * _RATE_HZ)
        position = self._encoded + self._waiting.shape[1]
        while position < end:
            silent_until = end if self._next is None else min(end, self._next[0])
            if silent_until - position > _LONGEST_SILENCE:
                yield from self._leave_out_until(silent_until)
                position = silent_until
                continue
            # a second at a time: silence between two pictures of a time-lapse may last for hours
            position = min(end, position + _RATE_HZ)
            self._collect(position)
            while self._waiting.shape[1] >= _SAMPLES_A_FRAME:
                now, self._waiting = self._waiting[:, :_SAMPLES_A_FRAME], self._waiting[:, _SAMPLES_A_FRAME:]
                yield from self._encode(now)

    def _leave_out_until(self, end: int) -> Iterator[Packet[AudioStream]]:
        """End the last AAC frame with silence, and go on at this position; the track has nothing in between."""
        if self._waiting.shape[1]:
            yield from self._encode(np.hstack((self._waiting, _silence(_SAMPLES_A_FRAME - self._waiting.shape[1]))))
        self._waiting, self._encoded, self._is_silent = _silence(0), end, True

    def finish(self, end_s: float) -> Iterator[Packet[AudioStream]]:
        """Encode the rest of the sound up to the end of the last picture."""
        yield from self.until(end_s)
        rest = self._waiting[:, : max(0, round(end_s * _RATE_HZ) - self._encoded)]
        if rest.shape[1]:
            yield from self._encode(np.hstack((rest, _silence(_SAMPLES_A_FRAME - rest.shape[1]))))
        yield from self._stream.encode(None)

    def _collect(self, end: int) -> None:
        """Collect the samples before this position; cut overlaps and fill gaps with silence."""
        parts = [self._waiting]
        position = self._encoded + self._waiting.shape[1]
        while position < end and self._next is not None:
            begins, samples = self._next
            drift = 0 if self._is_silent else _DRIFT  # after silence, there are no samples to join
            self._is_silent = begins > position + drift
            if self._is_silent:
                samples = _silence(min(begins, end) - position)
            else:
                if begins < position - drift:
                    samples = samples[:, position - begins :]
                self._next = next(self._sound, None)
            parts.append(samples)
            position += samples.shape[1]
        self._waiting = np.hstack(parts)

    def _encode(self, samples: Samples) -> Iterator[Packet[AudioStream]]:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), _FORMAT, _LAYOUT)
        frame.sample_rate, frame.pts = _RATE_HZ, self._encoded
        self._encoded += _SAMPLES_A_FRAME
        yield from self._stream.encode(frame)


def _silence(samples: int) -> Samples:
    return np.zeros((_CHANNELS, samples), np.float32)
