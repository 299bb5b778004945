"""Ctrl-C and SIGTERM end a command in order: what is half written is taken away on the way out."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Final, Self

_EXIT_CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""128 and the number of the signal, as a shell reports it."""


_WAY_OUT_S: Final = 5.0
"""So long after a signal another one does not disturb the tidying up; after that the first one has got lost."""


class Interrupts:
    """While its ``with`` block runs, a signal raises KeyboardInterrupt, and an impatient second one does no harm.

    Attributes:
        exit_code: of the process that was interrupted; None when it was not.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self._raised_at_s = float("-inf")
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Python lets only the main thread listen
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._interrupt) for number in _EXIT_CODES}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        if time.monotonic() - self._raised_at_s > _WAY_OUT_S:
            self._raised_at_s = time.monotonic()
            self.exit_code = _EXIT_CODES[signal.Signals(number)]
            raise KeyboardInterrupt
