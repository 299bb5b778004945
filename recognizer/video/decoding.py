"""Decode a file from the start: its pictures in display order with their times, and how it was read."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.settings import DEFAULT_FRAME_RATE_HZ
from recognizer.types import Frame, Reading
from recognizer.video.clock import PresentationClock
from recognizer.video.container import open_container, packets
from recognizer.video.damage import DamageLog, pauses
from recognizer.video.deinterlacing import Deinterlacer, codes_fields
from recognizer.video.facts import Inspection
from recognizer.video.picture import PictureConverter, PixelAspect

FrameFilter = Callable[[int, float], bool]
"""Takes a frame's index and its time in seconds; returns whether to convert and yield the frame."""

_LARGE_PX = 16_000_000
"""FFmpeg's threads work on one larger picture at a time: otherwise each holds one more in memory."""

_EARLY_END_S = 0.5
_EARLY_END_SHARE = 0.05
"""A file counts as cut off if it is shorter than its container claims by more than both."""


@dataclass(frozen=True)
class Order:
    """An order to decode a file.

    Attributes:
        path: the file.
        shown: its name in messages.
        inspection: its facts.
        size_wh: width and height of the pictures to make.
    """

    path: Path
    shown: str
    inspection: Inspection
    size_wh: tuple[int, int]


@dataclass
class State:
    """The state of a pass through a file.

    Attributes:
        reading: how the file is read; what is known at opening, complete after the last picture.
        notes: sentences for users about problems in the file.
        progress: estimated share of the file that has been read, 0 to 1.
        times_s: times of all pictures decoded so far, strictly increasing.
    """

    reading: Reading
    notes: list[str] = field(default_factory=list)
    progress: float = 0.0
    times_s: array[float] = field(default_factory=lambda: array("d"))


class Stop:
    """Asks a pass to end at its next picture, from any thread."""

    def __init__(self) -> None:
        self._is_asked = False
        self._calls: list[Callable[[], None]] = []

    def __call__(self) -> None:
        """Ask it to end."""
        self._is_asked = True
        for call in tuple(self._calls):
            call()

    def __bool__(self) -> bool:
        return self._is_asked

    def also(self, call: Callable[[], None]) -> None:
        """Call this, too, when the pass is asked to end; at once if it was."""
        self._calls.append(call)
        if self._is_asked:
            call()

    def no_longer(self, call: Callable[[], None]) -> None:
        """Take back what was said to ``also``."""
        self._calls.remove(call)


class FrameStream(Iterator[Frame]):
    """The frames of one pass through a video."""

    def __init__(self, frames: Generator[Frame], stop: Stop) -> None:
        self.stop = stop
        self._frames = frames

    def __next__(self) -> Frame:
        return next(self._frames)

    def close(self) -> None:
        """End the pass and free what it holds. Only the thread that takes the frames may call it; others ``stop``."""
        self._frames.close()


@dataclass(frozen=True)
class Picture:
    """A decoded picture that is not converted yet.

    Attributes:
        index: 0 for the first picture of the file.
        time_s: its time on the file's clock.
    """

    index: int
    time_s: float
    _frame: VideoFrame
    _pixel_aspect: Fraction


@dataclass(frozen=True)
class _End:
    """The facts that only the end of a pass tells."""

    damage: DamageLog
    end_s: float
    deinterlaced: bool
    repaired_stamps: int


