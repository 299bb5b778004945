"""Work of servers and of commands that a test kills (``forking.py``).

``python -m tests.support.killed`` reads when to kill and the words of a command, as JSON, and writes the exit code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
from tests.support.forking import Forking, exit_code, forked, forking, serve
from tests.support.resuming import SETTINGS, busy_models, document

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


def _killed(kill_after_s: float | None, what: str, *words: str) -> int:
    def work() -> int:
        _WORK[what](*words)
        return 0

    return exit_code(forked(work), kill_after_s)


class Killed:
    """Starts work, and kills it after a while."""

    def __init__(self, process: Forking) -> None:
        self._process = process

    def run(self, *words: str, for_s: float | None) -> int:
        """Do some work, kill it after so many seconds unless it has ended, and return its exit code."""
        return self._process.ask(for_s, *words)


@contextmanager
def killed(folder: Path) -> Iterator[Killed]:
    """Yield what starts work and kills it; its cache is in a folder."""
    with forking("tests.support.killed", folder) as process:
        yield Killed(process)


if __name__ == "__main__":
    serve(_killed)
