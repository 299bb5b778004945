"""The JSON documents of the list of runs. Keys are in camel case; times of day are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from recognizer.service.library import Item, Listing
from recognizer.service.runs import REMARK

_MOST_IDS = 1000
_MOST_TITLE_CHARS = 200
_MOST_TAGS = 20
_MOST_TAG_CHARS = 40

_Ids = Annotated[list[str], Meta(max_length=_MOST_IDS)]
_Tag = Annotated[str, Meta(max_length=_MOST_TAG_CHARS)]


class ListRequest(Struct, frozen=True):
    """Asks for the runs of a visitor.

    Attributes:
        ids: the results that this browser remembers.
        removed: deleted runs instead.
        only: only these runs; empty for all.
    """

    ids: _Ids = []
    removed: bool = False
    only: _Ids = []


class RenameRequest(Struct, tag="rename", frozen=True):
    """Gives a run a name; an empty one is the video's."""

    id: str
    title: Annotated[str, Meta(max_length=_MOST_TITLE_CHARS)]


class TagRequest(Struct, tag="tag", frozen=True):
    """Gives a run words in place of those that it had."""

    id: str
    tags: Annotated[list[_Tag], Meta(max_length=_MOST_TAGS)]


class CancelRequest(Struct, tag="cancel", frozen=True):
    """Stops a run."""

    id: str


class RemoveRequest(Struct, tag="remove", frozen=True):
    """Deletes a run."""

    id: str


class RestoreRequest(Struct, tag="restore", frozen=True):
    """Brings a deleted run back."""

    id: str


ChangeRequest = RenameRequest | TagRequest | CancelRequest | RemoveRequest | RestoreRequest


class RunDocument(Struct, frozen=True, rename="camel"):
    """One run; see ``service.runs.Run`` and ``service.library.Item``.

    Attributes:
        result: the analysis or comparison that it made, or draws.
        is_own: whether this visitor started it.
        may_change: whether this visitor may rename, cancel and delete it.
        place: its number in the line; 0 if it does not wait.
    """

    id: str
    result: str
    kind: str
    state: str
    name: str
    title: str
    video: str
    created: datetime
    opened: datetime | None
    removed: datetime | None
    duration_s: float | None
    classifier: str
    settings: str
    people: int | None
    progress: float
    problem: str
    remark: str
    tags: tuple[str, ...]
    status: str
    place: int
    starts_in_s: float | None
    bytes: int
    has_video: bool
    has_picture: bool
    video_runs: int
    is_own: bool
    may_change: bool


class ListDocument(Struct, frozen=True, rename="camel"):
    """The runs of a visitor, what their videos take, and what is free on the disk."""

    runs: list[RunDocument]
    bytes: int
    free_bytes: int
    sees_all: bool


def list_document(listing: Listing, visitor_id: str, *, sees_all: bool) -> ListDocument:
    """Return a list as this visitor sees it."""
    runs = [_run(item, visitor_id, sees_all=sees_all) for item in listing.items]
    return ListDocument(runs, listing.size_bytes, listing.free_bytes, sees_all)


def _run(item: Item, visitor_id: str, *, sees_all: bool) -> RunDocument:
    run, facts, place = item.run, item.facts, item.place
    is_own = bool(visitor_id) and run.visitor_id == visitor_id
    return RunDocument(
        id=run.run_id,
        result=run.result_id,
        kind=run.kind,
        state=run.state,
        name=run.name,
        title=run.title,
        video=run.video_name,
        created=run.created_at,
        opened=run.opened_at,
        removed=run.removed_at,
        duration_s=facts.get("duration_s"),
        classifier=str(facts.get("classifier", "")),
        settings=str(facts.get("settings", "")),
        people=facts.get("people"),
        progress=run.progress,
        problem=run.problem,
        remark=str(facts.get(REMARK, "")),
        tags=run.tags,
        status=item.status,
        place=0 if place is None else place.number,
        starts_in_s=None if place is None else place.starts_in_s,
        bytes=item.size_bytes,
        has_video=item.has_video,
        has_picture=item.has_picture,
        video_runs=item.video_runs,
        is_own=is_own,
        may_change=sees_all or is_own,
    )
