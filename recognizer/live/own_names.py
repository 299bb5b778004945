"""A user's own names in a live stream, from the features of its latest clips."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from recognizer.actions.head import Head
from recognizer.actions.model import ActionSet
from recognizer.actions.naming import judged, named
from recognizer.actions.provenance import Mode
from recognizer.timeline.features import feature_space, feature_table
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction

WINDOW_S: Final = 5.0
"""A new clip is named together with those that end up to this long before it starts."""

_MOST_NAMED: Final = 256
"""Predictions whose names are remembered; a person has one at a time in the picture."""

_TOO_FEW: Final = "own names appear once two actions have a moment, or one action and “none of these”."


class Taught(NamedTuple):
    """A set at its latest revision, and what it teaches; no head until there are two kinds of examples."""

    actions: ActionSet
    head: Head | None


class LiveNames:
    """The own names of a stream's latest predictions. Its methods may be called from any thread.

    Attributes:
        mode: how own names are shown.
        problem: one sentence that says why there are none; None if there are some, or no set is chosen.
    """

    def __init__(self) -> None:
        self.mode: Mode = "instead"
        self.problem: str | None = None
        self._taught: Callable[[], Taught | None] | None = None
        self._named: dict[int, Prediction] = {}
        self._lock = threading.Lock()

    @property
    def are_chosen(self) -> bool:
        """Whether a set is chosen."""
        return self._taught is not None

    def use(self, taught: Callable[[], Taught | None] | None, mode: Mode) -> None:
        """Use another set, which ``taught`` returns as it is at the moment; None for the network's labels."""
        with self._lock:
            self._taught, self.mode, self.problem, self._named = taught, mode, None, {}

    def timeline(self, timeline: Timeline) -> Timeline:
        """Return a timeline of the stream with own names; as it is where there are none."""
        taught = None if self._taught is None else self._taught()
        if taught is None:
            return timeline
        table = feature_table(timeline.predictions)
        space = None if table is None else feature_space(timeline, table)
        if table is None or space is None:
            if timeline.predictions:
                self.problem = "this session keeps no features, so nobody gets own names; switch Keep features on."
            return timeline
        self.problem = taught.actions.misfit(space, table.views) or (_TOO_FEW if taught.head is None else None)
        if self.problem is not None or taught.head is None:
            return timeline
        return named(timeline, judged(timeline, table, taught.head), taught.actions, self.mode)

    def add(self, timeline: Timeline) -> None:
        """Name the predictions of the stream's last seconds."""
        found = {id(one.features): one for one in self.timeline(timeline).predictions if one.features is not None}
        with self._lock:
            if self._taught is not None and self.problem is None:
                # a prediction is found by its features, which stay the same object, while its person may be renumbered
                self._named = dict([*self._named.items(), *found.items()][-_MOST_NAMED:])

    def of(self, prediction: Prediction | None) -> Prediction | None:
        """Return a prediction with own names; as it is where there are none."""
        return prediction if prediction is None else self._named.get(id(prediction.features), prediction)
