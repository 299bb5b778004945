"""A decoder: a process that opens outside files for another one, so that a crash, a standstill or greed ends only it.

Started by ``workers.py`` as ``python -m recognizer.video.worker``. Orders arrive at the standard input, answers leave
by the standard output, pictures lie in shared memory.
"""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO, Final

import numpy as np

from recognizer.errors import VideoError
from recognizer.memory import give_back_memory
from recognizer.processes import limit_this_process
from recognizer.types import Reading
from recognizer.video import decoding, messages
from recognizer.video.container import inspect
from recognizer.video.diagnosis import TooMuchMemoryError
from recognizer.video.messages import Answer, AnswerContent, Inbox, Line, Order
from recognizer.video.shared_pictures import DecodersSlots
from recognizer.video.sound import read_sound
from recognizer.video.still import still_here

_MOST_UNDECIDED: Final = 8
_UNDECIDED_BYTES: Final = 32 * 2**20
_UNDECIDED_S: Final = 0.25
"""Bounds of decoded pictures that are asked about together: number, size, time of decoding; at first fewer."""

_IDLE_S: Final = 0.5
"""After this long without an order, freed memory goes back to the system."""


class _Work:
    """The current work, and what the other side lets it do. Written by the thread that reads orders."""

    def __init__(self) -> None:
        self.number = -1
        self.stop = decoding.Stop()
        self._lent: messages.Slots | None = None
        self._slots: list[int] = []
        self._choices: deque[list[bool]] = deque()
        self._changed = threading.Condition()

    def begin(self, number: int) -> None:
        with self._changed:
            self.number, self.stop = number, decoding.Stop()
            self._lent = None
            self._slots.clear()
            self._choices.clear()

    def hear(self, order: Order) -> None:
        with self._changed:
            if order.work != self.number:
                return
            match order.content:
                case messages.Lend(lent):
                    self._lent = lent
                case messages.Use(slots):
                    self._slots += slots
                case messages.Chosen(wanted):
                    self._choices.append(wanted)
                case messages.Halt():
                    self.stop()
            self._changed.notify()

    def lent(self) -> messages.Slots | None:
        """Wait for memory; None if the work is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lent or self.stop)
            return None if self.stop else self._lent

    def slot(self) -> int | None:
        """Wait for a slot to write into; None if the work is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._slots or self.stop)
            return None if self.stop else self._slots.pop()

    def choice(self, *, wait: bool) -> list[bool] | None:
        """Return the oldest choice that was not returned yet; None if there is none, or the work is to end."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._choices or self.stop)
            return None if self.stop or not self._choices else self._choices.popleft()


class Decoder:
    """Does what the other side asks for, one thing at a time."""

    def __init__(self, orders: BinaryIO, answers: BinaryIO, descriptors: socket.socket | None) -> None:
        self._inbox = Inbox(orders, Order)
        self._line: Line[Answer] = Line(answers)
        self._descriptors = descriptors
        self._waiting: SimpleQueue[Order] = SimpleQueue()
        self._work = _Work()

    def run(self) -> None:
        """Work until the other side goes."""
        gc.freeze()  # a collection then looks at what the work made, and takes half a millisecond
        threading.Thread(target=self._read, name="orders", daemon=True).start()
        while True:
            try:
                order = self._waiting.get(timeout=_IDLE_S)
            except Empty:
                # pictures of many sizes leave fragments, and this process may be idle for long
                give_back_memory()
                order = self._waiting.get()
            self._say(self._done(order))
            gc.collect()  # PyAV's frames hold themselves once their side data was read, and each is a whole picture

    def _read(self) -> None:
        """Pass on orders; the other side's end is the process's end, whatever it is doing."""
        with suppress(ValueError, OSError):
            while (order := self._inbox.read()) is not None:
                if isinstance(order.content, messages.Lend | messages.Use | messages.Chosen | messages.Halt):
                    self._work.hear(order)
                else:
                    self._work.begin(order.work)
                    self._waiting.put(order)
        os._exit(0)

    def _say(self, content: AnswerContent) -> None:
        self._line.write(Answer(self._work.number, content))

    def _done(self, order: Order) -> AnswerContent:
        """Return the last answer to an order."""
        try:
            match order.content:
                case messages.Inspect() as asked:
                    return self._inspected(asked)
                case messages.Decode() as asked:
                    return messages.Ended(self._decode(asked))
                case messages.FindStill() as asked:
                    return self._find_still(asked)
                case messages.ReadSound() as asked:
                    return self._read_sound(asked)
                case messages.Watch() as asked:
                    return self._watch(asked)
                case _:
                    return messages.Ended()
        except (TooMuchMemoryError, MemoryError):
            return messages.Broken(is_memory=True, error=traceback.format_exc())
        except VideoError as error:
            return messages.Refused(str(error))
        except Exception as error:  # noqa: BLE001 - the other side logs it
            is_memory = isinstance(error, OSError) and error.errno == errno.ENOMEM
            return messages.Broken(is_memory, traceback.format_exc())

    def _inspected(self, asked: messages.Inspect) -> AnswerContent:
        return messages.Inspected(
            inspect(
                _path(asked),
                asked.shown,
                sha256=asked.sha256,
                stream=asked.stream,
                frame_rate_hz=asked.frame_rate_hz,
            )
        )

    def _decode(self, asked: messages.Decode) -> Reading | None:
        state = decoding.State(asked.inspection.reading)
        order = decoding.Order(_path(asked), asked.shown, asked.inspection, asked.size_wh)
        one = _Pass(self._work, self._say, self._slots(asked.slots), order, state)
        one.run(asks=asked.asks)
        return None if self._work.stop else state.reading

    def _find_still(self, asked: messages.FindStill) -> AnswerContent:
        slots = self._slots(asked.slots)
        rgb = still_here(_path(asked), asked.shown, asked.inspection, asked.time_s)
        height, width, _ = rgb.shape
        np.copyto(slots.picture(0, (height, width, 3)), rgb)
        self._say(messages.Converted(0, asked.time_s, 0, 1.0))
        return messages.Ended()

    def _read_sound(self, asked: messages.ReadSound) -> AnswerContent:
        for position, samples in read_sound(_path(asked), asked.shown, asked.stream, asked.timing):
            if self._work.stop:
                break
            self._say(messages.Heard(position, np.ascontiguousarray(samples).tobytes()))
        return messages.Ended()

    def _watch(self, asked: messages.Watch) -> AnswerContent:
        from recognizer.video.camera_pictures import watched

        work = self._work
        with closing(watched(asked, work.stop)) as pictures:
            first = next(pictures, None)
            if first is None:
                return messages.Ended()
            height, width, _ = first[2].shape
            self._say(messages.Opened(width, height))
            lent = work.lent()
            slots = None if lent is None else self._slots(lent)
            for index, time_s, rgb in chain([first], pictures):
                slot = work.slot()
                if slot is None or slots is None:
                    break
                np.copyto(slots.picture(slot, (height, width, 3)), rgb)
                self._say(messages.Converted(index, time_s, slot, 0.0))
        return messages.Ended()

    def _slots(self, slots: messages.Slots) -> DecodersSlots:
        return DecodersSlots.opened(slots.file, self._descriptors, slots.count * slots.slot_bytes, slots.slot_bytes)


def _path(asked: messages.Inspect | messages.Decode | messages.FindStill | messages.ReadSound) -> Path:
    return Path(os.fsdecode(asked.path))


class _Pass:
    """One pass through a file. While the other side chooses among decoded pictures, the next ones are decoded."""

    def __init__(
        self,
        work: _Work,
        say: Callable[[AnswerContent], None],
        slots: DecodersSlots,
        order: decoding.Order,
        state: decoding.State,
    ) -> None:
        self._work = work
        self._say = say
        self._slots = slots
        self._order = order
        self._state = state
        self._decoding = decoding.Decoding(order, state)
        self._undecided: deque[list[decoding.Picture]] = deque()
        self._notes_said = 0

    def run(self, *, asks: bool) -> None:
        stop = self._work.stop
        if asks:
            self._run_asking(stop)
        else:
            for picture in self._decoding.pictures(stop):
                self._convert(picture)
        if not stop:
            self._decoding.finish()
            self._say_notes()

    def _run_asking(self, stop: decoding.Stop) -> None:
        width, height = self._order.size_wh
        most = max(1, min(_MOST_UNDECIDED, _UNDECIDED_BYTES // (3 * width * height)))
        batch: list[decoding.Picture] = []
        enough, since_s = 1, time.monotonic()
        for picture in self._decoding.pictures(stop):
            batch.append(picture)
            if len(batch) < enough and time.monotonic() - since_s < _UNDECIDED_S:
                continue
            self._ask_about(batch)
            batch, since_s, enough = [], time.monotonic(), min(2 * enough, most)
            while len(self._undecided) > 1 and not stop:
                self._convert_wanted(wait=True)
            self._convert_wanted(wait=False)
        if batch:
            self._ask_about(batch)
        while self._undecided and not stop:
            self._convert_wanted(wait=True)

    def _ask_about(self, batch: list[decoding.Picture]) -> None:
        self._say_notes()
        self._say(messages.Decoded([picture.time_s for picture in batch], self._state.progress))
        self._undecided.append(batch)

    def _convert_wanted(self, *, wait: bool) -> None:
        wanted = self._work.choice(wait=wait)
        if wanted is None:
            return
        for picture, is_wanted in zip(self._undecided.popleft(), wanted, strict=True):
            if is_wanted:
                self._convert(picture)

    def _convert(self, picture: decoding.Picture) -> None:
        slot = self._work.slot()
        if slot is None:
            return
        self._say_notes()
        width, height = self._order.size_wh
        self._decoding.write_rgb(picture, self._slots.picture(slot, (height, width, 3)))
        self._say(messages.Converted(picture.index, picture.time_s, slot, self._state.progress))

    def _say_notes(self) -> None:
        new = self._state.notes[self._notes_said :]
        if new:
            self._notes_said += len(new)
            self._say(messages.Noted(new))


def main() -> None:
    """Work for the process that started this one."""
    most_bytes, descriptors = int(sys.argv[1]), int(sys.argv[2])
    limit_this_process(most_bytes)
    # what a library prints must not get among the answers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Decoder(
        os.fdopen(os.dup(0), "rb"),
        answers,
        socket.socket(fileno=descriptors) if descriptors >= 0 else None,
    ).run()


if __name__ == "__main__":
    main()
