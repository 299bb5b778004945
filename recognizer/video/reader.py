"""Read a video: its facts, then its upright frames with their times, in one pass and with little memory."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.settings import DEFAULT_FRAME_RATE_HZ
from recognizer.types import Frame, VideoInfo
from recognizer.video.clock import PresentationClock
from recognizer.video.container import Inspection, inspect, open_container, packets
from recognizer.video.damage import DamageLog, pauses
from recognizer.video.deinterlacing import Deinterlacer, codes_fields
from recognizer.video.diagnosis import display_name
from recognizer.video.picture import PictureConverter, PixelAspect, fitting_wh
from recognizer.video.sound import Samples, read_sound
from recognizer.video.source import VideoInput, source_of

FrameFilter = Callable[[int, float], bool]
"""Takes a frame's index and its time in seconds; returns whether to convert and yield the frame."""

_EARLY_END_S = 0.5
_EARLY_END_SHARE = 0.05
"""A file counts as cut off if it is shorter than its container claims by more than both."""


class VideoReader:
    """One video file, opened by :func:`open_video`.

    Each call of :meth:`frames` reads the file from the start and resets ``notes``, ``progress``, ``reading`` and
    ``frame_times_s``. Memory does not grow with the length of the video, except for eight bytes per frame for its time.

    Attributes:
        notes: sentences for users about problems in the file; complete after the last frame.
        progress: estimated share of the file that has been read, 0 to 1.
        reading: how the file is read; what is known at opening, complete after the last frame.
    """

    def __init__(self, path: Path, shown: str, inspection: Inspection) -> None:
        self.notes: list[str] = []
        self.progress = 0.0
        self.reading = inspection.reading
        self._path = path
        self._shown = shown
        self._inspection = inspection
        self._info = inspection.info
        self._size_wh = self._info.width, self._info.height
        self._times_s = array("d")
        self._closed = False
        self._passes: list[Iterator[Frame]] = []

    @property
    def facts(self) -> VideoInfo:
        """The facts without computing a hash: ``sha256`` is None unless the caller passed it."""
        return self._info

    @property
    def info(self) -> VideoInfo:
        """The facts of the file. The first access reads the whole file for its hash, unless the caller passed it."""
        if self._info.sha256 is None:
            try:
                with self._path.open("rb") as file:
                    self._info = replace(self._info, sha256=hashlib.file_digest(file, "sha256").hexdigest())
            except OSError as error:
                raise VideoError(f"{self._shown} can no longer be read; keep it in place until the end.") from error
        return self._info

    @property
    def frame_times_s(self) -> NDArray[np.float64]:
        """Times of all frames decoded so far, selected or not: float64 (frames,), strictly increasing."""
        return np.array(self._times_s, np.float64)

    def frames(self, select: FrameFilter | None = None, *, max_height_px: int | None = None) -> Iterator[Frame]:
        """Yield the frames that ``select`` accepts (None: all), in display order.

        A picture is what a player shows: upright, with square pixels, deinterlaced where the file flags it, and HDR
        mapped to BT.709. Every frame is decoded and counted, but only selected ones are converted to RGB, which is half
        the work. All have the size of the first: if size or shape change within a file, later pictures are fitted into
        it, with black borders, so that boxes stay comparable. Pictures taller than ``max_height_px`` are scaled down.

        Packets that cannot be decoded are skipped; ``reading`` tells where.

        Raises:
            VideoError: no frame can be decoded.
        """
        if self._closed:
            raise ValueError("the video is closed")
        frames = self._frames(select, max_height_px)
        self._passes.append(frames)
        return frames

    def fit_into(self, width: int, height: int) -> None:
        """Let pictures have this size from now on, with black borders if their shape is another."""
        self._size_wh = width, height

    def sound(self) -> Iterator[tuple[int, Samples]]:
        """Yield the sound, if any, for a ``VideoWriter``. Reads the file separately from ``frames``."""
        return read_sound(self._path, self._shown, self._inspection.stream, self._inspection.timing)

    def close(self) -> None:
        """Stop all reading and close the file. Can be called twice."""
        self._closed = True
        for one in self._passes:
            try:
                one.close()  # type: ignore[attr-defined]  # they are generators
            except ValueError:
                # it is running in another thread, and stops at the next packet
                continue
        self._passes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _frames(self, select: FrameFilter | None, max_height_px: int | None) -> Iterator[Frame]:
        self.notes, self.progress, self._times_s = [], 0.0, array("d")
        self.reading = self._inspection.reading
        # local names, because another call of frames() replaces the attributes
        notes, times_s = self.notes, self._times_s
        interval_s = 1.0 / float(self._info.frame_rate or DEFAULT_FRAME_RATE_HZ)
        timing = self._inspection.timing
        clock = PresentationClock(interval_s, self._info.duration_s, timing.zero_s)
        size_wh = fitting_wh(*self._size_wh, max_height_px)
        end_s = 0.0
        with open_container(self._path, self._shown, self._inspection.stream) as (container, stream):
            stream.thread_type = "AUTO"
            damage = DamageLog()
            decoder = _Decoder(container, stream, damage)
            pictures = _Pictures(size_wh, Deinterlacer(codes_fields=codes_fields(stream)), notes)
            aspect = PixelAspect(stream)
            for frame in decoder:
                if self._closed:
                    return
                index = len(times_s)
                base = frame.time_base or stream.time_base or Fraction(1, 1000)
                if timing.counts_frames:
                    time_s = index * interval_s
                else:
                    time_s = clock.time_s(_seconds(frame.pts, base), _seconds(frame.dts, base))
                times_s.append(time_s)
                end_s = time_s + max(float(frame.duration * base), interval_s)
                self.progress = self._share(time_s, decoder.byte_position)
                is_selected = select is None or select(index, time_s)
                yield from pictures.of(frame, _Moment(index, time_s, aspect.of(frame), is_selected))
            yield from pictures.rest()
            if not times_s:
                raise VideoError(f"no picture of {self._shown} can be decoded, it is damaged; copy it again.")
            damaged = damage.spans(times_s, max(end_s, self._info.duration_s or 0.0))
            self.reading = replace(
                self.reading,
                deinterlaced=pictures.are_deinterlaced,
                letterboxed_from_s=pictures.letterboxed_from_s,
                repaired_stamps=clock.repaired,
                damaged=damaged,
                pauses=pauses(times_s, damaged),
            )
            notes.extend(self._closing_notes(end_s))
            self.progress = 1.0

    def _share(self, time_s: float, byte_position: int) -> float:
        duration_s = self._info.duration_s
        if duration_s and not self._inspection.timing.can_restart:
            share = time_s / duration_s
        else:
            share = byte_position / max(1, self._path.stat().st_size)
        return min(1.0, max(self.progress, share))

    def _closing_notes(self, end_s: float) -> Iterator[str]:
        duration_s = self._info.duration_s
        if duration_s is not None and self._inspection.timing.end_is_of_pictures:
            missing_s, length_s = duration_s - end_s, duration_s - self.reading.first_picture_s
            if missing_s > _EARLY_END_S and missing_s > _EARLY_END_SHARE * length_s:
                yield f"The file ends early: {end_s:.1f} of {duration_s:.1f} s could be read."


