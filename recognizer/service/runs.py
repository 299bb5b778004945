"""Runs: analyses, comparisons, drawings and live sessions, with their state, so that a restart can go on with them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    func,
    literal,
    select,
    true,
    update,
)

from recognizer.service import tables
from recognizer.service.database import Database, batched, put
from recognizer.service.run_tables import append_chunk, chunks_of, forget

Kind = Literal["analysis", "comparison", "drawing", "live", "video", "file"]
State = Literal["waiting", "running", "done", "cancelled", "failed"]
Sort = Literal["created", "opened", "name"]

UNFINISHED: Final[tuple[State, ...]] = ("waiting", "running")

UPLOADED: Final[tuple[Kind, ...]] = ("video", "file")
"""No runs: their rows stand for what was uploaded, until a run uses it (``uploads.py``)."""

REMARK: Final = "remark"
"""The fact that a run's user should know, in a sentence."""

_WHAT: Final = "runs"

_OF_ONE_TRY: Final = ("request", "server_id", "state", "problem", "progress", "started_at", "ended_at")


def new_run_id() -> str:
    """Return an id that cannot be guessed."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Run:
    """One run and its state.

    Attributes:
        run_id: identifies it; cannot be guessed.
        kind: what it does.
        state: how far it is.
        visitor_id: who started it; empty for the command line, and for what was stored before runs were.
        video_name: the user's name for the video.
        video_file: its name in the folder of files.
        video_sha256: its hash; empty if it is not known.
        request: what is needed to start it again.
        result_id: the analysis or comparison; a run of one of these has the same id.
        created_at: when somebody asked for it.
        started_at: when it began to work; None while it waits.
        ended_at: when it ended; None before.
        server_id: the server that works on it; empty if none does.
        heartbeat_at: when that server last said so.
        progress: completed share, 0 to 1.
        problem: why it failed, in a sentence; empty if it did not.
        opened_at: when somebody last looked at its result.
        title: the user's name for the run; empty for the video's.
        tags: the user's words for it.
        removed_at: when it was deleted, which can be undone until ``purge``; None if it was not.
        facts: what a list says of its result, such as the classifier, and the number of people.
    """

    run_id: str
    kind: Kind
    video_name: str
    video_file: str = ""
    video_sha256: str = ""
    state: State = "waiting"
    visitor_id: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    result_id: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    ended_at: datetime | None = None
    server_id: str = ""
    heartbeat_at: datetime | None = None
    progress: float = 0.0
    problem: str = ""
    opened_at: datetime | None = None
    title: str = ""
    tags: tuple[str, ...] = ()
    removed_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in lists."""
        return self.title or self.video_name

    @property
    def remark(self) -> str:
        """A remark for its user, in a sentence; empty for none."""
        return str(self.facts.get(REMARK, ""))

    @property
    def is_finished(self) -> bool:
        """Whether it ended, in whatever way."""
        return self.state not in UNFINISHED


@dataclass(frozen=True)
class RunQuery:
    """A query: which runs, in which order.

    Attributes:
        visitor_ids: runs that these visitors started; None for everybody's.
        run_ids: also these runs, whoever started them; alone, if ``visitor_ids`` is empty.
        text: only those whose title, video or tags hold it, in capitals or not.
        kinds: only these kinds; empty for all runs.
        uploads: also what was uploaded and is no run, if no kinds are named.
        states: only these states; empty for all.
        removed: deleted runs instead of those that are there.
        sort: the latest first, or by name.
    """

    visitor_ids: Collection[str] | None = None
    run_ids: Collection[str] = ()
    text: str = ""
    kinds: Collection[Kind] = ()
    uploads: bool = False
    states: Collection[State] = ()
    removed: bool = False
    sort: Sort = "created"


_Runs: TypeAlias = list[Run]  # within the class, ``list`` is a method
_Chunks: TypeAlias = list[bytes]


