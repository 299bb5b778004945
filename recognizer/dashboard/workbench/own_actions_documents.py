"""The documents of the workbench's addresses for own actions; see ``documents.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from recognizer.dashboard.workbench.documents import TimelineDocument

Features = Literal["kept", "gone", "off"]
"""What an analysis can be taught from: kept, removed or from before there were any, or not wanted."""


class ActionsDocument(Struct, rename="camel"):
    """What can be taught from an analysis.

    ``set`` is the set that an example would go to, None for a first one; ``title`` and ``names`` are that set's.
    ``remark`` says why nothing can be taught, if ``features`` are not kept.
    """

    set: str | None
    title: str
    names: Sequence[str]
    features: Features
    remark: str | None


class ExampleRequest(Struct, rename="camel"):
    """A moment to teach; ``sets`` are the browser's own, oldest first, and ``action`` is None for none of these."""

    sets: list[str]
    person_id: int
    start_s: float
    end_s: float
    action: str | None


class TaughtDocument(Struct, rename="camel"):
    """What was taught, and the analysis as it is shown now; ``remark`` says why it has no own names yet."""

    timeline: TimelineDocument
    set: str
    title: str
    example: str
    action: str | None
    remark: str | None


class ForgetRequest(Struct):
    """An example to remove, or to bring back."""

    set: str
    example: str
    forgotten: bool = True


class ForgottenDocument(Struct):
    """The analysis as it is shown without an example, or with it again."""

    timeline: TimelineDocument


class AlikeRequest(Struct, rename="camel"):
    """A moment, and the analyses to search for others like it."""

    person_id: int
    start_s: float
    end_s: float
    analyses: list[str]


class MomentDocument(Struct, rename="camel"):
    """A moment of some analysis; the address of its picture is relative to that of the asking analysis."""

    analysis_id: str
    video: str
    person_id: int
    start_s: float
    end_s: float
    likeness: float
    picture: str


class AlikeDocument(Struct):
    """The moments that look more alike than any two, the most alike first."""

    moments: Sequence[MomentDocument]
