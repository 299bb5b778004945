"""The findings of all videos of a batch: time per action by video and group, and bouts of an action.

Most of it is in the data set, which grows with the batch. Results that came since are read one by one, the latest
first, up to a number; how many are left out is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from recognizer.batch.dataset import PARTS, digest_of, part_name
from recognizer.batch.places import Batch
from recognizer.batch.results import BatchFolder
from recognizer.batch.watching import Watcher
from recognizer.errors import StoreError
from recognizer.settings import UNKNOWN_ACTION

if TYPE_CHECKING:
    import pyarrow as pa

MOST_LOOSE: Final = 500
"""Results that are read one by one: each costs some milliseconds once."""

_BOUT: Final = ("person_id", "start_s", "end_s", "duration_s", "confidence")

BoutOrder = Literal["longest", "surest", "video"]

_BOUT_ORDERS: Final[dict[BoutOrder, tuple[str, str]]] = {
    "longest": ("duration_s", "descending"),
    "surest": ("confidence", "descending"),
    "video": ("id", "ascending"),
}


@dataclass(frozen=True)
class BoutQuery:
    """A query for bouts of an action.

    Attributes:
        action: the action.
        min_duration_s: no shorter ones.
        min_confidence: no less probable ones.
        groups: only in these groups; empty for all.
        order: by what they are sorted.
    """

    action: str
    min_duration_s: float = 0.0
    min_confidence: float = 0.0
    groups: tuple[str, ...] = ()
    order: BoutOrder = "longest"


class Findings:
    """The findings of a batch, as it was when this was made.

    A video that was analyzed with several settings counts once in its group: with those that are asked for, or else
    with the latest that it was analyzed with.

    Args:
        batch: the batch.
        settings: digest of a recipe; None for the latest.

    Attributes:
        left_out: how many results that are done are not in it.
        settings: digests of the recipes of videos that have several, the latest first; empty if none has.

    Raises:
        StoreError: the manifest cannot be read; so do all methods if the data set or a result cannot.
    """

    def __init__(self, batch: Batch, settings: str | None = None) -> None:
        watcher = Watcher(batch)
        self._batch = batch
        rows = watcher.results()
        of_video: dict[tuple[str, str], dict[str, None]] = {}
        for row in rows:
            of_video.setdefault((row.group, row.sha256), {})[row.settings] = None
        self.settings = list(dict.fromkeys(one for found in of_video.values() if len(found) > 1 for one in found))
        wanted = settings or next(iter(self.settings), None)
        counts = {video: wanted if wanted in found else next(iter(found)) for video, found in of_video.items()}
        kept = (row for row in rows if counts[row.group, row.sha256] == row.settings)
        self._videos = [(row.result, row.id, row.group) for row in kept]
        loose = self._not_gathered(watcher.facts("people/"), {row.result for row in rows})
        self._loose = tuple(loose[:MOST_LOOSE])
        self.left_out = len(loose) - len(self._loose)

    @cached_property
    def actions(self) -> list[str]:
        """All actions, the one that took longest first, and ``unknown`` last."""
        found = self.by_group.group_by("action").aggregate([("time_s", "sum")]).to_pylist()
        total_s = {one["action"]: one["time_s_sum"] for one in found}
        return sorted(total_s, key=lambda action: (action == UNKNOWN_ACTION, -total_s[action], action))

    @cached_property
    def by_group(self) -> pa.Table:
        """Time per action in each group: columns lane (the group), action, time_s (of all people) and bouts.

        A result that two videos of a group share counts once.
        """
        places = list(dict.fromkeys((result, group) for result, _, group in self._videos))
        return self._summed([result for result, _ in places], [group for _, group in places])

    def by_video(self, results: Collection[str], actions: Collection[str]) -> pa.Table:
        """Return the time of these actions in each of these results, in the columns of ``by_group``."""
        import pyarrow.compute as pc

        return self._summed(list(results), list(results), pc.field("action").isin(list(actions)))

    @cached_property
    def seen_by_group(self) -> dict[str, float]:
        """For how many seconds people are in view in each group, all of them together."""
        seen_s = self.seen_by_video
        found: dict[str, float] = {}
        for result, group in dict.fromkeys((result, group) for result, _, group in self._videos):
            found[group] = found.get(group, 0.0) + seen_s.get(result, 0.0)
        return found

    @cached_property
    def seen_by_video(self) -> dict[str, float]:
        """For how many seconds people are in view in each result, all of them together."""
        found = _together(self._tables("people", _seen))
        return dict(zip(found["video"].to_pylist(), found["seen_s"].to_pylist(), strict=True))

    @cached_property
    def groups(self) -> list[str]:
        """The groups of the videos that are done, in order; an empty name for those without one."""
        return sorted({group for _, _, group in self._videos})

    def videos(self, groups: Collection[str] = ()) -> dict[str, tuple[str, str]]:
        """Return id and group by result, of these groups or of all; the first that has a result."""
        found: dict[str, tuple[str, str]] = {}
        for result, name, group in self._videos:
            if not groups or group in groups:
                found.setdefault(result, (name, group))
        return found

    def bouts(self, query: BoutQuery) -> pa.Table:
        """Return the bouts that fit a query: columns video (the result), id, group, and those of a segment."""
        import pyarrow as pa
        import pyarrow.compute as pc

        fits = (
            (pc.field("action") == query.action)
            & (pc.field("duration_s") >= query.min_duration_s)
            & (pc.field("confidence") >= query.min_confidence)
        )

        def fitting(table: Any) -> Any:
            return table.filter(fits).select(["video", *_BOUT])

        known = self.videos(query.groups)
        names = pa.table(
            {
                "video": pa.array(known, pa.string()),
                "id": pa.array([name for name, _ in known.values()], pa.string()),
                "group": pa.array([group for _, group in known.values()], pa.string()),
            }
        )
        found = _together(self._tables("segments", fitting, fits)).join(names, "video", join_type="inner")
        then = [(column, "ascending") for column in ("video", "start_s", "person_id")]
        return found.select(["video", "id", "group", *_BOUT]).sort_by([_BOUT_ORDERS[query.order], *then])

    def _summed(self, results: Sequence[str], lanes: Sequence[str], fits: Any = None) -> pa.Table:
        """Return the sums of the lanes; each result is in the lane at its place.

        One part of the data set after the other, because millions of rows do not fit into memory.
        """
        import pyarrow as pa

        places = pa.table({"video": pa.array(results, pa.string()), "lane": pa.array(lanes, pa.string())})

        def summed(table: Any) -> Any:
            table = table if fits is None else table.filter(fits)
            found = table.join(places, "video", join_type="inner").group_by(["lane", "action"])
            return _named(found.aggregate([("duration_s", "sum"), ("duration_s", "count")]))

        found = _together(self._tables("segments", summed, fits)).group_by(["lane", "action"])
        sums = _named(found.aggregate([("time_s", "sum"), ("bouts", "sum")]))
        return sums.sort_by([("lane", "ascending"), ("time_s", "descending"), ("action", "ascending")])

    def _tables(self, name: str, reduce: Callable[[Any], Any], fits: Any = None) -> Iterator[Any]:
        """Yield what ``reduce`` makes of each part of a table of the data set, and of each result that is not in it.

        Args:
            name: of the table.
            reduce: makes less of it.
            fits: which rows to read; None for all.
        """
        yield reduce(_empty(name))
        for part in PARTS:
            path = self._batch.folder.data / part_name(name, part)
            if path.is_file():
                yield reduce(self._without_loose(part, _read(path, fits)))
        for result in self._loose:
            yield reduce(_loose(self._batch.folder.root, result, name))

    def _without_loose(self, part: str, rows: Any) -> Any:
        """Return the rows of a part without those that are read one by one: it may have been written just now."""
        import pyarrow as pa
        import pyarrow.compute as pc

        loose = [result for result in self._loose if result[0] == part]
        return rows.filter(pc.invert(pc.is_in(rows["video"], pa.array(loose, pa.string())))) if loose else rows

    def _not_gathered(self, facts: Mapping[str, str], finished: Collection[str]) -> list[str]:
        """Return the results that are not in the data set, the latest first.

        Args:
            facts: what the manifest says about the data set.
            finished: all results, those that do not count included.
        """
        by_part: dict[str, list[str]] = {part: [] for part in PARTS}
        for result in sorted(finished):
            by_part[result[0]].append(result)
        held: set[str] = set()
        for part, results in by_part.items():
            is_current = facts.get(part_name("people", part)) == digest_of(results)  # and so are the segments
            held.update(results if is_current else self._held_by(part))
        return [result for result in dict.fromkeys(one for one, _, _ in self._videos) if result not in held]

    def _held_by(self, part: str) -> set[str]:
        """Return the results that a part from before the latest ones holds; one where nobody was seen has no rows."""
        path = self._batch.folder.data / part_name("people", part)
        return set(_seen(_read(path))["video"].to_pylist()) if path.is_file() else set()


def longest(sums: pa.Table, most: int) -> list[str]:
    """Return the lanes of sums with the most time, the longest first."""
    found = sums.group_by("lane").aggregate([("time_s", "sum")])
    ordered: list[str] = found.sort_by([("time_s_sum", "descending"), ("lane", "ascending")])["lane"].to_pylist()
    return ordered[:most]


def _named(sums: Any) -> Any:
    """Return sums with the names of ``by_group``'s columns; the keys come first."""
    return sums.rename_columns(["lane", "action", "time_s", "bouts"])


