"""An edit in a few words: the page offers to undo it by this name."""

from __future__ import annotations

from collections.abc import Callable

from recognizer.timeline.edits import (
    Add,
    Check,
    Cut,
    Delete,
    Edit,
    Hide,
    Join,
    Merge,
    MoveEdge,
    Name,
    Relabel,
    Restore,
    SingleEdit,
    Split,
    Together,
)


def _person(person_id: int) -> str:
    return f"person {person_id}"


def title_of(edit: Edit, who: Callable[[int], str] = _person) -> str:
    """Return what an edit does, such as ``merge person 3 into person 1``.

    Args:
        edit: the edit.
        who: names a person.
    """
    if isinstance(edit, Together):
        first, others = title_of(edit.edits[0], who), len(edit.edits) - 1
        return f"{first} and {others} more" if others else first
    return _single_title(edit, who(edit.person_id), who)


def _single_title(edit: SingleEdit, person: str, who: Callable[[int], str]) -> str:
    match edit:
        case Merge():
            return f"merge {person} into {who(edit.into)}"
        case Split():
            return f"split {person} at {_time(edit.at_s)}"
        case Hide():
            return f"hide {person}" if edit.hidden else f"show {person}"
        case Name():
            return f"name {_person(edit.person_id)} {edit.name}" if edit.name else f"remove the name of {person}"
        case Join():
            return f"join segments of {person} from {_time(edit.start_s)} as {edit.action}"
        case Add():
            return f"add {edit.action} to {person} at {_time(edit.start_s)}"
        case Relabel():
            return f"relabel {person} at {_time(edit.start_s)} as {edit.action}"
        case Delete():
            return f"delete a segment of {person} at {_time(edit.start_s)}"
        case Cut():
            return f"cut {edit.action} of {person} at {_time(edit.at_s)}"
        case MoveEdge():
            return f"move an edge of {person} to {_time(edit.to_s)}"
        case Check():
            return f"{'check' if edit.checked else 'uncheck'} {person} from {_time(edit.start_s)}"
        case Restore():
            return f"restore {person} from {_time(edit.start_s)}"


def _time(time_s: float) -> str:
    """Format a time as ``7.3 s``, ``1:07.3`` or ``1:02:07.3``."""
    tenths = round(time_s * 10)
    minutes, seconds = divmod(tenths, 600)
    if not minutes:
        return f"{seconds / 10:.1f} s"
    hours, minutes = divmod(minutes, 60)
    rest = f"{minutes:02d}:{seconds / 10:04.1f}" if hours else f"{minutes}:{seconds / 10:04.1f}"
    return f"{hours}:{rest}" if hours else rest
