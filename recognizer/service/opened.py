"""An opened analysis or comparison: what was said, what a person corrected, and what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.service.comparisons import StoredComparison
from recognizer.service.corrections import Revision
from recognizer.service.own_names import OwnNames
from recognizer.service.shown import Lane, Layer, Recent, Shown, View, shown_of
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.corrections import Corrected
from recognizer.timeline.edit_titles import title_of
from recognizer.timeline.edits import Span
from recognizer.timeline.model import Timeline
from recognizer.types import Segment

TRUTH_LAYER: Final = "Your labels"

_MOST_VIEWS: Final = 8
"""Views whose segments stay in memory: a slider that goes back and forth, in a few tabs."""


@dataclass(frozen=True, eq=False)
class Opened:
    """An analysis or a comparison as it is at one revision.

    Attributes:
        stored: what is opened.
        machine: the result of the analysis as the classifier said it; of a comparison, that of its first entry.
        said: what corrections and groups begin with: ``machine``, or the same with own names.
        layers: the results that are shown: one for an analysis, or own names and then the network's labels; one for
            each entry of a comparison that ran. Only the first layer of an analysis can be corrected.
        revision: the corrections and groups; a comparison has groups alone.
        own: the set of own actions that the analysis is shown with, whether or not it fits; None without one.
    """

    stored: StoredAnalysis | StoredComparison
    machine: Timeline
    said: Timeline
    layers: tuple[Layer, ...]
    revision: Revision
    own: OwnNames | None = None
    _views: Recent = field(default_factory=lambda: Recent(_MOST_VIEWS), repr=False)

    @property
    def is_comparison(self) -> bool:
        """Whether it is a comparison, which nobody can correct."""
        return isinstance(self.stored, StoredComparison)

    @property
    def video_name(self) -> str:
        """The user's name for the video."""
        return self.stored.video.name if isinstance(self.stored, StoredComparison) else self.stored.video_name

    @property
    def video_path(self) -> Path:
        """Path of the video; the file may have been removed."""
        return self.stored.video.path if isinstance(self.stored, StoredComparison) else self.stored.video_path

    @property
    def corrected(self) -> Corrected:
        """The corrected result of an analysis, with groups in place of labels."""
        return self.layers[0].corrected

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """All labels that a segment can get, in alphabetical order; none for a comparison."""
        if self.is_comparison:
            return ()
        known = set(self.own.actions.names) if self.own is not None else set()
        if self.own is None or self.own.mode != "only" or self.own.timeline is None:
            known |= _machine_labels(self.machine)
        groups = self.revision.groups
        known = known if groups is None else set(map(groups.group_of, known))
        known.update(
            span.action for spans in self.corrected.decided.values() for span in spans if span.action is not None
        )
        return tuple(sorted(known, key=lambda label: (label.casefold(), label)))

    @property
    def hidden(self) -> Mapping[int, str]:
        """The people whom the user has hidden, with their titles."""
        return {person_id: name or _numbered(person_id) for person_id, name in self.corrected.hidden.items()}

    @property
    def next_person_id(self) -> int:
        """A number that nobody has or had, for the other part of a split."""
        people = (*self.machine.people, *self.corrected.timeline.people)
        return 1 + max((*(track.person_id for track in people), *self.corrected.hidden), default=0)

    @property
    def undo_title(self) -> str | None:
        """What undo takes back; None if there is nothing."""
        edits = self.revision.corrections.edits
        return title_of(edits[-1], self._who) if edits else None

    @property
    def redo_title(self) -> str | None:
        """What redo makes again; None if there is nothing."""
        undone = self.revision.corrections.undone
        return title_of(undone[0], self._who) if undone else None

    def title(self, person_id: int) -> str:
        """Return the user's name for a person, or ``Person 3``."""
        return self.corrected.names.get(person_id) or _numbered(person_id)

    def _who(self, person_id: int) -> str:
        name = self.corrected.names.get(person_id) or self.corrected.hidden.get(person_id)
        return name or f"person {person_id}"

    def lanes(self, shows_brief: bool = True) -> tuple[Lane, ...]:
        """Return a lane for each person; in a comparison, a user's labels, then the classifiers' of the same person."""
        lanes = [Lane(k, track) for k, layer in enumerate(self.layers) for track in layer.tracks(shows_brief)]
        return tuple(
            sorted(lanes, key=lambda one: (one.track.person_id, not self.layers[one.layer].is_truth, one.layer))
        )

    def show(self, view: View) -> Shown:
        """Return what a view shows; the latest few stay in memory."""
        return self._views.get(view, lambda: shown_of(self.layers, self.lanes(view.shows_brief), view))

    def segments(self, view: View) -> tuple[Segment, ...]:
        """Return the segments of a view, for tables and exports."""
        return self.show(view).segments


def opened_comparison(stored: StoredComparison) -> Opened | None:
    """Return an opened comparison; None while no entry has run."""
    entries = [(entry.name, entry.timeline) for entry in stored.comparison.entries if entry.timeline is not None]
    if not entries:
        return None
    layers = [Layer(name, Corrected(timeline)) for name, timeline in entries]
    if stored.truth:  # last, because the first is the one that the picture and the people's titles follow
        layers.append(Layer(TRUTH_LAYER, _decided_by(stored.truth, entries[0][1]), is_truth=True))
    revision = Revision(stored.number or len(entries), groups=stored.groups)
    return Opened(stored, entries[0][1], entries[0][1], tuple(layers), revision)


def _decided_by(truth: Sequence[Segment], timeline: Timeline) -> Corrected:
    """Return a result that says what a user's labels say; no threshold changes it."""
    decided = {
        person_id: tuple(Span(one.start_s, one.end_s, one.action) for one in of_person)
        for person_id, of_person in groupby(truth, attrgetter("person_id"))
    }
    return Corrected(timeline.with_people(timeline.people, {}), decided=decided)


def opened_analysis(
    stored: StoredAnalysis, said: Timeline, layers: tuple[Layer, ...], revision: Revision, own: OwnNames | None = None
) -> Opened:
    """Return an opened analysis at a revision."""
    return Opened(stored, stored.timeline, said, layers, revision, own)


def _numbered(person_id: int) -> str:
    return f"Person {person_id}"


_labels_of: WeakKeyDictionary[Timeline, frozenset[str]] = WeakKeyDictionary()


def _machine_labels(machine: Timeline) -> frozenset[str]:
    """Return what the classifier may say; looked for once, because there are many predictions."""
    found = _labels_of.get(machine)
    if found is None:
        known = set() if machine.settings.checkpoint_path is not None else set(KINETICS400_LABELS)
        known.update(label for prediction in machine.predictions for label, _ in prediction.top)
        found = _labels_of[machine] = frozenset(known)
    return found
