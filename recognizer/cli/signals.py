"""Ctrl-C and SIGTERM end a command cleanly: partial files are removed on the way out."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Final, Self

_EXIT_CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""128 plus the number of the signal, as shells report it."""


_WAY_OUT_S: Final = 5.0
"""Further signals within this time do not disturb the clean-up; after it, the first was presumably lost."""


class Interrupted(KeyboardInterrupt):
    """A signal ended the command.

    A class of its own, because Python remembers a KeyboardInterrupt that passes through code that C runs, as some
    libraries do, and then ends itself by SIGINT whatever the exit code (``run_eval_code_obj`` in CPython's
    Python/pythonrun.c and ``exit_sigint`` in Modules/main.c): a command ended by SIGTERM would report Ctrl-C. It asks
    for that very class.
    """


_current: list[Interrupts] = []
"""The running ``with`` blocks, the innermost last; signals belong to the whole process."""


def raise_if_lost() -> None:
    """Raise Interrupted if a signal arrived and work goes on nevertheless. Work calls it as it advances.

    Python drops an exception that a signal raises within a callback of the interpreter, such as one of a weak
    reference, and some libraries catch it while they are imported.
    """
    if _current and _current[-1].exit_code is not None:
        raise Interrupted


class Interrupts:
    """Raises Interrupted on a signal while its ``with`` block runs; an impatient second signal does no harm.

    Attributes:
        exit_code: exit code of an interrupted process; None if it was not interrupted.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self._raised_at_s = float("-inf")
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        _current.append(self)
        # Python delivers signals to the main thread only
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._interrupt) for number in _EXIT_CODES}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.pop()
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        if time.monotonic() - self._raised_at_s > _WAY_OUT_S:
            self._raised_at_s = time.monotonic()
            self.exit_code = _EXIT_CODES[signal.Signals(number)]
            raise Interrupted
