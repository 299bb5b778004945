"""A comparison with label groups in place of labels: what is alike for a study counts as alike."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

from recognizer.annotations.model import Truth, TruthRow
from recognizer.comparison.model import Comparison, Entry
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline


def grouped(comparison: Comparison, groups: LabelGroups | None) -> Comparison:
    """Return a comparison in which all classifiers name groups; the same without groups.

    Timelines are folded once for the latest groups, because they are long.
    """
    if groups is None:
        return comparison
    return Comparison(tuple(_grouped_entry(entry, groups) for entry in comparison.entries))


def grouped_truth(truth: Truth, groups: LabelGroups | None) -> Truth:
    """Return a user's labels with groups in place of labels; the same without groups."""
    if groups is None:
        return truth
    return replace(truth, rows=_grouped_rows(truth.rows, groups), apart=_grouped_rows(truth.apart, groups))


def _grouped_entry(entry: Entry, groups: LabelGroups) -> Entry:
    labels = tuple(dict.fromkeys(map(groups.group_of, entry.labels)))
    timeline = None if entry.timeline is None else _folded(entry.timeline, groups)
    return replace(entry, labels=labels, timeline=timeline)


def _grouped_rows(rows: tuple[TruthRow, ...], groups: LabelGroups) -> tuple[TruthRow, ...]:
    return tuple(replace(row, action=groups.group_of(row.action)) for row in rows)


_folded_of: WeakKeyDictionary[Timeline, tuple[LabelGroups, Timeline]] = WeakKeyDictionary()


def _folded(timeline: Timeline, groups: LabelGroups) -> Timeline:
    known = _folded_of.get(timeline)
    if known is None or known[0] != groups:
        known = _folded_of[timeline] = groups, groups.folded(timeline)
    return known[1]
