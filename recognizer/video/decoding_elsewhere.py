"""Decode in another process what ``container``, ``decoding``, ``still`` and ``sound`` decode in this one.

A decoder that crashes, stands still or wants too much memory is a ``VideoError`` for the video that it read, and for
no other.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer.errors import VideoError
from recognizer.limits import exceeded, limits
from recognizer.types import Frame
from recognizer.video import messages
from recognizer.video.decoding import FrameFilter, Order, State, Stop
from recognizer.video.facts import Inspection, Timing
from recognizer.video.messages import AnswerContent
from recognizer.video.picture import MAX_SIDE_PX
from recognizer.video.prefetch import frames_ahead
from recognizer.video.shared_pictures import PictureSlots
from recognizer.video.workers import DecoderGoneError, Worker, workers

_log = logging.getLogger(__name__)

_MOST_AHEAD: Final = 8
"""Most pictures that a decoder may convert before they are asked for. It gets half of them at a time, because for
small pictures the messages cost as much as the decoding; at first fewer, because many readers take only one."""

_CONVERT: Final = "convert it to H.264 in an MP4 file"
_CHECK_CAMERA: Final = "check the camera, or have it send H.264 or MJPEG"

_SPARE: Final = 2
"""With fewer free slots, a picture is copied: whoever holds so many may hold them for good."""


def inspected_elsewhere(
    path: Path, shown: str, *, sha256: str | None, stream: int | None, frame_rate_hz: float | None
) -> Inspection:
    """Return a file's facts; see ``container.inspect``.

    Raises:
        VideoError: the file is not a readable video, or its decoder failed.
    """
    with _decoder(shown) as worker:
        worker.begin(messages.Inspect(_absolute(path), shown, sha256, stream, frame_rate_hz))
        answer = _heard(worker, shown)
        if not isinstance(answer, messages.Inspected):
            raise _unfit(worker, answer)
        return answer.inspection


def decoded_elsewhere(order: Order, state: State, select: FrameFilter | None, stop: Stop) -> Iterator[Frame]:
    """Yield the frames that ``select`` accepts; see ``decoding.decoded_here``. Others do not leave the decoder.

    ``select`` is called on the thread that takes the frames, for a few frames at once before they are converted.

    Raises:
        VideoError: no frame can be decoded, or the decoder failed.
    """
    try:
        with _decoder(order.shown) as worker, _slots(order.size_wh, _most_slots(order.size_wh)) as slots:
            worker.begin(
                messages.Decode(
                    _absolute(order.path),
                    order.shown,
                    order.inspection,
                    order.size_wh,
                    asks=select is not None,
                    slots=_lent(worker, slots),
                )
            )
            halt = partial(worker.halt, worker.work)
            stop.also(halt)
            try:
                yield from _Arrivals(worker, slots, order, state, select).frames(stop)
            finally:
                stop.no_longer(halt)
    except VideoError:
        if not stop:
            raise


def still_elsewhere(path: Path, shown: str, inspection: Inspection, time_s: float) -> NDArray[np.uint8]:
    """Return one picture; see ``still.still``.

    Raises:
        VideoError: the file has no picture there, or its decoder failed.
    """
    width, height = inspection.info.width, inspection.info.height
    with _decoder(shown) as worker, _slots((width, height), 1) as slots:
        worker.begin(messages.FindStill(_absolute(path), shown, inspection, time_s, _lent(worker, slots)))
        answer = _heard(worker, shown)
        if not isinstance(answer, messages.Converted):
            raise _unfit(worker, answer)
        return slots.picture(slots.take(), (height, width, 3))


def sound_elsewhere(path: Path, shown: str, stream: int, timing: Timing) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the sound; see ``sound.read_sound``.

    Raises:
        VideoError: the file can no longer be opened, or its decoder failed.
    """
    with _decoder(shown) as worker:
        worker.begin(messages.ReadSound(_absolute(path), shown, stream, timing))
        while not isinstance(answer := _heard(worker, shown), messages.Ended):
            if not isinstance(answer, messages.Heard) or len(answer.samples) % _BYTES_A_SAMPLE:
                raise _unfit(worker, answer)
            yield answer.position, np.frombuffer(answer.samples, np.float32).reshape(2, -1)


