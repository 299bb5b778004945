"""Work that a test kills: a process imports everything once, and forks a child for each line that it reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.resuming import save_always


def serve(work: Callable[..., int]) -> None:
    """For each line that is read, a list in JSON, write what ``work`` returns for its values: an exit code."""
    for line in sys.stdin:
        sys.stdout.write(f"{work(*json.loads(line))}\n")
        sys.stdout.flush()


def forked(work: Callable[[], int]) -> int:
    """Start a child that makes a save point after each batch, and ends with the exit code of ``work``."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        save_always(pytest.MonkeyPatch())
        os.environ["RECOGNIZER_DECODER"] = "inline"
        code = work()
    finally:
        os._exit(code)


def exit_code(child: int, kill_after_s: float | None, victim: Callable[[], int | None] | None = None) -> int:
    """Wait for a child, kill somebody after a while, and return the child's exit code.

    Args:
        child: its number.
        kill_after_s: None to kill nobody.
        victim: returns the number of whom to kill; None if there is nobody yet. Without it, it is the child.
    """
    kill_at_s = None if kill_after_s is None else time.monotonic() + kill_after_s
    while True:
        ended, status = os.waitpid(child, 0 if kill_at_s is None else os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        chosen = None
        if kill_at_s is not None and time.monotonic() >= kill_at_s:
            chosen = child if victim is None else victim()
        if chosen is None:
            time.sleep(0.002)
        else:
            os.kill(chosen, signal.SIGKILL)
            kill_at_s = None


class Forking:
    """Asks a process that runs ``serve``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, *values: Any) -> int:
        """Return the answer to a line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(values) + "\n")
        stdin.flush()
        return int(stdout.readline())


@contextmanager
def forking(module: str, folder: Path) -> Iterator[Forking]:
    """Run a module whose ``main`` calls ``serve``; its cache is in a folder."""
    environment = {**os.environ, "RECOGNIZER_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield Forking(process)
        assert process.stdin is not None
        process.stdin.close()
