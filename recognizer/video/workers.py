"""The decoders' processes: started ahead, used again, ended when they stand still (``worker.py`` is their side).

One thread starts them all, because under Linux a process that asks for it ends with the thread that started it.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final, cast

import psutil

from recognizer import processes
from recognizer.limits import limits
from recognizer.video.messages import (
    Answer,
    AnswerContent,
    Converted,
    Decoded,
    Halt,
    Heard,
    Inbox,
    Line,
    Noted,
    Opened,
    Order,
    OrderContent,
)

_log = logging.getLogger(__name__)

_MODULE: Final = "recognizer.video.worker"

SYSTEM_LIMITS_MEMORY: Final = sys.platform == "linux"
"""Elsewhere, the memory that a decoder has is looked up ten times a second."""

_MOST_IDLE: Final = 2
_LOOK_EVERY_S: Final = 0.1
_STARTS_WITHIN_S: Final = 30.0
"""A new process may take so much longer for its first answer: it loads FFmpeg, perhaps on a busy machine."""

_HALTS_WITHIN_S: Final = 1.0
"""A decoder that does not end its work within this time is ended itself."""

_GOING_ON: Final = (Opened, Decoded, Converted, Noted, Heard)
"""Answers after which more follow."""


def warm_up(*, keep_spare: bool = False) -> None:
    """Have a decoder ready if they are used; see ``Workers.warm_up``. Loads no FFmpeg here."""
    if processes.are_used():
        workers().warm_up(keep_spare=keep_spare)


class DecoderGoneError(Exception):
    """A decoder's process has ended; ``str(error)`` says why, in a few words.

    Attributes:
        limit: the field of ``Limits`` because of which it was ended; empty if there is none.
    """

    def __init__(self, why: str, limit: str = "") -> None:
        super().__init__(why)
        self.limit = limit


class Worker:
    """One decoder's process. Only one thread at a time uses it; ``halt`` and ``kill`` may come from any."""

    def __init__(self) -> None:
        self._limits = limits()
        there: socket.socket | None = None
        self._descriptors: socket.socket | None = None
        if sys.platform == "linux":
            self._descriptors, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        number = -1 if there is None else there.fileno()
        self._process = subprocess.Popen(
            [*processes.command(_MODULE), str(self._limits.max_decoder_bytes), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=() if there is None else (number,),
            env=processes.environment(),
            process_group=processes.own_group(),
        )
        if there is not None:
            there.close()
        self._line: Line[Order] = Line(cast(BinaryIO, self._process.stdin))
        self._inbox = Inbox(cast(BinaryIO, self._process.stdout), Answer)
        self._writing = threading.Lock()
        # held to change what is asked and when its answer is due, and to act on that from another thread
        self._changing = threading.Lock()
        self._work = 0
        self._is_working = False
        self._is_halted = False
        self._has_answered = False
        self._killed_for = ""
        self._hit_limit = ""
        self._due_s: float | None = None

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def work(self) -> int:
        """Number of the current work, for ``halt``."""
        return self._work

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def begin(self, content: OrderContent) -> None:
        """Ask for something new, after the last answer to what was asked before."""
        with self._changing:
            self._work += 1
            self._is_working, self._is_halted = True, False
        self.say(content)

    def say(self, content: OrderContent) -> None:
        """Say something about the current work.

        Raises:
            DecoderGoneError: the process has ended.
        """
        self._write(Order(self._work, content))

    def _write(self, order: Order) -> None:
        try:
            with self._writing:
                self._line.write(order)
        except OSError as error:
            raise self._gone() from error

    def give_descriptor(self, descriptor: int) -> None:
        """Let the process use an open file, which belongs to what it is asked next.

        Raises:
            DecoderGoneError: the process has ended.
        """
        assert self._descriptors is not None, "only Linux has files that need this"
        try:
            socket.send_fds(self._descriptors, [b"d"], [descriptor])
        except OSError as error:
            raise self._gone() from error

    def hear(self) -> AnswerContent:
        """Wait for the next answer to the current work; return its content.

        Raises:
            DecoderGoneError: the process ended, said nothing for too long, or said what it may not say.
        """
        with self._changing:
            self._due_s = time.monotonic() + self._patience_s()
        try:
            answer = self._inbox.read()
            if answer is None:
                raise self._gone()
            if answer.work != self._work:
                raise ValueError(f"an answer to {answer.work} while {self._work} is asked")
        except (OSError, ValueError) as error:
            self.kill(f"it said something wrong: {error}")
            raise self._gone() from error
        finally:
            with self._changing:
                self._due_s = None
        self._has_answered = True
        if not isinstance(answer.content, _GOING_ON):
            self._is_working = False
        return answer.content

    def halt(self, work: int) -> None:
        """Ask this work to end; its last answer is soon due. Does nothing if it is over: the next may be another's."""
        with self._changing:
            if work != self._work:
                return
            self._is_halted = True
            if self._due_s is not None:
                self._due_s = min(self._due_s, time.monotonic() + _HALTS_WITHIN_S)
        with suppress(DecoderGoneError):
            self._write(Order(work, Halt()))

    def settle(self) -> bool:
        """End the work that is still going on; return whether the process can be used again."""
        if self._is_working:
            self.halt(self._work)
            try:
                while self._is_working:
                    self.hear()
            except DecoderGoneError:
                return False
        return self.is_alive()

    def look(self) -> None:
        """End the process if its answer is overdue, or it has too much memory where the system sets no limit."""
        with self._changing:
            if self._due_s is not None and time.monotonic() > self._due_s:
                self._hit_limit = "max_decoder_stall_s"
                self.kill("it stood still")
                return
        if not SYSTEM_LIMITS_MEMORY and self._memory_bytes() > self._limits.max_decoder_bytes:
            self._hit_limit = "max_decoder_bytes"
            self.kill("it took too much memory")

    def kill(self, why: str) -> None:
        """End the process."""
        self._killed_for = self._killed_for or why
        self._process.kill()

    def close(self) -> None:
        """End the process and free what belongs to it."""
        self._process.kill()
        self._process.wait()
        for one in (self._process.stdin, self._process.stdout, self._descriptors):
            if one is not None:
                with suppress(OSError):  # what was still to be written goes nowhere
                    one.close()

    def _patience_s(self) -> float:
        allowed_s = _HALTS_WITHIN_S if self._is_halted else self._limits.max_decoder_stall_s
        return allowed_s if self._has_answered else allowed_s + _STARTS_WITHIN_S

    def _gone(self) -> DecoderGoneError:
        self._process.kill()  # it may have closed its pipe and go on
        code = self._process.wait()
        return DecoderGoneError(self._killed_for or f"it {processes.ending(code)}", self._hit_limit)

    def _memory_bytes(self) -> int:
        with suppress(psutil.Error):  # it has just ended
            return int(psutil.Process(self.pid).memory_info().rss)
        return 0


class Workers:
    """All decoders' processes of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._has_busy = threading.Event()
        self._keeps_spare = False
        self._starter: ThreadPoolExecutor | None = None

    @contextmanager
    def lent(self) -> Iterator[Worker]:
        """Lend a decoder for one task."""
        worker = self._taken()
        try:
            yield worker
        finally:
            self._put_back(worker)

    def warm_up(self, *, keep_spare: bool = False) -> None:
        """Have a decoder ready, without waiting for it; ``keep_spare``: also from now on, whenever one is in use."""
        self._keeps_spare = self._keeps_spare or keep_spare
        self._start_thread().submit(self._restock)

    def pids(self) -> set[int]:
        """Return the numbers of the processes."""
        with self._lock:
            return {one.pid for one in (*self._idle, *self._busy)}

    def close(self) -> None:
        """End all processes; what they are doing fails. They start again when they are needed."""
        with self._lock:
            starter, self._starter = self._starter, None
            for one in self._busy:
                one.kill("the program ends")
        self._close_idle()
        if starter is not None:
            starter.shutdown()
            self._has_busy.set()  # wakes the watching thread, which then ends
            self._close_idle()  # what the thread had just begun to start

    def _close_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.close()

    def _taken(self) -> Worker:
        worker = self._taken_idle() or self._start_thread().submit(self._started).result()
        if self._keeps_spare:
            self._start_thread().submit(self._restock)
        return worker

    def _taken_idle(self) -> Worker | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                worker = self._idle.pop()
                if worker.is_alive():
                    self._mark_busy(worker)
                    return worker
            worker.close()

    def _started(self) -> Worker:
        worker = Worker()
        with self._lock:
            self._mark_busy(worker)
        return worker

    def _restock(self) -> None:
        with self._lock:
            if self._idle:
                return
        worker = Worker()
        with self._lock:
            self._idle.append(worker)

    def _put_back(self, worker: Worker) -> None:
        is_usable = worker.settle()
        with self._lock:
            self._busy.discard(worker)
            if not self._busy:
                self._has_busy.clear()
            if is_usable and len(self._idle) < _MOST_IDLE:
                self._idle.append(worker)
                return
        worker.close()

    def _mark_busy(self, worker: Worker) -> None:
        self._busy.add(worker)
        self._has_busy.set()

    def _start_thread(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._starter is None:
                self._starter = ThreadPoolExecutor(1, "decoders")
                watch = threading.Thread(target=self._watch, args=(self._starter,), name="watch decoders", daemon=True)
                watch.start()
            return self._starter

    def _watch(self, starter: ThreadPoolExecutor) -> None:
        """End processes whose answer is overdue, until the thread that starts them has ended."""
        while self._has_busy.wait() and starter is self._starter:
            with self._lock:
                busy = tuple(self._busy)
            for one in busy:
                one.look()
            time.sleep(_LOOK_EVERY_S)


_workers = Workers()


def workers() -> Workers:
    """Return the decoders of this process."""
    return _workers


def _begin_anew() -> None:
    """In a forked process, leave the other one's decoders alone."""
    global _workers
    _workers = Workers()


atexit.register(lambda: workers().close())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
