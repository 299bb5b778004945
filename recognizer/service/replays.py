"""Opened analyses from their corrections, without replaying every edit at every change."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import Final

from recognizer.service.corrections import Revision
from recognizer.service.opened import Opened, opened_analysis
from recognizer.service.own_names import OwnNames
from recognizer.service.shown import Layer, Recent
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.corrections import Corrected, Replay
from recognizer.timeline.edits import Edit
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline

_MOST_STATES: Final = 100
"""States that are kept: so many undos in a row need no replay."""

_MOST_LAYERS: Final = 12
"""Layers whose states are kept: those of the analyses that stay in memory, and some more."""


class Replays:
    """The states after each of the latest edits, by analysis. Safe to call from any thread."""

    def __init__(self) -> None:
        self._of_layer = Recent(_MOST_LAYERS)

    def opened(self, stored: StoredAnalysis, revision: Revision, own: OwnNames | None = None) -> Opened:
        """Return an analysis at a revision, with own names in place of the network's labels, or above them."""
        said = stored.timeline if own is None or own.timeline is None else own.timeline
        layers = [Layer(None, self._corrected(stored, said, revision, 0))]
        if own is not None and own.mode == "beside" and said is not stored.timeline:
            # what a person decided about segments covers the own names; people are who they are in both
            network = replace(self._corrected(stored, stored.timeline, revision, 1), decided={}, checked={})
            layers = [Layer(own.actions.title, layers[0].corrected), Layer(_network_name(stored.timeline), network)]
        return opened_analysis(stored, said, tuple(layers), revision, own)

    def _corrected(self, stored: StoredAnalysis, said: Timeline, revision: Revision, layer: int) -> Corrected:
        states: _States = self._of_layer.get((stored.analysis_id, layer), _States)
        corrected = states.after(said, revision.corrections.edits, revision.groups).result()
        return corrected if revision.groups is None else revision.groups.folded_decisions(corrected)


def _network_name(timeline: Timeline) -> str:
    return timeline.provenance.get("classifier", timeline.settings.video_classifier_model)


class _States:
    """The states of one layer of an analysis after the edits that led to them, the latest last."""

    def __init__(self) -> None:
        self._states: deque[tuple[tuple[Edit, ...], Replay]] = deque(maxlen=_MOST_STATES)
        self._of: tuple[Timeline | None, LabelGroups | None] = None, None
        self._lock = threading.Lock()

    def after(self, said: Timeline, edits: tuple[Edit, ...], groups: LabelGroups | None) -> Replay:
        """Return the state after these edits, from the nearest one that leads to it."""
        with self._lock:
            if said is not self._of[0] or groups != self._of[1]:
                # predictions are folded before the edits, which do not depend on labels: they are many
                self._of, self._start = (said, groups), Replay(said if groups is None else groups.folded(said))
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
