"""The data set over all videos of a batch: Parquet files of segments, people and predictions, for pandas or DuckDB.

``data/segments/part=3/rows.parquet`` has the rows of all results whose names begin with 3, in the order of these names,
so its bytes do not depend on the order of the work. A file is written anew only if it would hold other results: when
the command ends, and before that now and then (``growth``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from recognizer.batch.manifest import Manifest
from recognizer.batch.results import ROWS, BatchFolder, unreadable, writing
from recognizer.files import staged

TABLES: Final = ("segments", "people", "predictions")
"""In the order in which they are written: whoever finds a result among the people finds its segments too."""

PARTS: Final = "0123456789abcdef"

_ROWS_PER_GROUP: Final = 65_536


def gather(folder: BatchFolder, manifest: Manifest, follow: Callable[[], None] = lambda: None) -> None:
    """Bring the data set up to date with the manifest.

    Args:
        folder: of the batch.
        manifest: its videos.
        follow: called now and then; it may raise.

    Raises:
        OutputError: a file cannot be written; the others and the earlier ones stay.
        StoreError: a result cannot be read.
    """
    for part in PARTS:
        results = list(manifest.results(part))
        for table in TABLES:
            follow()
            if not _is_current(folder, manifest, table, part, results):
                _write(folder, table, part, results, follow)
                note_part(manifest, part, results, (table,))


def holds(folder: BatchFolder, manifest: Manifest, part: str, results: Sequence[str]) -> bool:
    """Return whether this part of each table holds exactly these results."""
    return all(_is_current(folder, manifest, table, part, results) for table in TABLES)


def write_part(folder: BatchFolder, part: str, results: Sequence[str], follow: Callable[[], None]) -> None:
    """Write one part of each table, apart from the manifest; see ``gather``."""
    for table in TABLES:
        _write(folder, table, part, results, follow)


def note_part(manifest: Manifest, part: str, results: Sequence[str], tables: Iterable[str] = TABLES) -> None:
    """Note in the manifest which results a part holds."""
    for table in tables:
        manifest.set_fact(part_name(table, part), digest_of(results))


def _is_current(folder: BatchFolder, manifest: Manifest, table: str, part: str, results: Sequence[str]) -> bool:
    name = part_name(table, part)
    return manifest.fact(name) == digest_of(results) and (folder.data / name).is_file() == bool(results)


def part_name(table: str, part: str) -> str:
    """Return where a part of a table is below ``data``; the manifest has ``digest_of`` its results under this name."""
    return f"{table}/part={part}/{ROWS}"


def digest_of(results: Iterable[str]) -> str:
    """Return what stands in the manifest for the results, in order, that a part holds."""
    return hashlib.sha256("".join(results).encode()).hexdigest()


def _write(folder: BatchFolder, table: str, part: str, results: Sequence[str], follow: Callable[[], None]) -> None:
    target = folder.data / part_name(table, part)
    with writing(target):
        if not results:
            target.unlink(missing_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged(target) as aside:
            _write_rows(aside, ((one, folder.result(one) / f"{table}.parquet") for one in results), follow)


def _write_rows(target: Path, files: Iterable[tuple[str, Path]], follow: Callable[[], None]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: Any = None
    waiting: list[Any] = []
    try:
        for result, path in files:
            follow()
            rows = _with_video(_read(path), result)
            if writer is None:
                writer = pq.ParquetWriter(target, rows.schema)
            waiting.append(rows)
            if sum(one.num_rows for one in waiting) >= _ROWS_PER_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        writer.write_table(pa.concat_tables(waiting) if waiting else writer.schema.empty_table())
    finally:
        if writer is not None:
            writer.close()


def _read(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path.parent, error) from error


def _with_video(rows: Any, result: str) -> Any:
    """Return the rows of a video after a column ``video``: the name of its result, as in the manifest."""
    import pyarrow as pa

    meaning = pa.field("video", pa.string(), metadata={"meaning": "the video's result, as in the manifest"})
    names = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), pa.array([result]))
    # without what the file says about one video
    return rows.replace_schema_metadata(None).add_column(0, meaning, names.cast(pa.string()))