@dataclass(frozen=True)
class _Moment:
    """What is known about a decoded frame when it enters ``_Pictures``."""

    index: int
    time_s: float
    pixel_aspect: Fraction
    is_selected: bool


class _Pictures:
    """Turn decoded frames into pictures as a player shows them: whole, square, upright, of one size.

    Attributes:
        letterboxed_from_s: time of the first picture with borders; None if there is none.
    """

    def __init__(self, size_wh: tuple[int, int], deinterlacer: Deinterlacer[_Moment], notes: list[str]) -> None:
        self.letterboxed_from_s: float | None = None
        self._deinterlacer = deinterlacer
        self._converter = PictureConverter(size_wh)
        self._notes = notes
        self._first_wh: tuple[int, int] | None = None
        self._is_resized = False

    @property
    def are_deinterlaced(self) -> bool:
        """Whether a picture was deinterlaced."""
        return self._deinterlacer.used

    def of(self, frame: VideoFrame, moment: _Moment) -> Iterator[Frame]:
        """Take a decoded frame; yield the selected pictures that are ready."""
        if not self._is_resized:
            self._watch_size(frame, moment.time_s)
        return self._converted(self._deinterlacer.feed(frame, moment))

    def rest(self) -> Iterator[Frame]:
        """Yield the last pictures."""
        return self._converted(self._deinterlacer.rest())

    def _converted(self, ready: list[tuple[VideoFrame, _Moment]]) -> Iterator[Frame]:
        for frame, moment in ready:
            if moment.is_selected:
                rgb = self._converter.upright_rgb(frame, moment.pixel_aspect)
                if self.letterboxed_from_s is None and self._converter.letterboxes:
                    self.letterboxed_from_s = moment.time_s
                yield Frame(moment.index, moment.time_s, rgb)

    def _watch_size(self, frame: VideoFrame, time_s: float) -> None:
        wh = (frame.width, frame.height)
        if self._first_wh is None:
            self._first_wh = wh
        elif wh != self._first_wh:
            self._is_resized = True
            self._notes.append(
                f"The picture size changes from {self._first_wh[0]} × {self._first_wh[1]} to {wh[0]} × {wh[1]} at"
                f" {time_s:.1f} s; later pictures are fitted into the first size."
            )


def open_video(
    path: VideoInput,
    *,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
    stream: int | None = None,
    frame_rate_hz: float | None = None,
) -> VideoReader:
    """Open a video file for reading; use it in a ``with`` block.

    Args:
        path: a local file, or a source: its parts are read as one video, and its choices apply. A file is never treated
            as an address, and no other file is read, whatever its content.
        max_file_bytes: larger files are refused.
        sha256: the file's hash, if known; otherwise ``VideoReader.info`` computes it.
        name: the user's name for the file, used in messages (an upload is stored under another name).
        stream: number of a video stream among all streams of the file, as in ``Reading.other_streams``; None for the
            one that a player shows.
        frame_rate_hz: frames per second of a raw stream (``.h264``, ``.hevc``, …), which has no time stamps; None for
            the rate in its own header, or 25. A file with time stamps keeps them.

    Raises:
        VideoError: the file is not a readable video; the message says why.
    """
    source = source_of(path)
    source = replace(
        source,
        stream=source.stream if stream is None else stream,
        frame_rate_hz=frame_rate_hz or source.frame_rate_hz,
    )
    if len(source.paths) > 1:
        from recognizer.video.recording import open_recording

        return open_recording(source, max_file_bytes=max_file_bytes, sha256=sha256)
    (file,) = source.paths
    shown = display_name(source.name if name is None else name)
    inspection = inspect(
        file,
        shown,
        sha256=sha256,
        max_file_bytes=max_file_bytes,
        stream=source.stream,
        frame_rate_hz=source.frame_rate_hz,
    )
    return VideoReader(file, shown, inspection)


def probe(
    path: str | os.PathLike[str], *, sha256: str | None = None, name: str | None = None, stream: int | None = None
) -> VideoInfo:
    """Return the facts of a video quickly: decode one frame and do not compute its hash.

    Raises:
        VideoError: the file is not a readable video; the message says why.
    """
    return inspect(Path(path), display_name(path if name is None else name), sha256=sha256, stream=stream).info


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
        for packet in packets(self._container, self._stream):
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
