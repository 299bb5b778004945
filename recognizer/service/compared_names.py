"""Own names in a comparison: a layer over its entries, made from their kept features whenever they are shown.

Entries are stored and used again as the networks said them, whatever names they are shown with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from recognizer.actions.model import ActionSet, Background, background_of
from recognizer.actions.provenance import Mode
from recognizer.comparison.model import Comparison, Entry
from recognizer.errors import ActionsError
from recognizer.service.comparisons import StoredComparison, features_id
from recognizer.service.own_names import Naming
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.model import Timeline

_NO_FEATURES: Final = "its features are not kept; start a new comparison of this video."


@dataclass(frozen=True, eq=False)
class NamedComparison:
    """A comparison with the names of a set.

    Attributes:
        comparison: the entries, with own names where they fit.
        title: the set's title; None for the classifiers' labels alone.
        notes: sentences about entries that keep their labels, and about how well the names fit the others.
    """

    comparison: Comparison
    title: str | None = None
    notes: tuple[str, ...] = ()


def named_comparison(naming: Naming, shown: StoredComparison, comparison: Comparison) -> NamedComparison:
    """Return a comparison with the names of the set that is chosen for it.

    Args:
        naming: names timelines.
        shown: the stored comparison.
        comparison: the part of it that is wanted.

    Raises:
        StoreError: the set is damaged, or the database cannot be read.
    """
    chosen = naming.sets.chosen(shown.comparison_id)
    if chosen.set_id is None:
        return NamedComparison(comparison)
    title = None
    entries: list[Entry] = []
    keeping: dict[str, list[str]] = {}
    remarks: dict[str, None] = {}
    for entry in comparison.entries:
        entries.append(entry)
        if entry.timeline is None or not entry.timeline.predictions:
            continue
        one = _as_analysis(shown, entry, entry.timeline)
        own = naming.names(one, chosen)
        if own is None:  # the set has gone
            continue
        title = own.actions.title or "your set"
        why = _NO_FEATURES if naming.space(one) is None else own.problem
        if own.timeline is not None:
            with_names = entry_named(entry, own.timeline, own.actions, own.mode)
            entries[-1:] = [entry, with_names] if own.mode == "beside" else [with_names]
        if why is not None:
            keeping.setdefault(why, []).append(entry.name)
        elif own.remark is not None:
            remarks[own.remark] = None
    notes = (*(_kept(names, why) for why, names in keeping.items()), *remarks)
    return NamedComparison(Comparison(tuple(entries)), title, notes)


def _kept(names: Sequence[str], why: str) -> str:
    """Return one sentence about the entries that keep their labels for the same reason."""
    keep = "keeps its labels" if len(names) == 1 else "keep their labels"
    return f"{' and '.join(names)} {keep}: {why[0].lower()}{why[1:]}"  # a name may have a comma


def entry_named(entry: Entry, timeline: Timeline, actions: ActionSet, mode: Mode) -> Entry:
    """Return an entry with own names; with ``beside``, one more entry, which costs no network anything.

    Args:
        entry: the entry as its network said it.
        timeline: its timeline with own names.
        actions: the set that names it.
        mode: how the names are shown.
    """
    labels = (*entry.labels, *actions.names) if mode == "instead" else actions.names
    named = replace(entry, timeline=timeline, labels=tuple(dict.fromkeys(labels)))
    return replace(named, name=f"{actions.title} ({entry.name})", cost=None) if mode == "beside" else named


def why_not(naming: Naming, shown: StoredComparison, entry: Entry, actions: ActionSet) -> str | None:
    """Return one sentence that says why a set does not fit an entry that ran; None if it does."""
    assert entry.timeline is not None
    one = _as_analysis(shown, entry, entry.timeline)
    return _NO_FEATURES if naming.space(one) is None else naming.misfit(one, actions)


def choose(naming: Naming, shown: StoredComparison, set_id: str | None, mode: Mode) -> None:
    """Show a comparison with a set, or with the classifiers' labels.

    Raises:
        ActionsError: the set fits none of its entries, or is not on this machine.
        StoreError: the database cannot be written to.
    """
    if set_id is not None:
        actions = naming.set(set_id)
        if actions is None:
            raise ActionsError("this set is not on this machine; load the page again.")
        _learn_background(naming, shown, actions)
    naming.sets.choose(shown.comparison_id, set_id, mode)


def _learn_background(naming: Naming, shown: StoredComparison, actions: ActionSet) -> None:
    """Have a set know what the moments of this video share: other videos have other places and other people."""
    why = None
    for entry in shown.comparison.finished:
        assert entry.timeline is not None
        why = why_not(naming, shown, entry, actions)
        table = naming.table(_as_analysis(shown, entry, entry.timeline))
        if why is None and table is not None:
            key = shown.video.sha256 or shown.video.name
            naming.sets.know_background(actions.set_id, Background(key, background_of(table)))
            return
    raise ActionsError(why or "no classifier has finished yet; choose a set when one has.")


def _as_analysis(shown: StoredComparison, entry: Entry, timeline: Timeline) -> StoredAnalysis:
    """Return an entry as the analysis that it would be alone."""
    item_id = features_id(shown.comparison_id, entry.settings)
    return StoredAnalysis(item_id, shown.created_at, shown.video.name, shown.video.path, timeline)
