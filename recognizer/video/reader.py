"""Read a video: its facts, then its upright frames with their times, in one pass and with little memory."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognizer import processes
from recognizer.errors import VideoError
from recognizer.types import Frame, Reading, VideoInfo
from recognizer.video.decoding import FrameFilter, FrameStream, Order, State, Stop, decoded_here
from recognizer.video.decoding_elsewhere import decoded_elsewhere, sound_elsewhere
from recognizer.video.facts import Inspection
from recognizer.video.picture import fitting_wh
from recognizer.video.sound import Samples, read_sound


class VideoReader:
    """One video file, opened by ``opening.open_video``.

    Each call of :meth:`frames` reads the file from the start and resets ``notes``, ``progress``, ``reading`` and
    ``frame_times_s``. Memory does not grow with the length of the video, except for eight bytes per frame for its time.
    """

    def __init__(self, path: Path, shown: str, inspection: Inspection) -> None:
        self._state = State(inspection.reading)
        self._path = path
        self._shown = shown
        self._inspection = inspection
        self._info = inspection.info
        self._size_wh = self._info.width, self._info.height
        self._closed = False
        self._passes: list[FrameStream] = []

    @property
    def facts(self) -> VideoInfo:
        """The facts without computing a hash: ``sha256`` is None unless the caller passed it."""
        return self._info

    @property
    def info(self) -> VideoInfo:
        """The facts of the file. The first access reads the whole file for its hash, unless the caller passed it.

        Raises:
            VideoError: the file can no longer be read.
        """
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
        return np.array(self._state.times_s, np.float64)

    @property
    def notes(self) -> list[str]:
        """Sentences for users about problems in the file; complete after the last frame."""
        return self._state.notes

    @property
    def progress(self) -> float:
        """Estimated share of the file that has been read, 0 to 1."""
        return self._state.progress

    @property
    def reading(self) -> Reading:
        """How the file is read; what is known at opening, complete after the last frame."""
        return self._state.reading

    def frames(self, select: FrameFilter | None = None, *, max_height_px: int | None = None) -> FrameStream:
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
        stop = Stop()
        stream = FrameStream(self._frames(select, max_height_px, stop), stop)
        self._passes.append(stream)
        return stream

    def fit_into(self, width: int, height: int) -> None:
        """Let pictures have this size from now on, with black borders if their shape is another."""
        self._size_wh = width, height

    def sound(self) -> Iterator[tuple[int, Samples]]:
        """Yield the sound, if any, for a ``VideoWriter``. Reads the file separately from ``frames``."""
        read = sound_elsewhere if processes.are_used() else read_sound
        return read(self._path, self._shown, self._inspection.stream, self._inspection.timing)

    def close(self) -> None:
        """Stop all reading and close the file. Can be called twice."""
        self._closed = True
        for one in self._passes:
            one.stop()
            try:
                one.close()
            except ValueError:
                # it is running in another thread, and stops at the next picture
                continue
        self._passes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _frames(self, select: FrameFilter | None, max_height_px: int | None, stop: Stop) -> Generator[Frame]:
        self._state = state = State(self._inspection.reading)
        order = Order(self._path, self._shown, self._inspection, fitting_wh(*self._size_wh, max_height_px))
        decoded = decoded_elsewhere if processes.are_used() else decoded_here
        yield from decoded(order, state, select, stop)
