"""Labels that people made, independent of the file format: as a file has them, and matched with a video.

A reader returns a ``LabelFile`` and decides nothing that only its user knows. ``annotations.matching`` combines it
with the user's ``Answers`` and the video into a ``Truth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from recognizer.annotations.remarks import Remark

EVERYONE: Final = "everyone"
"""Answer for a name: its labels are for everyone in view."""
AN_ACTION: Final = "action"
"""Answer for a name: it is an action, of everyone in view; what its labels say does not count."""
LEFT_OUT: Final = "nobody"
"""Answer for a name: its labels are not used."""

_LATEST: Final = 1e12
"""No label is later, in seconds or frames: dates count seconds from 1970."""

Who = int | str
"""A person's number in the timeline, or one of EVERYONE, AN_ACTION and LEFT_OUT."""


@dataclass(frozen=True)
class Label:
    """One label as a file has it, on the file's own clock.

    Attributes:
        place: where the file has it, for messages: ``row 3``, ``annotation a12``.
        subject: who it is about, or the tier that it is in, as the file names it; empty if the file names nobody.
        action: the action, as the file spells it.
        start: its start in seconds, or in frames.
        end: its end, exclusive; None if the file leaves it open.
        in_frames: whether ``start`` and ``end`` count the video's frames from 0.

    Raises:
        ValueError: a time is not a number, or not finite.
    """

    place: str
    subject: str
    action: str
    start: float
    end: float | None
    in_frames: bool = False

    def __post_init__(self) -> None:
        for time in (self.start, 0.0 if self.end is None else self.end):
            if not (isinstance(time, (int, float)) and -_LATEST < time < _LATEST):
                raise ValueError(f"{self.place}: {str(time)[:40]} is not a time")


@dataclass(frozen=True)
class Part:
    """The labels of one of the recordings that a file is about, for example of one observation and media file.

    Attributes:
        name: distinguishes it from the file's other parts; empty if there is only one.
        labels: its labels, in the order of the file.
        media: name of the labelled video; None if the file does not state it.
        begins_s: time on the labels' clock at which the video begins; None if only ``ends_s`` is known.
        ends_s: time on the labels' clock at which the video ends; None if the file does not state it.
        open_until_end: whether an open end means the end of the video; otherwise it means the person's next label.
    """

    name: str
    labels: tuple[Label, ...]
    media: str | None = None
    begins_s: float | None = 0.0
    ends_s: float | None = None
    open_until_end: bool = False


@dataclass(frozen=True)
class LabelFile:
    """A file of labels as it was read.

    Attributes:
        name: name of the file.
        format: the format's name, such as ``BORIS, tabular events``.
        parts: the recordings that it is about, at least one.
        remarks: what was mended or left out while it was read.
        subjects_are_tiers: whether a label's subject is the name of its tier, which may be a person or not.
    """

    name: str
    format: str
    parts: tuple[Part, ...]
    remarks: tuple[Remark, ...] = ()
    subjects_are_tiers: bool = False

    @property
    def count(self) -> int:
        """Number of labels in all parts."""
        return sum(len(part.labels) for part in self.parts)


@dataclass(frozen=True)
class Answers:
    """A user's answers about a file of labels. The defaults answer nothing.

    Attributes:
        part: name of the part that is about the video; None to choose it by the video's name.
        people: who each name stands for.
        exclusive: the actions that exclude one another; None to take as many as never overlap, the longest first.
        begins_s: time on the labels' clock at which the video begins; None to take the file's.
    """

    part: str | None = None
    people: Mapping[str, Who] = field(default_factory=dict)
    exclusive: tuple[str, ...] | None = None
    begins_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return values for JSON; see ``from_dict``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Answers:
        """Return the answers with these values; see ``as_dict``."""
        exclusive = values.get("exclusive")
        return cls(
            values.get("part"),
            dict(values.get("people") or {}),
            None if exclusive is None else tuple(exclusive),
            values.get("begins_s"),
        )


@dataclass(frozen=True)
class TruthRow:
    """One label of a video, on the video's clock.

    Attributes:
        place: where the file has it, for messages.
        person_id: the labelled person; None for everyone present.
        action: the action, as the file spells it.
        start_s: its start.
        end_s: its end; exclusive.
    """

    place: str
    person_id: int | None
    action: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Truth:
    """A user's labels of one video.

    Attributes:
        name: name of the file.
        rows: the labels in the order of the file; those of one person do not overlap.
        apart: the labels of actions that may happen during others; each action is scored apart.
        notes: sentences about what was mended and what is left out.
        unknown: the names of people for which there is no answer; their labels are left out.
    """

    name: str
    rows: tuple[TruthRow, ...]
    apart: tuple[TruthRow, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
