"""Remarks about what a reader mended or left out, counted by kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recognizer.errors import TruthError


@dataclass(frozen=True)
class Remark:
    """Something that was mended or left out.

    Attributes:
        what: the kind, in the plural: ``open ends``.
        count: how many.
        place: the first of them: ``row 3``; empty if it does not help.
        left_out: whether they are left out; otherwise they are mended.
    """

    what: str
    count: int
    place: str = ""
    left_out: bool = False


class Tally:
    """Counts remarks by kind, in the order of their first."""

    def __init__(self) -> None:
        self._remarks: dict[tuple[str, bool], Remark] = {}

    def mend(self, what: str, place: str = "") -> None:
        """Count something that is mended."""
        self._add(what, place, left_out=False)

    def leave_out(self, what: str, place: str = "") -> None:
        """Count something that is left out."""
        self._add(what, place, left_out=True)

    def _add(self, what: str, place: str, *, left_out: bool) -> None:
        earlier = self._remarks.get((what, left_out))
        self._remarks[what, left_out] = Remark(
            what, 1 if earlier is None else earlier.count + 1, place if earlier is None else earlier.place, left_out
        )

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """The remarks so far."""
        return tuple(self._remarks.values())


def sentences(remarks: Iterable[Remark]) -> tuple[str, ...]:
    """Return one sentence about everything mended and one about everything left out."""
    remarks = tuple(remarks)
    lines = []
    for title, left_out in (("Mended", False), ("Left out", True)):
        parts = [_words(one) for one in remarks if one.left_out is left_out]
        if parts:
            lines.append(f"{title} in your labels: {'; '.join(parts)}.")
    return tuple(lines)


def _words(remark: Remark) -> str:
    if not remark.place:
        return f"{remark.what} ({remark.count})"
    return f"{remark.what} ({remark.count}, {'first ' if remark.count > 1 else ''}{remark.place})"


def check_any(labels: Sequence[object], tally: Tally, name: str) -> None:
    """Raise unless there are labels.

    Raises:
        TruthError: there are none; the message states what was left out.
    """
    if labels:
        return
    if not tally.remarks:
        raise TruthError(f"'{name}' has no label; give one row for each stretch of an action.")
    most = max(tally.remarks, key=lambda remark: remark.count)
    raise TruthError(
        f"'{name}' has no label that can be read: {most.what} ({most.count}, first {most.place}); give one row for "
        "each stretch of an action, with times in seconds, such as 12.5."
    )