def _seen(table: Any) -> Any:
    found = table.group_by("video").aggregate([("present_s", "sum")])
    return found.select(["video", "present_s_sum"]).rename_columns(["video", "seen_s"])


_COLUMNS: Final = {
    "segments": ("video", "action", *_BOUT),
    "people": ("video", "present_s"),
}


def _read(path: Path, fits: Any = None) -> Any:
    """Return the rows of a part that fit, in the columns that are needed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = _COLUMNS[path.parent.parent.name]
    try:
        return pq.read_table(path, columns=list(columns), filters=fits, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"the data set of this batch cannot be read ({str(error).rstrip('.')}); run the batch's command again."
        ) from error


@lru_cache(maxsize=4 * MOST_LOOSE)
def _loose(root: Path, result: str, name: str) -> Any:
    """Return the rows of one result; it never changes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [column for column in _COLUMNS[name] if column != "video"]
    try:
        rows = pq.ParquetFile(BatchFolder(root).result(result) / f"{name}.parquet").read(columns)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"a result of this batch cannot be read ({str(error).rstrip('.')}); run the batch's command again."
        ) from error
    return rows.add_column(0, "video", pa.array([result] * rows.num_rows, pa.string()))


def _empty(name: str) -> Any:
    """Return a table of the data set without rows, in the columns that are needed."""
    import pyarrow as pa

    kinds = {"video": pa.string(), "action": pa.string(), "person_id": pa.int64()}
    return pa.table({column: pa.array([], kinds.get(column, pa.float64())) for column in _COLUMNS[name]})


def _together(tables: Iterator[Any]) -> Any:
    """Return the rows of all tables, without what a file says about one video."""
    import pyarrow as pa

    return pa.concat_tables([table.replace_schema_metadata(None) for table in tables], promote_options="permissive")
