"""Write a video that every browser plays: H.264 (8-bit 4:2:0) and AAC in MP4, with the index at the start."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.files import StagedFile
from recognizer.video.diagnosis import display_name, write_failure
from recognizer.video.remuxing import make_seekable
from recognizer.video.sound import Samples, SoundTrack
from recognizer.video.timing import as_fraction

_log = logging.getLogger(__name__)

_TIME_BASE = Fraction(1, 90_000)
"""MPEG's clock: the frame interval of every usual frame rate is a whole number of ticks, or nearly."""

_IN_FRAGMENTS = {
    "movflags": "+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
"""Options of FFmpeg's MP4 writer: a fragment of at most a second (in microseconds) goes to the disk as a whole."""

_BT709 = 1
_LIMITED_RANGE = 1


class VideoWriter:
    """Write RGB frames with their own times, and optionally sound, to an MP4 file.

    The complete file appears when the writer is closed. Until then the pictures go to a hidden file next to it, which
    is removed by an error in the ``with`` block or by :meth:`abort`. A recording can grow in its place instead.

    H.264 needs even sides, so an odd last row or column is cut off. Pictures are converted to BT.709 and tagged so.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        frame_rate: Fraction | float,
        width: int,
        height: int,
        *,
        crf: int = 23,
        preset: str = "veryfast",
        grows: bool = False,
        sound: Iterator[tuple[int, Samples]] | None = None,
    ) -> None:
        """Start a file.

        Args:
            path: the video; an existing file is replaced at the end.
            frame_rate: frames per second, for the encoder and for the duration of the last frame.
            width: of the frames, in pixels.
            height: of the frames, in pixels.
            crf: quality of x264, 0 to 51; smaller values give better quality and larger files.
            preset: speed of x264, such as ``ultrafast`` or ``veryfast``.
            grows: whether the file appears at once and can be played up to a second or two ago, also after a crash.
            sound: the audio track, from ``VideoReader.sound``; it ends with the last picture.

        Raises:
            VideoError: the file cannot be created, or the file with the sound cannot be read.
        """
        if width < 1 or height < 1:
            raise ValueError(f"a video needs pictures of at least 1 × 1 pixels, got {width} × {height}")
        first = next(sound, None) if sound is not None else None
        self._path = Path(path)
        self._shown = display_name(path)
        self._staged = StagedFile(self._path.absolute().parent, self._path.name)
        self._grows = grows
        self._shape = (height, width, 3)
        self._size_wh = _even_size_wh(width, height)
        self._scaler = VideoReformatter()
        self._last_tick, self._last_s = -1, -inf
        rate = as_fraction(frame_rate)
        self._frame_ticks = max(1, round(1 / (rate * _TIME_BASE)))
        try:
            target = self._path if grows else self._staged.path
            target.touch()  # FFmpeg opens it late; this checks now whether it can be written
            options = _IN_FRAGMENTS if grows else {"movflags": "+faststart"}
            self._container = av.open(f"file:{target}", "w", format="mp4", options=options)
        except (av.FFmpegError, OSError) as error:
            raise write_failure(self._shown, error) from error
        self._open = True
        self._stream = self._start(rate, crf, preset)
        self._sound = SoundTrack(self._container, sound, first) if sound is not None and first is not None else None

    def write(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Append a frame, uint8 (height, width, 3), shown from ``time_s`` on.

        Raises:
            VideoError: the file cannot be written, for example on a full disk.
            ValueError: the frame has another size, or its time is not after the previous one.
        """
        if rgb.shape != self._shape or rgb.dtype != np.uint8:
            raise ValueError(f"the frame must be uint8 {self._shape}, got {rgb.dtype} {rgb.shape}")
        if time_s <= self._last_s:
            raise ValueError(f"frame at {time_s} s is not after the one at {self._last_s} s")
        # a damaged file may have pictures closer together than a tick
        tick = max(round(time_s / _TIME_BASE), self._last_tick + 1)
        self._last_s, self._last_tick = time_s, tick
        frame = self._converted(rgb)
        frame.pts, frame.time_base, frame.duration = tick, _TIME_BASE, self._frame_ticks
        self._mux(lambda: self._stream.encode(frame))
        if (sound := self._sound) is not None:
            self._mux(lambda: sound.until(time_s))

    def close(self) -> None:
        """Complete the file and give it its final name. Can be called twice.

        Raises:
            VideoError: there are no frames, or the file cannot be written; nothing is left behind, except of a growing
                file what was written before (see :meth:`keep`).
        """
        if not self._open:
            return
        try:
            self._finish()
        except VideoError:
            if self._grows:
                self.keep()
            raise
        finally:
            self.abort()

    def _finish(self) -> None:
        try:
            if self._last_tick < 0:
                raise VideoError(f"no picture was written to {self._shown}; give it at least one.")
            self._mux(lambda: self._stream.encode(None))
            if (sound := self._sound) is not None:
                end_s = float((self._last_tick + self._frame_ticks) * _TIME_BASE)
                self._mux(lambda: sound.finish(end_s))
            self._open = False
            self._container.close()
            if self._grows:
                self._give_index()
            else:
                self._staged.commit(self._path)
        except (av.FFmpegError, OSError) as error:
            raise write_failure(self._shown, error) from error

    def keep(self) -> bool:
        """End a growing file after an error: what was written by then stays, and can be played.

        Returns:
            Whether that is any picture; if not, the file is gone.
        """
        if self._open:
            self._let_go()
        if not _has_picture(self._path):
            self._path.unlink(missing_ok=True)
            return False
        self._give_index()
        return True

    def abort(self) -> None:
        """Discard the file; leave nothing behind. Does nothing after :meth:`close`."""
        if self._open:
            self._let_go()
            if self._grows:
                self._path.unlink(missing_ok=True)
        self._staged.discard()

    def _let_go(self) -> None:
        """Close the container, whatever becomes of its end."""
        self._open = False
        try:
            self._container.close()
        except (av.FFmpegError, OSError, ValueError):
            # an empty file has no trailer, and a full disk no room for it
            self._last_tick = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _give_index(self) -> None:
        try:
            make_seekable(self._path)
        except VideoError as error:  # such as no room for a second copy; the fragments can be played, too
            _log.warning("a recording stays in fragments: %s", error)

    def _start(self, rate: Fraction, crf: int, preset: str) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height = self._size_wh
        stream.pix_fmt = "yuv420p"
        # B-frames at irregular times give the container a wrong duration
        stream.options = {"crf": str(crf), "preset": preset, "bf": "0"}
        context = stream.codec_context
        context.time_base = _TIME_BASE
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return stream

    def _converted(self, rgb: NDArray[np.uint8]) -> VideoFrame:
        width, height = self._size_wh
        if 0 <= self._shape[0] - height <= 1 and 0 <= self._shape[1] - width <= 1:
            rgb = rgb[:height, :width]
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        return self._scaler.reformat(
            frame,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=_LIMITED_RANGE,
        )

    def _mux(self, encode: Callable[[], Iterable[Packet[Any]]]) -> None:
        try:
            for packet in encode():
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            raise write_failure(self._shown, error) from error


def _has_picture(path: Path) -> bool:
    """Return whether a file of this writer holds a whole picture."""
    try:
        with av.open(f"file:{path}", format="mp4") as container:
            return next(container.decode(video=0), None) is not None
    except (av.FFmpegError, OSError, IndexError):  # it ends before its first picture does
        return False


def _even_size_wh(width: int, height: int) -> tuple[int, int]:
    return max(2, width // 2 * 2), max(2, height // 2 * 2)
