"""Go on with the runs of servers that are gone: at the start of a server, and while it runs."""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

from recognizer.errors import RecognizerError
from recognizer.palette import ActionPalette
from recognizer.service.comparison_tasks import compare_again
from recognizer.service.drawing_tasks import draw_again
from recognizer.service.live_sessions import keep_what_is_saved
from recognizer.service.run_facts import facts_of_request
from recognizer.service.run_work import RunWork
from recognizer.service.runs import UNFINISHED, Run, RunQuery, State
from recognizer.service.store import StoredFile
from recognizer.service.tasks import ServerContext, start_analysis
from recognizer.service.unforeseen import sentence_of
from recognizer.settings import settings_from

_log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
"""A server gives a sign of life, and looks for servers that are gone, this often."""

MOST_CRASHES: Final = 2
"""A run that has ended so many servers without getting on in between is not started again by itself."""

_WAITING: Final[tuple[State, ...]] = ("waiting",)

_CRASHES, _SAVED = "crashes", "save_points"


class Recovery:
    """Goes on with what servers left behind.

    Args:
        context: this server's jobs and data.
    """

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._ended = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._watch, name="recovery", daemon=True)

    def start(self) -> None:
        """Take over what is left behind now, and then from time to time."""
        self._look()
        self._tidy()
        self._thread.start()

    def end(self) -> None:
        """Stop looking, and let other servers know that this one is gone."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._context.server.leave()

    def _tidy(self) -> None:
        """Remove what killed processes did not finish writing."""
        try:
            self._context.pass_store.remove_leftovers()
            self._context.store.remove_leftovers()
        except OSError as error:
            _log.warning("unfinished files stay: %s", error)

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._look()

    def _look(self) -> None:
        problem = ""
        try:
            self._context.runs.alive(self._context.server.server_id)
            self._end_cancelled()
            self.take_over()
        except RecognizerError as error:  # such as a full disk; the next look may succeed
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - a bug must not end the thread: runs would seem to be left behind
            problem = sentence_of(error)
        if problem and problem != self._problem:
            _log.warning("runs cannot be looked after: %s", problem)
        self._problem = problem

    def take_over(self) -> list[Run]:
        """Go on with the runs of servers that are gone; return those that this server took over."""
        context = self._context
        unfinished = context.runs.list(RunQuery(states=UNFINISHED))
        gone = {run.server_id for run in unfinished if context.server.is_gone(run)}
        if not gone:
            return []
        taken = context.runs.claim(context.server.server_id, gone)
        for run in taken:
            try:
                self._go_on(run)
            except Exception as error:  # noqa: BLE001 - one run that cannot start must not hold up the others
                RunWork(context.runs, run).end("failed", sentence_of(error))
        for server_id in gone:
            context.server.forget(server_id)
        return taken

    def _go_on(self, run: Run) -> None:
        if run.kind == "live":
            keep_what_is_saved(self._context, run)
            return
        if run.state == "running" and self._crashed_too_often(run):
            self._context.runs.end(
                run.run_id,
                "failed",
                f"the server ended {MOST_CRASHES} times at the same place of '{run.video_name}', so the run does not "
                "go on by itself; start it again if you want to.",
            )
            return
        path = self._context.store.file_path(run.video_file)
        if not self._context.store.is_here(path):
            self._context.runs.end(
                run.run_id,
                "failed",
                f"the video '{run.video_name}' is no longer stored here; drop it in again and start again.",
            )
            return
        _log.info("a run that a server left behind goes on")
        video = StoredFile(path, run.video_name, run.video_sha256, run.request.get("size_bytes", 0))
        if run.kind == "analysis":
            self._analyze(run, video)
        elif run.kind == "comparison":
            compare_again(self._context, run, video)
        else:
            draw_again(self._context, run, video, ActionPalette(self._context.store.action_slots()))

    def _analyze(self, run: Run, video: StoredFile) -> None:
        settings, max_file_bytes = settings_from(run.request["settings"]), run.request["max_file_bytes"]
        start_analysis(
            self._context, run.run_id, video, settings, max_file_bytes, visitor_id=run.visitor_id, checked=False
        )

    def _crashed_too_often(self, run: Run) -> bool:
        """Count how often a server ended while it worked on a run, without another save point in between."""
        saved = self._context.runs.chunk_count(run.run_id)
        crashes = 1 + (run.facts.get(_CRASHES, 0) if run.facts.get(_SAVED) == saved else 0)
        known = run.facts or facts_of_request(run.request)
        facts: dict[str, Any] = {**known, _CRASHES: crashes, _SAVED: saved}
        self._context.runs.set_facts(run.run_id, facts)
        return crashes >= MOST_CRASHES

    def _end_cancelled(self) -> None:
        """End the runs whose jobs were cancelled before their turn."""
        context = self._context
        for run in context.runs.list(RunQuery(states=_WAITING)):
            job = context.jobs.get(run.run_id) if run.server_id == context.server.server_id else None
            if job is not None and job.finished and not job.suspended:
                context.runs.end(run.run_id, "cancelled")
