"""One session: a camera's stream from its first frame to its end, its recordings, and its storage."""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from recognizer.actions.provenance import Mode
from recognizer.comparison.model import Comparison
from recognizer.errors import capitalized
from recognizer.live.controls import Controls
from recognizer.live.own_names import Taught
from recognizer.live.recording import Recorded
from recognizer.live.saving import SessionSaver
from recognizer.live.stream import LiveStream
from recognizer.memory import give_back_memory
from recognizer.service.fairness import NOBODY
from recognizer.service.live_sessions import NO_RECORDING, pack_part, with_recording
from recognizer.service.run_facts import facts_of
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.service.tasks import ServerContext
from recognizer.timeline.model import Timeline

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class EndedSession:
    """A session that is over.

    Attributes:
        run: the stored analysis; if two classifiers ran, their comparison is stored under the same id.
        lost: whether it ended because no more pictures came, or the connection broke.
        problem: one sentence about why it could not be stored; None if it was.
        given_up: whether it was lost because the browser gave up a server that stood still, whatever sent the pictures.
    """

    run: StoredAnalysis
    lost: bool
    problem: str | None
    given_up: bool = False


class LiveSession:
    """One session. Its methods may be called from any thread.

    Args:
        context: what all sessions share; the ended session goes into its store.
        stream: the session's stream, which has just begun.
        controls: the first values of the page's controls.
        visitor_id: whose session it is.

    Attributes:
        stream: the stream; it can still be read after its end.
        analysis_id: the id under which the session is stored.
        ended: the stored session; None until it is over and stored.
    """

    def __init__(
        self, context: ServerContext, stream: LiveStream, controls: Controls, visitor_id: str = NOBODY
    ) -> None:
        self.stream = stream
        self.analysis_id = uuid.uuid4().hex
        self.ended: EndedSession | None = None
        self._context = context
        self._recordings: list[Recorded] = []
        self._notes: list[str] = []
        self._lock = threading.Lock()
        self._is_ending = False
        self._names: tuple[str | None, Mode] = (None, "instead")
        self._done = threading.Event()
        self._name_of_session = f"Camera {datetime.now().astimezone():%Y-%m-%d %H.%M.%S}"
        context.live_analyses.add(self.analysis_id)
        self.apply(controls)
        file = StoredFile(context.store.folder / NO_RECORDING, self._name_of_session, "", 0)
        self._run = context.work_on(
            self.analysis_id, "live", file, visitor_id, {"settings": controls.settings.as_dict()}
        )
        self._run.go_live()
        self._saver = SessionSaver(lambda since_s: stream.timeline(since_s=since_s), self._save_part)

    @property
    def recordings(self) -> list[Path]:
        """The finished recordings."""
        return [one.path for one in self._recordings]

    def call_lost(self) -> None:
        """Note that it ended although nobody ended it: only afterwards it shows that nobody pressed Stop."""
        ended = self.ended
        if ended is not None:
            self.ended = replace(ended, lost=True)

    @property
    def unsaved_because(self) -> str | None:
        """Why what it has so far cannot be saved now, in a sentence; None if it can."""
        return self._saver.problem

    def apply(self, controls: Controls) -> None:
        """Follow the page's controls from now on."""
        self._controls, stream = controls, self.stream
        stream.overlay.min_confidence = controls.min_confidence
        stream.overlay.mirrored = controls.mirrored
        stream.change(controls.settings)
        stream.compare(controls.other)
        self._name(controls.set_id, controls.mode)
        if controls.recording and not stream.recorder.is_recording:
            stream.recorder.start(self._context.store.new_file(".mp4"))
        elif not controls.recording:
            self._finish_recording()

    def _name(self, set_id: str | None, mode: Mode) -> None:
        if self._names != (set_id, mode):
            self._names = (set_id, mode)
            self.stream.use_names(None if set_id is None else lambda: self._taught(set_id), mode)

    def _taught(self, set_id: str) -> Taught | None:
        """Return a set as it is now: somebody may teach it while the session runs."""
        naming = self._context.own_actions.naming
        actions = naming.set(set_id)
        return None if actions is None else Taught(actions, naming.head(actions))

    def _save_part(self, timeline: Timeline, since_s: float) -> None:
        recorded = self.stream.recorder.so_far or next(reversed(self._recordings), None)
        recording = None if recorded is None else (recorded.path.name, recorded.begins_s)
        second = self.stream.second(timeline, since_s, self._controls.checkpoint_name)
        self._run.save(pack_part(timeline, recording, *self._names, second))

    def _finish_recording(self) -> None:
        recorder = self.stream.recorder
        if not recorder.is_recording:
            return
        recorded = recorder.stop()
        if recorded is not None:
            self._recordings.append(recorded)
        if recorder.problem is not None:
            self._notes.append(capitalized(recorder.problem))

    def end(self, *, lost: bool = False, given_up: bool = False) -> EndedSession | None:
        """End the stream and store the session; a second caller waits for the first.

        Returns:
            The stored session; None if ending it failed.
        """
        with self._lock:
            first, self._is_ending = not self._is_ending, True
        if not first:
            self._done.wait()
            return self.ended
        try:
            self.ended = replace(self._store(lost=lost), given_up=given_up)
        finally:
            self._context.live_analyses.discard(self.analysis_id)
            self._done.set()
            give_back_memory()
        return self.ended

    def _store(self, *, lost: bool) -> EndedSession:
        self._saver.end()
        timeline = self.stream.close()
        comparison = self.stream.comparison(self._controls.checkpoint_name)
        self._finish_recording()
        timeline = replace(timeline, notes=(*timeline.notes, *self._notes))
        now, store = datetime.now(UTC), self._context.store
        name = self._name_of_session
        path = store.folder / NO_RECORDING
        if self._recordings:
            path, begins_s = self._recordings[-1]
            timeline = with_recording(timeline, begins_s)
            if comparison is not None:
                comparison = Comparison(
                    tuple(
                        replace(one, timeline=one.timeline and with_recording(one.timeline, begins_s))
                        for one in comparison.entries
                    )
                )
        file = StoredFile(path, name, "", 0)

        def save() -> StoredAnalysis:
            stored = store.save_analysis(self.analysis_id, file, timeline)
            set_id, mode = self._names
            if set_id is not None:
                self._context.own_actions.sets.choose(self.analysis_id, set_id, mode)
            if comparison is not None:
                self._context.comparisons.save(self.analysis_id, file, comparison)
            self._run.end("done", facts=facts_of(timeline), video_file=path.name)
            return stored

        unsaved = StoredAnalysis(self.analysis_id, now, name, path, timeline)
        run = self._context.unsaved.save(self.analysis_id, save, lambda: unsaved)
        self._context.workbench.begin(run)
        return EndedSession(run, lost, self._context.unsaved.problem(self.analysis_id))