class CameraRelay(Protocol):
    """A connection to a camera, which passes on to a decoder what comes.

    Attributes:
        order: asks a decoder for the pictures.
        problem: what is wrong with the camera, if the relay knows; it takes the place of what the decoder says.
    """

    order: messages.Watch
    problem: VideoError | None

    def expect(self) -> None:
        """Begin the wait for the next picture."""

    def close(self) -> None:
        """End the connection; the decoder's reading ends with it."""


def watched_elsewhere(shown: str, connect: Callable[[], CameraRelay]) -> Iterator[Frame]:
    """Yield a camera's pictures as they arrive; see ``camera_pictures.watched``.

    Args:
        shown: the camera, for messages.
        connect: connects to it.

    Raises:
        VideoError: there is no picture, no more, or the decoder failed.
        OSError, http.client.HTTPException: there is no connection.
    """
    # the relay closes first, so that the decoder does not wait for the camera
    with _decoder(shown, _CHECK_CAMERA) as worker, closing(connect()) as relay:
        try:
            worker.begin(relay.order)
            yield from _live(worker, relay)
        except VideoError as error:
            raise relay.problem or error from error


def _live(worker: Worker, relay: CameraRelay) -> Iterator[Frame]:
    shown, most_px = relay.order.shown, relay.order.max_height_px
    opened = _heard(worker, shown)
    if isinstance(opened, messages.Ended):
        return
    if not isinstance(opened, messages.Opened) or not (
        0 < opened.width <= MAX_SIDE_PX and 0 < opened.height <= most_px
    ):
        raise _unfit(worker, opened)
    with _slots((opened.width, opened.height), _CAMERA_SLOTS) as slots:
        worker.say(messages.Lend(_lent(worker, slots)))
        number, there = 0, {slots.take() for _ in range(_CAMERA_SLOTS)}
        worker.say(messages.Use(list(there)))
        while not isinstance(answer := _heard(worker, shown), messages.Ended):
            fits = isinstance(answer, messages.Converted) and answer.slot in there and answer.index == number
            if not isinstance(answer, messages.Converted) or not fits or not math.isfinite(answer.time_s):
                raise _unfit(worker, answer)
            relay.expect()
            # whoever takes it may keep it, for a recording for example
            rgb = slots.picture(answer.slot, (opened.height, opened.width, 3)).copy()
            there.discard(answer.slot)
            there.add(slot := slots.take())
            worker.say(messages.Use([slot]))
            yield Frame(number, answer.time_s, rgb)
            number += 1


_CAMERA_SLOTS: Final = 2
"""The decoder writes into one while the other is copied; with more, pictures would wait and be late."""

_BYTES_A_SAMPLE: Final = 8
"""Two channels of float32."""


class _Arrivals:
    """The pictures of one pass, as they come from a decoder."""

    def __init__(
        self, worker: Worker, slots: PictureSlots, order: Order, state: State, select: FrameFilter | None
    ) -> None:
        self._worker = worker
        self._slots = slots
        self._order = order
        self._state = state
        self._select = select
        self._shape = (order.size_wh[1], order.size_wh[0], 3)
        self._there: set[int] = set()
        self._ahead, self._most_ahead = 1, _ahead(order.size_wh)
        self._wanted_after = -1

    def frames(self, stop: Stop) -> Iterator[Frame]:
        while not stop:
            self._offer()
            answer = _heard(self._worker, self._order.shown)
            match answer:
                case messages.Decoded():
                    self._choose(answer)
                case messages.Converted():
                    yield self._taken(answer)
                case messages.Noted(notes):
                    self._state.notes += notes
                case messages.Ended(reading):
                    if reading is not None:
                        self._state.reading, self._state.progress = reading, 1.0
                    elif not stop:  # what came so far would pass for the whole file
                        raise _unfit(self._worker, answer)
                    return
                case _:
                    raise _unfit(self._worker, answer)

    def _offer(self) -> None:
        """Let the decoder write into some free slots."""
        if len(self._there) > self._ahead // 2:
            return
        offered = [self._slots.take() for _ in range(min(self._ahead - len(self._there), self._slots.free))]
        if offered:
            self._there.update(offered)
            self._worker.say(messages.Use(offered))
            self._ahead = min(2 * self._ahead, self._most_ahead)

    def _choose(self, decoded: messages.Decoded) -> None:
        assert self._select is not None, "without a choice to make, no decoder asks"
        wanted = []
        for time_s in decoded.times_s:
            wanted.append(self._select(len(self._state.times_s), self._next_time(time_s)))
            self._state.times_s.append(time_s)
        self._state.progress = decoded.progress
        self._worker.say(messages.Chosen(wanted))

    def _taken(self, picture: messages.Converted) -> Frame:
        """Return the picture in a slot; copy it if slots are scarce, because nobody knows when it is let go."""
        if picture.slot not in self._there or picture.index <= self._wanted_after:
            raise _unfit(self._worker, picture)
        self._there.discard(picture.slot)
        self._wanted_after = picture.index
        if self._select is None:
            if picture.index != len(self._state.times_s):
                raise _unfit(self._worker, picture)
            self._state.times_s.append(self._next_time(picture.time_s))
            self._state.progress = picture.progress
        elif picture.index >= len(self._state.times_s):
            raise _unfit(self._worker, picture)
        rgb = self._slots.picture(picture.slot, self._shape)
        if self._slots.free < _SPARE:
            rgb = rgb.copy()
        return Frame(picture.index, self._state.times_s[picture.index], rgb)

    def _next_time(self, time_s: float) -> float:
        """Return the time of the next picture, which must be after the one before."""
        before_s = self._state.times_s[-1] if self._state.times_s else -math.inf
        if not before_s < time_s < math.inf:
            raise _unfit(self._worker, time_s)
        return time_s


