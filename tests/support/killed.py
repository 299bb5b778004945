"""Work that a test kills: a process imports everything once, and forks one child for each line that it reads.

``python -m tests.support.killed`` reads when to kill and the words of a command, as JSON, and writes the exit code.
"""

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

from recognizer.analysis import file  # noqa: F401 - a job imports ``file``, which takes long
from recognizer.analysis.passes import PassStore
from recognizer.cli import analyze_command  # noqa: F401 - as above
from recognizer.cli import main as command_line
from recognizer.networks import loading
from recognizer.networks.cache import ModelCache
from recognizer.networks.loading import Models
from recognizer.service import recovery
from recognizer.service.jobs import Jobs
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.service.tasks import ServerContext, start_analysis
from recognizer.settings import Settings
from tests.support.resuming import SETTINGS, busy_models, document, save_always

COMMAND_OPTIONS = (
    *("--classifier", "i3d", "--sequence-length", "6", "--skip", "2", "--overlap", "0.5"),
    *("--steady-crop", "--surroundings", "--quiet"),
)
"""The options of ``resuming.SETTINGS``."""


class _ScriptedCache(ModelCache):
    def get(self, settings: Settings, progress: Any = None) -> Models:
        return busy_models()


def server_context(folder: Path) -> ServerContext:
    """Return a server with stand-ins for the networks."""
    return ServerContext(Jobs(), AnalysisStore(folder / "data"), _ScriptedCache(), PassStore(folder / "crops"))


def _serve(folder: str, run_id: str, path: str, sha256: str) -> None:
    """Be a server: begin a run unless it is there, go on with what is left, and write the result when it is done."""
    context = server_context(Path(folder))
    recovery.MOST_CRASHES = 10**6  # type: ignore[misc]  # the test kills, not the run
    recovery.Recovery(context).start()
    if context.runs.load(run_id) is None:
        start_analysis(context, run_id, StoredFile(Path(path), "busy.mkv", sha256, 1), SETTINGS, 10**9)
    while not (run := context.runs.load(run_id)) or not run.is_finished:
        time.sleep(0.01)
    analysis = context.store.load_analysis(run_id)
    assert analysis is not None
    Path(folder, f"{run_id}.json").write_text(document(analysis.timeline))


def _command(*words: str) -> None:
    """Be a command line."""
    loading.load_models = lambda *_: busy_models()
    loading.loading_message = lambda settings: settings.model
    code = command_line(words)
    assert code == 0


_WORK: dict[str, Callable[..., None]] = {"serve": _serve, "command": _command}


def _fork(words: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        save_always(pytest.MonkeyPatch())
        os.environ["RECOGNIZER_DECODER"] = "inline"
        _WORK[words[0]](*words[1:])
        code = 0
    finally:
        os._exit(code)


def _exit_code(child: int, kill_after_s: float | None) -> int:
    """Wait for a child, and kill it after a while."""
    kill_at_s = None if kill_after_s is None else time.monotonic() + kill_after_s
    while True:
        ended, status = os.waitpid(child, 0 if kill_at_s is None else os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if kill_at_s is not None and time.monotonic() >= kill_at_s:
            os.kill(child, signal.SIGKILL)
            kill_at_s = None
        else:
            time.sleep(0.002)


def main() -> None:
    """Fork for each line."""
    for line in sys.stdin:
        kill_after_s, *words = json.loads(line)
        sys.stdout.write(f"{_exit_code(_fork(words), kill_after_s)}\n")
        sys.stdout.flush()


class Killed:
    """Starts work, and kills it after a while.

    Args:
        process: runs ``main``.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *words: str, for_s: float | None) -> int:
        """Do some work, kill it after so many seconds unless it has ended, and return its exit code."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps([for_s, *words]) + "\n")
        stdin.flush()
        return int(stdout.readline())


@contextmanager
def killed(folder: Path) -> Iterator[Killed]:
    """Yield what starts work and kills it; its cache is in a folder."""
    environment = {**os.environ, "RECOGNIZER_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield Killed(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    main()
