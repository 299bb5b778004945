"""The table of export formats: command line, page and README take their formats from here.

A format's library is imported when the first file is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from recognizer.errors import SettingsError
from recognizer.export.content import Content


@dataclass(frozen=True)
class Format:
    """One format of an export.

    Attributes:
        ending: of its files; names it on the command line.
        title: names it on the page.
        meaning: what it holds and what opens it, for users.
        mime: its media type.
        write: returns a file.
        in_menu: whether the page offers it by itself; if not, it is in ``BUNDLE`` only.
    """

    ending: str
    title: str
    meaning: str
    mime: str
    write: Callable[[Content], bytes]
    in_menu: bool = True


def _from(module: str, function: str) -> Callable[[Content], bytes]:
    def write(content: Content) -> bytes:
        written: bytes = getattr(import_module(f"recognizer.export.{module}"), function)(content)
        return written

    return write


def _csv(table: str, module: str = "rows") -> Callable[[Content], bytes]:
    def write(content: Content) -> bytes:
        from recognizer.export import csv_file

        its = getattr(import_module(f"recognizer.export.{module}"), table)
        return csv_file.table_csv(its, content).encode("utf-8", "replace")

    return write


def _parquet(table: str) -> Callable[[Content], bytes]:
    def write(content: Content) -> bytes:
        from recognizer.export import parquet, rows

        return parquet.table_parquet(getattr(rows, table), content)

    return write


def _json(content: Content) -> bytes:
    from recognizer.export.json_file import content_json

    return content_json(content).encode()


_CSV: Final = "text/csv"
_PARQUET: Final = "application/vnd.apache.parquet"

FORMATS: Final = (
    Format(".csv", "Segments (CSV)", "One row per segment; for spreadsheets and statistics.", _CSV, _csv("SEGMENTS")),
    Format(".people.csv", "People (CSV)", "One row per person: when and how long in view.", _CSV, _csv("PEOPLE")),
    Format(
        ".predictions.csv", "Predictions (CSV)", "One row per clip, with its top five.", _CSV, _csv("PREDICTIONS")
    ),
    Format(
        ".budget.csv", "Time budget (CSV)", "Count, total, mean, SD and share per person and action.", _CSV,
        _csv("BUDGET", "summary_rows"),
    ),
    Format(".bins.csv", "Time bins (CSV)", "Each minute's actions.", _CSV, _csv("BINS", "summary_rows")),
    Format(
        ".transitions.csv", "Transitions (CSV)", "Which action follows which, how often.", _CSV,
        _csv("TRANSITIONS", "summary_rows"),
    ),
    Format(
        ".together.csv", "At the same time (CSV)", "What two people do at once, for how long.", _CSV,
        _csv("TOGETHER", "summary_rows"),
    ),
    Format(".json", "Analysis (JSON)", "Settings, presence, predictions; for programs.", "application/json", _json),
    Format(
        ".movement.csv", "Movement (CSV)", "One row per person and sample: speed, still, slow or fast.", _CSV,
        _csv("MOVEMENT"),
    ),
    Format(
        ".parquet", "Segments (Parquet)", "For pandas, R, DuckDB and Spark.", _PARQUET, _parquet("SEGMENTS")
    ),
    Format(".people.parquet", "People (Parquet)", "One row per person.", _PARQUET, _parquet("PEOPLE"), False),
    Format(
        ".predictions.parquet", "Predictions (Parquet)", "One row per clip.", _PARQUET, _parquet("PREDICTIONS"), False
    ),
    Format(
        ".movement.parquet", "Movement (Parquet)", "One row per person and sample.", _PARQUET, _parquet("MOVEMENT"),
        False,
    ),
    Format(".vtt", "Subtitles (WebVTT)", "For browsers and video players.", "text/vtt", _from("subtitles", "vtt")),
    Format(
        ".srt", "Subtitles (SRT)", "For video players and editors.", "application/x-subrip", _from("subtitles", "srt")
    ),
    Format(".eaf", "ELAN", "One tier per person; keep it next to the video.", "text/xml", _from("elan", "eaf")),
    Format(
        ".boris", "BORIS project", "One observation; keep it next to the video.", "application/json",
        _from("boris", "project"),
    ),
    Format(
        ".tsv", "BORIS aggregated events", "The table that BORIS exports, for programs that read it.",
        "text/tab-separated-values", _from("boris", "aggregated_events"),
    ),
    Format(".TextGrid", "Praat (TextGrid)", "One tier per person.", "text/plain", _from("praat", "text_grid")),
    Format(
        ".ava.csv", "AVA (CSV)", "A box and a label per person and second, to train detectors of actions.", _CSV,
        _from("ava", "ava_csv"),
    ),
    Format(
        ".ava.pbtxt", "AVA label map", "The numbers of the labels in the AVA file.", "text/plain",
        _from("ava", "ava_labels"),
    ),
)  # fmt: skip
"""Every format of one file; ``BUNDLE`` holds a file of each."""

BUNDLE: Final = Format(
    ".zip",
    "Everything (ZIP)",
    "All formats in one file, with a README of the columns and settings.",
    "application/zip",
    _from("bundle", "bundle"),
)

ALL_FORMATS: Final = (*FORMATS, BUNDLE)


def format_of(path: str) -> Format:
    """Return the format that the ending of a file's name asks for; the longest ending wins.

    Raises:
        SettingsError: no format has this ending.
    """
    fitting = [one for one in ALL_FORMATS if path.lower().endswith(one.ending.lower())]
    if not fitting:
        endings = ", ".join(one.ending for one in ALL_FORMATS)
        raise SettingsError(f"'{path}' names no format; give a name that ends in one of {endings}.")
    return max(fitting, key=lambda one: len(one.ending))
