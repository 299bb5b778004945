"""Timelines and comparisons as files and tables. Independent of networks and pages.

Tables are imported on first use: importing pandas takes half a second, and the first page shows no table. So are the
libraries of the formats (``formats``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recognizer.export.comparison_json import COMPARISON_SCHEMA_VERSION, comparison_json, cost_values
from recognizer.export.content import Content, content_of
from recognizer.export.csv_file import SEGMENT_COLUMNS, comparison_csv, harmless_cell, segments_csv, truth_csv
from recognizer.export.formats import ALL_FORMATS, BUNDLE, FORMATS, Format, format_of
from recognizer.export.frames import FrameNumbers
from recognizer.export.json_file import SCHEMA_VERSION, setting_values, timeline_from_json, timeline_json

if TYPE_CHECKING:
    from recognizer.export.comparison_tables import (
        agreement_table,
        apart_table,
        bouts_table,
        classes_table,
        cost_table,
        disagreements_table,
        scores_table,
    )
    from recognizer.export.tables import appearances_table, segments_table, table_of, title_of

__all__ = [
    "ALL_FORMATS",
    "BUNDLE",
    "COMPARISON_SCHEMA_VERSION",
    "FORMATS",
    "SCHEMA_VERSION",
    "SEGMENT_COLUMNS",
    "Content",
    "Format",
    "FrameNumbers",
    "agreement_table",
    "apart_table",
    "appearances_table",
    "bouts_table",
    "classes_table",
    "comparison_csv",
    "comparison_json",
    "content_of",
    "cost_table",
    "cost_values",
    "disagreements_table",
    "format_of",
    "harmless_cell",
    "scores_table",
    "segments_csv",
    "segments_table",
    "setting_values",
    "table_of",
    "timeline_from_json",
    "timeline_json",
    "title_of",
    "truth_csv",
]

_TABLES = {
    "comparison_tables": (
        "agreement_table",
        "apart_table",
        "bouts_table",
        "classes_table",
        "cost_table",
        "disagreements_table",
        "scores_table",
    ),
    "tables": ("appearances_table", "segments_table", "table_of", "title_of"),
}
_MODULE_OF = {name: module for module, names in _TABLES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
