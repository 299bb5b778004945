"""The comparison of two classifiers that labelled one live stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recognizer.comparison.model import Comparison, Entry, named
from recognizer.timeline.model import Timeline


def compared(
    first: Timeline,
    first_labels: Sequence[str],
    other: Timeline,
    other_labels: Sequence[str],
    *,
    names_now: tuple[str, str],
    checkpoint_name: str | None,
) -> Comparison | None:
    """Return the comparison of both classifiers; None if the other one labelled nothing or became the same one.

    Args:
        first: the timeline of the stream's own classifier.
        first_labels: its labels.
        other: the timeline of the other classifier.
        other_labels: its labels.
        names_now: names of both at the end.
        checkpoint_name: the user's name for the first one's checkpoint.
    """
    if not other.predictions or other.settings == first.settings:
        return None
    entries = named(
        [
            Entry("", first.settings, checkpoint_name, tuple(first_labels), first),
            Entry("", other.settings, None, tuple(other_labels), other),
        ]
    )
    notes = [note for entry, name_now in zip(entries, names_now, strict=True) for note in _changes(entry, name_now)]
    return Comparison((replace(entries[0], timeline=replace(first, notes=(*first.notes, *notes))), entries[1]))


def _changes(entry: Entry, name_now: str) -> list[str]:
    """Return a note if a lane, which is named after its last classifier, holds labels of earlier ones."""
    names = dict.fromkeys(said.classifier for said in entry.timeline.predictions) if entry.timeline else {}
    before = [name for name in names if name != name_now]
    if not before:
        return []
    return [f"The classifier changed during the session: {entry.name} also stands for {' and '.join(before)}."]