def _ahead(size_wh: tuple[int, int]) -> int:
    """Return how many pictures a decoder may convert before they are asked for."""
    return max(1, min(_MOST_AHEAD, frames_ahead(*size_wh) // 2))


def _most_slots(size_wh: tuple[int, int]) -> int:
    """Return how many pictures may be in use without being copied: those that wait for an analysis and that it works
    on, and those that the decoder is ahead. A slot takes memory once it is used."""
    return 2 * frames_ahead(*size_wh) + _ahead(size_wh) + _SPARE


@contextmanager
def _slots(size_wh: tuple[int, int], count: int) -> Iterator[PictureSlots]:
    slots = PictureSlots(count, 3 * size_wh[0] * size_wh[1])
    try:
        yield slots
    finally:
        slots.close()


def _lent(worker: Worker, slots: PictureSlots) -> messages.Slots:
    """Give a decoder access to the slots; return what it needs to know about them."""
    if slots.file is None:
        worker.give_descriptor(slots.descriptor)
    return messages.Slots(slots.file, slots.count, slots.slot_bytes)


@contextmanager
def _decoder(shown: str, remedy: str = _CONVERT) -> Iterator[Worker]:
    """Lend a decoder; turn its end into a sentence about what it read."""
    with workers().lent() as worker:
        try:
            yield worker
        except DecoderGoneError as error:
            _log.warning("the decoder of %s has gone: %s", shown, error)
            raise _explained(error, shown, remedy) from error


def _explained(error: DecoderGoneError, shown: str, remedy: str) -> VideoError:
    if error.limit == "max_decoder_bytes":
        return _too_large(shown)
    if error.limit:
        stall_s = limits().max_decoder_stall_s
        return VideoError(str(exceeded(error.limit, f"{shown} gave no picture for {stall_s} s", remedy)))
    other = ", or choose another file" if remedy is _CONVERT else ""
    return VideoError(f"the decoder of {shown} broke down, {error}; {remedy}{other}.")


def _too_large(shown: str) -> VideoError:
    fact, remedy = f"{shown} asks for more memory", "copy it again, or convert it to a smaller size"
    return VideoError(str(exceeded("max_decoder_bytes", fact, remedy)))


def _heard(worker: Worker, shown: str) -> AnswerContent:
    """Return the next answer that is not an error.

    Raises:
        VideoError: the file is at fault, or the decoder failed.
    """
    answer = worker.hear()
    if isinstance(answer, messages.Refused):
        raise VideoError(answer.sentence)
    if isinstance(answer, messages.Broken):
        _log.warning("the decoder of %s failed: %s", shown, answer.error)
        if answer.is_memory:
            raise _too_large(shown)
        raise VideoError(
            f"{shown} cannot be decoded, this program failed at it and its log says how; convert it to H.264 in an MP4"
            " file, or choose another file."
        )
    return answer


def _unfit(worker: Worker, what: object) -> DecoderGoneError:
    """End a decoder that says what it may not say now; return the error."""
    worker.kill("it said something wrong")
    return DecoderGoneError(f"it said something wrong ({what!r:.100})")


def _absolute(path: Path) -> bytes:
    """Return the whole path; as bytes, because a name may be no text."""
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
