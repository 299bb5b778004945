"""A timeline as files and tables: CSV, JSON, pandas. Knows no network and no page."""

from recognizer.export.csv_file import SEGMENT_COLUMNS, harmless_cell, segments_csv
from recognizer.export.files import write_text_atomically
from recognizer.export.frames import FrameNumbers
from recognizer.export.json_file import SCHEMA_VERSION, timeline_from_json, timeline_json
from recognizer.export.tables import appearances_table, segments_table, time_per_action_table

__all__ = [
    "SCHEMA_VERSION",
    "SEGMENT_COLUMNS",
    "FrameNumbers",
    "appearances_table",
    "harmless_cell",
    "segments_csv",
    "segments_table",
    "time_per_action_table",
    "timeline_from_json",
    "timeline_json",
    "write_text_atomically",
]