class RunStore:
    """Stores runs and their save points. Safe to call from any thread; every method may raise ``StoreError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, run: Run) -> None:
        """Store a new run; nothing changes if there is one with its id."""
        with self._database.transaction(_WHAT) as connection:
            put(connection, tables.run, [_values(run)], update=())

    def again(self, run: Run) -> None:
        """Let a run that ended be as this one: waiting with another request, or again as it ended.

        Whose it is, its name, its tags and its facts stay.
        """
        values = _values(run)
        self._change(run.run_id, **{name: values[name] for name in _OF_ONE_TRY})

    def load(self, run_id: str) -> Run | None:
        """Return the run with this id; None if there is none."""
        with self._database.reading() as connection:
            return _load(connection, run_id)

    def list(self, query: RunQuery) -> _Runs:
        """Return the runs that a query describes, in its order."""
        run = tables.run.c
        conditions = [run.removed_at.is_not(None) if query.removed else run.removed_at.is_(None)]
        if query.kinds:
            conditions.append(run.kind.in_(query.kinds))
        elif not query.uploads:
            conditions.append(run.kind.not_in(UPLOADED))
        conditions += [run.state.in_(query.states)] if query.states else []
        with self._database.reading() as connection:
            found = {
                row.run_id: _run(row)
                for of_these in _owned(query)
                for row in connection.execute(select(tables.run).where(*conditions, of_these))
            }
        text = query.text.casefold().strip()
        return sorted((one for one in found.values() if _matches(one, text)), **_ORDERS[query.sort])

    def video_uses(self, *, uploads: bool = False) -> dict[str, int]:
        """Return how many runs that are not deleted use each video, by its name in the folder of files.

        Args:
            uploads: whether those who uploaded it, and have not used it yet, count too.
        """
        run = tables.run.c
        conditions = [run.removed_at.is_(None)]
        conditions += [] if uploads else [run.kind.not_in(UPLOADED)]
        counted = select(run.video_file, func.count()).where(*conditions).group_by(run.video_file)
        with self._database.reading() as connection:
            return {name: count for name, count in connection.execute(counted) if name}

    def begin(self, run_id: str, server_id: str) -> bool:
        """Note that a server works on a run; return False if the run ended, or is another server's."""
        now = datetime.now(UTC)
        run = tables.run.c
        with self._database.transaction(_WHAT) as connection:
            changed = connection.execute(
                update(tables.run)
                .where(run.run_id == run_id, run.state.in_(UNFINISHED), run.server_id.in_(("", server_id)))
                .values(
                    state="running",
                    server_id=server_id,
                    heartbeat_at=now,
                    started_at=func.coalesce(run.started_at, literal(now, tables.Time)),
                )
            )
        return changed.rowcount == 1

    def beat(self, run_id: str, progress: float, chunk: bytes | None = None, *, server_id: str | None = None) -> bool:
        """Note that a run is alive, and store its next save point, in one transaction.

        Args:
            run_id: the run.
            progress: completed share, 0 to 1.
            chunk: what it did since the last save point.
            server_id: whose run it has to be; None for any server's.

        Returns:
            False if the run is no longer running, or is another server's; then nothing is stored.
        """
        run = tables.run.c
        conditions = [run.run_id == run_id, run.state == "running"]
        conditions += [] if server_id is None else [run.server_id == server_id]
        with self._database.transaction(_WHAT) as connection:
            changed = connection.execute(
                update(tables.run).where(*conditions).values(heartbeat_at=datetime.now(UTC), progress=progress)
            )
            if changed.rowcount == 1 and chunk is not None:
                append_chunk(connection, run_id, chunk)
        return changed.rowcount == 1

    def alive(self, server_id: str) -> None:
        """Note that a server is alive, for all its unfinished runs: those that wait give no sign themselves."""
        run = tables.run.c
        with self._database.transaction(_WHAT) as connection:
            connection.execute(
                update(tables.run)
                .where(run.server_id == server_id, run.state.in_(UNFINISHED))
                .values(heartbeat_at=datetime.now(UTC))
            )

    def end(
        self,
        run_id: str,
        state: State,
        problem: str = "",
        facts: Mapping[str, Any] | None = None,
        video_file: str | None = None,
    ) -> None:
        """Note how a run ended, and remove its save points.

        Args:
            run_id: the run.
            state: how it ended.
            problem: why it failed, in a sentence.
            facts: what a list says of its result; None to leave it.
            video_file: the video, if there is one only now; None to leave it.
        """
        values: dict[str, Any] = {"state": state, "problem": problem, "ended_at": datetime.now(UTC)}
        values |= {} if facts is None else {"facts": json.dumps(facts)}
        values |= {} if video_file is None else {"video_file": video_file}
        values |= {"progress": 1.0} if state == "done" else {}
        with self._database.transaction(_WHAT) as connection:
            connection.execute(update(tables.run).where(tables.run.c.run_id == run_id).values(values))
            connection.execute(delete(tables.run_chunk).where(tables.run_chunk.c.run_id == run_id))

    def chunks(self, run_id: str) -> _Chunks:
        """Return the save points of a run, the first first."""
        chunk = tables.run_chunk.c
        with self._database.reading() as connection:
            stored = select(chunk.document).where(chunk.run_id == run_id).order_by(chunk.number)
            return [bytes(document) for document in connection.scalars(stored)]

    def chunk_count(self, run_id: str) -> int:
        """Return how many save points a run has."""
        with self._database.reading() as connection:
            return connection.scalar(chunks_of(run_id)) or 0

    def claim(self, server_id: str, lost: Collection[str]) -> _Runs:
        """Take over the unfinished runs of servers that are gone, the oldest first, and return them.

        If several servers ask at once, each run goes to one of them.
        """
        run = tables.run.c
        with self._database.transaction(_WHAT) as connection:
            orphans = select(run.run_id).where(
                run.state.in_(UNFINISHED), run.server_id.in_(lost), run.removed_at.is_(None)
            )
            run_ids = list(connection.scalars(orphans.order_by(run.created_at)))
            for run_id in run_ids:
                connection.execute(
                    update(tables.run)
                    .where(run.run_id == run_id)
                    .values(server_id=server_id, heartbeat_at=datetime.now(UTC))
                )
            claimed = (_load(connection, run_id) for run_id in run_ids)
            return [one for one in claimed if one is not None]

    def opened(self, run_id: str) -> None:
        """Note that somebody looks at the result of a run."""
        self._change(run_id, opened_at=datetime.now(UTC))

    def set_facts(self, run_id: str, facts: Mapping[str, Any]) -> None:
        """Store what a list says of the result of a run."""
        self._change(run_id, facts=json.dumps(facts))

    def rename(self, run_id: str, title: str) -> None:
        """Store the user's name for a run; an empty one is the video's."""
        self._change(run_id, title=title)

    def tag(self, run_id: str, tags: Sequence[str]) -> None:
        """Store the user's words for a run in place of earlier ones."""
        self._change(run_id, tags=json.dumps(list(dict.fromkeys(tags))))

    def remove(self, run_id: str) -> None:
        """Delete a run from all lists; ``restore`` brings it back."""
        self._change(run_id, removed_at=datetime.now(UTC))

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back."""
        self._change(run_id, removed_at=None)

    def forget(self, run: Run) -> None:
        """Remove a run for good, with its result and corrections."""
        with self._database.transaction(_WHAT) as connection:
            forget(connection, run)

    def purge(self, before: datetime, visitor_id: str | None = None) -> _Runs:
        """Forget the runs that were deleted before a time, with their results and corrections, and return them.

        Args:
            before: the time.
            visitor_id: whose runs; None for everybody's.
        """
        run = tables.run.c
        conditions = [run.removed_at < before]
        conditions += [] if visitor_id is None else [run.visitor_id == visitor_id]
        with self._database.transaction(_WHAT) as connection:
            gone = list(map(_run, connection.execute(select(tables.run).where(*conditions))))
            for one in gone:
                forget(connection, one)
        return gone

    def _change(self, run_id: str, **values: Any) -> None:
        with self._database.transaction(_WHAT) as connection:
            connection.execute(update(tables.run).where(tables.run.c.run_id == run_id).values(values))


_ORDERS: Final[Mapping[Sort, Mapping[str, Any]]] = {
    "created": {"key": attrgetter("created_at"), "reverse": True},
    "opened": {"key": lambda one: one.opened_at or one.created_at, "reverse": True},
    "name": {"key": lambda one: one.name.casefold()},
}


def _owned(query: RunQuery) -> Iterable[ColumnElement[bool]]:
    """Return conditions, each short enough for one statement; a run may fulfil several."""
    if query.visitor_ids is None and not query.run_ids:
        return [true()]
    run = tables.run.c
    conditions = [run.visitor_id.in_(query.visitor_ids)] if query.visitor_ids else []
    return [*conditions, *(run.run_id.in_(part) for part in batched(query.run_ids))]


def _matches(run: Run, text: str) -> bool:
    return any(text in words.casefold() for words in (run.title, run.video_name, *run.tags))


def _load(connection: Connection, run_id: str) -> Run | None:
    row = connection.execute(select(tables.run).where(tables.run.c.run_id == run_id)).one_or_none()
    return None if row is None else _run(row)


def _values(run: Run) -> dict[str, Any]:
    values = {one.name: getattr(run, one.name) for one in fields(run)}
    return values | {
        "request": json.dumps(run.request),
        "tags": json.dumps(run.tags),
        "facts": json.dumps(run.facts),
        "result_id": run.result_id or run.run_id,
    }


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    for name in ("request", "tags", "facts"):
        values[name] = json.loads(values[name])
    return Run(**values | {"tags": tuple(values["tags"])})