class Decoding:
    """One pass through a file.

    Args:
        order: what to decode.
        state: is kept up to date.
    """

    def __init__(self, order: Order, state: State) -> None:
        self._order = order
        self._state = state
        self._converter = PictureConverter(order.size_wh)
        self._letterboxed_from_s: float | None = None
        self._end: _End | None = None

    def pictures(self, stop: Stop) -> Iterator[Picture]:
        """Yield all pictures in display order until ``stop``.

        Packets that cannot be decoded are skipped; the state's ``reading`` tells where.

        Raises:
            VideoError: no picture can be decoded.
        """
        order, state = self._order, self._state
        timing, info = order.inspection.timing, order.inspection.info
        interval_s = 1.0 / float(info.frame_rate or DEFAULT_FRAME_RATE_HZ)
        clock = PresentationClock(interval_s, info.duration_s, timing.zero_s)
        end_s = 0.0
        with open_container(order.path, order.shown, order.inspection.stream) as (container, stream):
            stream.thread_type = "AUTO" if stream.width * stream.height <= _LARGE_PX else "SLICE"
            damage = DamageLog()
            decoder = _Decoder(container, stream, damage)
            sizes = _SizeWatch(state.notes)
            deinterlacer: Deinterlacer[tuple[int, float, Fraction]] = Deinterlacer(codes_fields=codes_fields(stream))
            aspect = PixelAspect(stream)
            for frame in decoder:
                if stop:
                    return
                index = len(state.times_s)
                base = frame.time_base or stream.time_base or Fraction(1, 1000)
                if timing.counts_frames:
                    time_s = index * interval_s
                else:
                    time_s = clock.time_s(_seconds(frame.pts, base), _seconds(frame.dts, base))
                state.times_s.append(time_s)
                end_s = time_s + max(float(frame.duration * base), interval_s)
                state.progress = self._share(time_s, decoder.byte_position)
                sizes.see(frame, time_s)
                for ready, tag in deinterlacer.feed(frame, (index, time_s, aspect.of(frame))):
                    yield Picture(tag[0], tag[1], ready, tag[2])
            for ready, tag in deinterlacer.rest():
                yield Picture(tag[0], tag[1], ready, tag[2])
        if not state.times_s:
            raise VideoError(f"no picture of {order.shown} can be decoded, it is damaged; copy it again.")
        self._end = _End(damage, end_s, deinterlacer.used, clock.repaired)

    def finish(self) -> None:
        """Complete the state; call this after the last picture was converted. Does nothing if the pass was stopped."""
        state, end = self._state, self._end
        if end is None:
            return
        damaged = end.damage.spans(state.times_s, max(end.end_s, self._order.inspection.info.duration_s or 0.0))
        state.reading = replace(
            state.reading,
            deinterlaced=end.deinterlaced,
            letterboxed_from_s=self._letterboxed_from_s,
            repaired_stamps=end.repaired_stamps,
            damaged=damaged,
            pauses=pauses(state.times_s, damaged),
        )
        state.notes.extend(self._closing_notes(end.end_s))
        state.progress = 1.0

    def rgb(self, picture: Picture) -> NDArray[np.uint8]:
        """Return the picture as a player shows it, uint8 (H, W, 3): square, upright, of the ordered size."""
        rgb = self._converter.upright_rgb(picture._frame, picture._pixel_aspect)
        self._watch_shape(picture)
        return rgb

    def write_rgb(self, picture: Picture, into_rgb: NDArray[np.uint8]) -> None:
        """Write the same into an array of that size."""
        self._converter.write(picture._frame, into_rgb, picture._pixel_aspect)
        self._watch_shape(picture)

    def _watch_shape(self, picture: Picture) -> None:
        if self._letterboxed_from_s is None and self._converter.letterboxes:
            self._letterboxed_from_s = picture.time_s

    def _share(self, time_s: float, byte_position: int) -> float:
        duration_s = self._order.inspection.info.duration_s
        if duration_s and not self._order.inspection.timing.can_restart:
            share = time_s / duration_s
        else:
            share = byte_position / max(1, self._order.path.stat().st_size)
        return min(1.0, max(self._state.progress, share))

    def _closing_notes(self, end_s: float) -> Iterator[str]:
        duration_s = self._order.inspection.info.duration_s
        if duration_s is not None and self._order.inspection.timing.end_is_of_pictures:
            missing_s, length_s = duration_s - end_s, duration_s - self._state.reading.first_picture_s
            if missing_s > _EARLY_END_S and missing_s > _EARLY_END_SHARE * length_s:
                yield f"The file ends early: {end_s:.1f} of {duration_s:.1f} s could be read."


def decoded_here(order: Order, state: State, select: FrameFilter | None, stop: Stop) -> Iterator[Frame]:
    """Yield the frames that ``select`` accepts, decoded in this process; see ``VideoReader.frames``."""
    decoding = Decoding(order, state)
    for picture in decoding.pictures(stop):
        if select is None or select(picture.index, picture.time_s):
            yield Frame(picture.index, picture.time_s, decoding.rgb(picture))
    decoding.finish()


class _SizeWatch:
    """Notes the first change of the pictures' size."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._first_wh: tuple[int, int] | None = None
        self._is_resized = False

    def see(self, frame: VideoFrame, time_s: float) -> None:
        if self._is_resized:
            return
        wh = (frame.width, frame.height)
        if self._first_wh is None:
            self._first_wh = wh
        elif wh != self._first_wh:
            self._is_resized = True
            self._notes.append(
                f"The picture size changes from {self._first_wh[0]} × {self._first_wh[1]} to {wh[0]} × {wh[1]} at"
                f" {time_s:.1f} s; later pictures are fitted into the first size."
            )


class _Decoder:
    """Iterate over the frames of a stream; skip packets that cannot be decoded and log them."""

    def __init__(self, container: InputContainer, stream: VideoStream, damage: DamageLog) -> None:
        self.byte_position = 0
        self._damage = damage
        self._frames = 0
        self._container = container
        self._stream = stream

    def __iter__(self) -> Iterator[VideoFrame]:
        waiting: Packet[VideoStream] | None = None
        for packet in packets(self._container, self._stream, lambda: self._damage.packet_failed(self._frames)):
            # the decoder takes an empty packet for the end, but some files have them for dropped frames
            if not packet.size:
                continue
            if waiting is not None:
                yield from self._decode(waiting)
            waiting = packet
        if waiting is not None:
            # a file was cut off in this packet: decoding it would fail and lose the buffered frames
            if waiting.is_corrupt:
                self._damage.packet_failed(self._frames)
            else:
                yield from self._decode(waiting)
        yield from self._decode(None)

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        """Decode a packet and return the frames that are complete; None returns the remaining ones."""
        if packet is not None:
            self.byte_position = packet.pos or self.byte_position
            if packet.is_corrupt:
                self._damage.packet_is_marked(self._frames)
        try:
            frames = self._stream.decode(packet)
        except MemoryError:  # some FFmpeg errors are MemoryErrors too
            raise
        except av.FFmpegError:
            self._damage.packet_failed(self._frames)
            return []
        for frame in frames:
            if frame.is_corrupt:
                self._damage.frame_is_marked(self._frames)
            self._frames += 1
        return frames


def _seconds(stamp: int | None, base: Fraction) -> float | None:
    return None if stamp is None else stamp * base.numerator / base.denominator
