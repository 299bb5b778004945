"""Opened analyses from their corrections, without replaying every edit at every change."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

from recognizer.service.corrections import Revision
from recognizer.service.opened import Opened, opened_analysis
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.corrections import Replay
from recognizer.timeline.edits import Edit
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline

_MOST_STATES: Final = 100
"""States that are kept: so many undos in a row need no replay."""


class Replays:
    """The states after each of the latest edits, by analysis. Safe to call from any thread."""

    def __init__(self) -> None:
        self._of_timeline: WeakKeyDictionary[Timeline, _States] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def opened(self, stored: StoredAnalysis, revision: Revision) -> Opened:
        """Return an analysis at a revision."""
        with self._lock:
            states = self._of_timeline.setdefault(stored.timeline, _States(stored.timeline))
        replay = states.after(revision.corrections.edits, revision.groups)
        corrected = replay.result()
        if revision.groups is not None:
            corrected = revision.groups.folded_decisions(corrected)
        return opened_analysis(stored, revision, corrected)


class _States:
    """The states of one analysis after the edits that led to them, the latest last."""

    def __init__(self, timeline: Timeline) -> None:
        self._states: deque[tuple[tuple[Edit, ...], Replay]] = deque(maxlen=_MOST_STATES)
        self._machine = timeline
        self._groups: LabelGroups | None = None
        self._lock = threading.Lock()
        self._start = Replay(timeline)

    def after(self, edits: tuple[Edit, ...], groups: LabelGroups | None) -> Replay:
        """Return the state after these edits, from the nearest one that leads to it."""
        with self._lock:
            if groups != self._groups:
                # predictions are folded before the edits, which do not depend on labels: they are many
                timeline = self._machine if groups is None else groups.folded(self._machine)
                self._groups, self._start = groups, Replay(timeline)
                self._states.clear()
            known, state = self._nearest(edits)
            replay = state.copy()
            for edit in edits[known:]:
                replay.apply(edit)
            self._states.append((edits, replay))
            return replay

    def _nearest(self, edits: tuple[Edit, ...]) -> tuple[int, Replay]:
        nearest = 0, self._start
        for made, state in reversed(self._states):
            if nearest[0] < len(made) <= len(edits) and edits[: len(made)] == made:
                nearest = len(made), state
        return nearest
