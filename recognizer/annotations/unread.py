"""Formats that people have and that are not read here: their names, and what to export instead."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any, Final

from recognizer.errors import TruthError

_TABLE: Final = "save a table with the columns action, start_s, end_s and optionally person_id as CSV"

_BY_FIRST_BYTES: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook or another Office file", "save the sheet as CSV"),
    (b"SQLite format 3", "an SQLite database", _TABLE),
    (b"\x89HDF", "an HDF5 file, as DeepEthogram and SLEAP write", "export the labels as CSV"),
    (b"MATLAB 5.0", "a MATLAB file, as JAABA writes", "write the labels as CSV with writetable"),
    (b"ooBinaryFile", "a binary file of Praat", "save it with 'Save as text file'"),
    (b"%PDF", "a PDF", _TABLE),
)

_BY_MEMBER: Final = (
    ("xl/workbook.xml", "an Excel workbook", "save the sheet as CSV, or export from BORIS as TSV"),
    ("content.xml", "an OpenDocument file", "save the sheet as CSV"),
    ("annotations.xml", "CVAT's ZIP file", "unpack it and give its annotations.xml"),
    ("db", "a project of Datavyu", "export it as CSV with Datavyu's script for onsets and offsets"),
)

_BY_ROOT: Final = {
    "annotation": ("a file of ANVIL", "export it to ELAN or Praat, or as a table"),
    "file": ("a timeline of Sportscode or Nacsport", _TABLE),
    "Trans": ("a file of Transcriber", "open it in ELAN and save it as .eaf"),
    "basic-transcription": ("a file of EXMARaLDA", "export it as .eaf"),
    "viper": ("a file of ViPER", _TABLE),
    "preferences": ("ELAN's preferences", "give the .eaf file of the same name"),
}
"""By the name of an XML file's root."""

_BY_KEYS: Final = (
    ({"schema_version", "segments"}, "this program's own JSON", "export the segments as CSV"),
    ({"project", "config", "attribute", "metadata"}, "a project of VIA 3", "export 'Temporal Segments as CSV' and "
     "name its columns action, start_s, end_s"),
    ({"_via_settings"}, "a project of VIA 2, which has no times", _TABLE),
    ({"database"}, "a file like ActivityNet's", _TABLE),
    ({"images", "annotations", "categories"}, "a file like COCO's, which has no times", _TABLE),
)  # fmt: skip
"""By the keys of a JSON document."""

_BY_EXTENSION: Final = {
    ".odx": (
        "a project of The Observer XT",
        "export the event log as text and name its columns action, start_s, end_s",
    ),
    ".soc": ("a file of Solomon Coder", _TABLE),
    ".dat": ("a file of JWatcher", _TABLE),
    ".opf": ("a project of Datavyu", "export it as CSV"),
    ".kva": ("a file of Kinovea", _TABLE),
    ".anvil": ("a file of ANVIL", "export it to ELAN or Praat, or as a table"),
    ".ant": ("a file of Antx", "export it as a TextGrid"),
    ".cha": ("a transcript of CHAT", "export it to ELAN"),
    ".mat": ("a MATLAB file, as JAABA writes", "write the labels as CSV with writetable"),
    ".pkl": ("a Python pickle, which could execute anything", "save the labels as CSV"),
    ".rds": ("an R object", "save it with write.csv"),
}
"""By the file's ending, where its content is not known."""


def refuse_known(data: bytes, name: str) -> None:
    """Raise if the first bytes, or the ending of the name, are those of a known format that is not read.

    Raises:
        TruthError: they are; the message has the format's name, and what to export instead.
    """
    for begin, what, instead in _BY_FIRST_BYTES:
        if data.startswith(begin):
            raise _refusal(name, what, instead)
    if data.startswith(b"PK\x03\x04"):
        members = _members(data)
        for member, what, instead in _BY_MEMBER:
            if member in members:
                raise _refusal(name, what, instead)
        raise _refusal(name, "a ZIP file", "unpack it and give the file of labels")
    known = _BY_EXTENSION.get(PureWindowsPath(name).suffix.casefold())
    if known is not None:
        raise _refusal(name, *known)


def _members(data: bytes) -> frozenset[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError):  # damaged, or of a later version of ZIP
        return frozenset()


def refuse_text(text: str, name: str) -> None:
    """Raise if a text is subtitles, or a table of AVA.

    Raises:
        TruthError: it is; the message has the format's name, and what to give instead.
    """
    if text.startswith("WEBVTT") or re.match(r"\s*1\s+\d\d:\d\d:\d\d,\d{3} -->", text):
        raise _refusal(name, "subtitles", _TABLE)
    if re.match(r"[\w-]+,\d+(\.\d+)?(,[01](\.\d+)?){4},\d+(,|\s|$)", text) or re.match(
        r"[\w-]+,\d+,,,,,(,|\s|$)", text
    ):
        raise _refusal(name, "a table like AVA's, which has moments with a number for each action", _TABLE)


def xml_refusal(root: str, name: str) -> TruthError:
    """Return why an XML file with this root is not read."""
    what, instead = _BY_ROOT.get(root, (f"an XML file of an unknown format, <{root[:40]}>", _TABLE))
    return _refusal(name, what, instead)


def json_refusal(document: Any, name: str) -> TruthError:
    """Return why a JSON document is not read."""
    keys = document.keys() if isinstance(document, Mapping) else set()
    for wanted, what, instead in _BY_KEYS:
        if wanted <= keys:
            return _refusal(name, what, instead)
    return _refusal(name, "a JSON file of an unknown format", _TABLE)


def _refusal(name: str, what: str, instead: str) -> TruthError:
    return TruthError(f"'{name}' is {what}, which cannot be read here; {instead}.")
