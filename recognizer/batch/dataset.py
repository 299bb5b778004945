"""The data set over all videos of a batch: Parquet files of segments, people and predictions, for pandas or DuckDB.

``data/segments/part=3/rows.parquet`` has the rows of all results whose names begin with 3, in the order of these names,
so its bytes do not depend on the order of the work. A file is written anew only if it would hold other results.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from recognizer.batch.manifest import Manifest
from recognizer.batch.results import ROWS, BatchFolder, unreadable, writing
from recognizer.files import staged

TABLES: Final = ("segments", "people", "predictions")
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
    by_part: dict[str, list[str]] = {part: [] for part in PARTS}
    for result in manifest.results():
        by_part[result[0]].append(result)
    for part, table in itertools.product(PARTS, TABLES):
        follow()
        name, results = part_name(table, part), by_part[part]
        digest = digest_of(results)
        target = folder.data / name
        if manifest.fact(name) != digest or target.is_file() != bool(results):
            _write(folder, table, results, target, follow)
            manifest.set_fact(name, digest)


def part_name(table: str, part: str) -> str:
    """Return where a part of a table is below ``data``; the manifest has ``digest_of`` its results under this name."""
    return f"{table}/part={part}/{ROWS}"


def digest_of(results: Iterable[str]) -> str:
    """Return what stands in the manifest for the results, in order, that a part holds."""
    return hashlib.sha256("".join(results).encode()).hexdigest()


def _write(folder: BatchFolder, table: str, results: Sequence[str], target: Path, follow: Callable[[], None]) -> None:
    with writing(target):
        if not results:
            target.unlink(missing_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged(target) as part:
            _write_rows(part, ((one, folder.result(one) / f"{table}.parquet") for one in results), follow)


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
