"""The tables of an export as Parquet: typed columns, the settings in the file's metadata."""

from __future__ import annotations

import io
import json
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from recognizer.export.content import Content
from recognizer.export.json_file import setting_values
from recognizer.export.table import Table
from recognizer.timeline.groups import groups_json

_TYPES: Final = {int: pa.int64(), float: pa.float64(), str: pa.string()}

_NOT_UNICODE: Final = "\ufffd"


def table_parquet(table: Table, content: Content) -> bytes:
    """Return a table of an export; its metadata are the video's name and hash, settings, filter and groups."""
    schema = pa.schema(
        [pa.field(column.name, _TYPES[column.kind], metadata={"meaning": column.meaning}) for column in table.columns],
        metadata={
            "video": _unicode(content.video_name),
            "video_sha256": content.timeline.video.sha256 or "",
            "settings": json.dumps(setting_values(content.timeline.settings)),
            "min_confidence": str(content.min_confidence),
            "min_duration_s": str(content.min_duration_s),
            "filter": _unicode("; ".join(content.filter.in_words(content.people_names))),
            "label_groups": "" if content.groups is None else _unicode(groups_json(content.groups)),
        },
    )
    rows = list(table.rows(content))
    columns = [
        pa.array([_unicode(cell) if isinstance(cell, str) else cell for cell in cells], _TYPES[column.kind])
        for column, cells in zip(table.columns, zip(*rows, strict=True) if rows else [()] * len(schema), strict=True)
    ]
    written = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), written)
    return written.getvalue()


def _unicode(text: str) -> str:
    """Replace half surrogate pairs, which file names that are not UTF-8 contain and Parquet cannot hold."""
    return "".join(_NOT_UNICODE if "\ud800" <= char <= "\udfff" else char for char in text)
