"""Formats that are known and not read: their name, and what to export instead."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from recognizer.annotations.reading import read_labels
from recognizer.errors import TruthError


def archive(*members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as written:
        for member in members:
            written.writestr(member, "x")
    return data.getvalue()


def document(*keys: str) -> bytes:
    return json.dumps({key: {} for key in keys}).encode()


TABLE = "save a table with the columns action, start_s, end_s and optionally person_id as CSV."


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "a.xlsx",
            archive("xl/workbook.xml"),
            "is an Excel workbook, which cannot be read here; save the sheet as CSV",
        ),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Excel workbook or another Office file,"),
        ("a.ods", archive("mimetype", "content.xml"), "is an OpenDocument file,"),
        ("task.zip", archive("annotations.xml"), "is CVAT's ZIP file, which cannot be read here; unpack it"),
        ("a.opf", archive("db", "project"), "is a project of Datavyu,"),
        ("a.zip", archive("a.csv"), "is a ZIP file, which cannot be read here; unpack it"),
        ("a.zip", b"PK\x03\x04damaged", "is a ZIP file,"),
        ("a.zip", archive("a.csv").replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\x5b"), "is a ZIP file,"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "is an HDF5 file,"),
        (
            "a.TextGrid",
            b"ooBinaryFile\x08TextGrid",
            "is a binary file of Praat, which cannot be read here; save it with",
        ),
        ("a.mat", b"MATLAB 5.0 MAT-file", "is a MATLAB file, as JAABA writes,"),
        ("a.odx", b"\x01\x02", "is a project of The Observer XT,"),
        ("a.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nwalk\n", f"is subtitles, which cannot be read here; {TABLE}"),
        ("a.srt", b"1\r\n00:00:00,000 --> 00:00:01,000\r\nwalk\r\n", "is subtitles,"),
        ("ava.csv", b"1j20qq1JyX4,0902,0.002,0.118,0.714,0.977,12,0\n", "is a table like AVA's,"),
        ("a.xml", b"<?xml version='1.0'?><file><ALL_INSTANCES/></file>", "is a timeline of Sportscode or Nacsport,"),
        ("a.trs", b"<Trans/>", "is a file of Transcriber,"),
        ("a.xml", b"<something/>", "is an XML file of an unknown format, <something>,"),
        ("a.json", document("schema_version", "segments"), "is this program's own JSON,"),
        ("a.json", document("project", "config", "attribute", "file", "metadata"), "is a project of VIA 3,"),
        ("a.json", document("database", "version"), "is a file like ActivityNet's,"),
        ("a.json", b"[]", "is a JSON file of an unknown format,"),
        ("a.json", b"[" * 100_000, "is damaged (maximum recursion depth exceeded"),
        ("a.json", b'{"a": ', "is damaged (Expecting value"),
        ("a.eaf", b"<ANNOTATION_DOCUMENT>", "is damaged (no element found"),
    ],
)
def test_a_known_format_is_named_with_what_to_export_instead(name: str, data: bytes, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read_labels(data, name)
    assert str(raised.value).startswith(f"'{name}' {message}")
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_every_shared_file_is_read_or_refused_by_name(annotations_dir: Path) -> None:
    refused = {}
    for path in sorted(annotations_dir.iterdir()):
        if path.name == "README.md":
            continue
        try:
            assert read_labels(path.read_bytes(), path.name).count
        except TruthError as error:
            refused[path.name] = str(error)
    assert refused == {
        "boris_tabular_old.xlsx": "'boris_tabular_old.xlsx' is an Excel workbook, which cannot be read here; save the "
        "sheet as CSV, or export from BORIS as TSV."
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"class_names": {"1": "walk"}, "labels": {"clip.mp4": [1, {}, 1]}}'),
        ("a.json", '{"class_names": {"1": "walk"}, "labels": {"clip.mp4": [[0, 1], [0]]}}'),
        ("a.json", '{"class_names": [], "labels": 3}'),
        ("a.json", '[{"id": 1, "tl": [{"ranges": [{"start": NaN, "end": 3}], "timelinelabels": ["nod"]}]}]'),
        ("a.json", '[{"id": 1, "tl": [{"ranges": [{"start": 1e999, "end": 3}], "timelinelabels": ["nod"]}]}]'),
        ("a.json", '[{"id": 1, "tl": [{"ranges": [{"start": 1, "end": "3"}], "timelinelabels": ["nod"]}]}]'),
        ("a.csv", f"action,start_s,end_s\nwalk,{'9' * 5000}:00:00,3\n"),
    ],
)
def test_values_of_another_kind_are_a_sentence(name: str, text: str) -> None:
    with pytest.raises(TruthError, match=r"^'a\.(json|csv)'.* .*\.$"):
        read_labels(text.encode(), name)
