"""A timeline as files and tables: CSV, JSON, pandas. Knows no network and no page."""

from recognizer.export.comparison_json import COMPARISON_SCHEMA_VERSION, comparison_json, cost_values
from recognizer.export.comparison_tables import (
    agreement_table,
    classes_table,
    cost_table,
    disagreements_table,
    scores_table,
)
from recognizer.export.csv_file import SEGMENT_COLUMNS, comparison_csv, harmless_cell, segments_csv
from recognizer.export.files import write_text_atomically
from recognizer.export.frames import FrameNumbers
from recognizer.export.json_file import SCHEMA_VERSION, setting_values, timeline_from_json, timeline_json
from recognizer.export.tables import appearances_table, segments_table, time_per_action_table

__all__ = [
    "COMPARISON_SCHEMA_VERSION",
    "SCHEMA_VERSION",
    "SEGMENT_COLUMNS",
    "FrameNumbers",
    "agreement_table",
    "appearances_table",
    "classes_table",
    "comparison_csv",
    "comparison_json",
    "cost_table",
    "cost_values",
    "disagreements_table",
    "harmless_cell",
    "scores_table",
    "segments_csv",
    "segments_table",
    "setting_values",
    "time_per_action_table",
    "timeline_from_json",
    "timeline_json",
    "write_text_atomically",
]
