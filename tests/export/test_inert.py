"""Text from outside does nothing: names, labels and a video's name in every format, in logs and in the terminal.

What is shown on pages has its tests beside the pages: ``plain`` in tests/dashboard/test_text.py, charts in tests/plots.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from recognizer.errors import one_line
from recognizer.export import ALL_FORMATS, BUNDLE, Content, harmless_cell
from recognizer.export.bundle import readme
from recognizer.export.report import _text
from recognizer.service.logs import inert_handler
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.corrections_file import corrections_from_json, corrections_json
from recognizer.timeline.edits import Add, Name
from recognizer.timeline.groups import LabelGroups, groups_from_json, groups_json
from recognizer.types import Prediction, Segment
from tests.support.environment import ROOT
from tests.support.exports import exported, person

HOSTILE = {
    "html": "<img src=x onerror=alert(1)><script>alert(1)</script>&amp;",
    "terminal": "\x1b[31mred\x1b]0;title\x07\x9b2J\x7f",
    "null": "a\x00b",
    "lines": "one\r\ntwo\u2028three",
    "turned": "gpj.\u202eexe\u2066\u200f",
    "half": "\ud800",
    "long": "é" * 300,
    "cue": "--> 00:00:01.000 --> 00:00:02.000",
    "quotes": "\"'`$(x) {{x}} %s {0}",
}
FORMULAS = (
    *("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\ufeff=1", "\x00=1", "\u202e=1"),
    *("＝1", "＋1", "－1", "＠a", "﹦1", "﹢1", "﹣1", "﹫a", "⁺1", "₌1", "=cmd|' /C x'!A0"),
)
TEXTS = (*HOSTILE.values(), *FORMULAS)

STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
TEXT_FORMATS = [one for one in ALL_FORMATS if one is not BUNDLE and not one.ending.endswith(".parquet")]


@pytest.fixture(scope="module")
def content() -> Content:
    """An export in which each of the texts is a person's name, a label, a classifier and a note."""
    numbered = list(enumerate(TEXTS, 1))
    people = tuple(person(number, 0.0, 4.0) for number, _ in numbered)
    said = tuple(Prediction(number, 0.0, 2.0, ((text, 0.9), ("yoga", 0.05)), text) for number, text in numbered)
    return exported(
        timeline=replace(exported().timeline, people=people, predictions=said, notes=TEXTS, camera=None),
        segments=tuple(Segment(number, text, 0.5, 2.0, 0.9) for number, text in numbered),
        names=dict(numbered),
        video_name="=1\u202e\x1b[31m<b>.mp4",
    )


@pytest.fixture(scope="module")
def written(content: Content) -> dict[str, str]:
    """What each format is written as, by its ending."""
    return {one.ending: one.write(content).decode("utf-8", "replace") for one in TEXT_FORMATS}


def test_no_format_holds_characters_that_steer(content: Content, written: dict[str, str]) -> None:
    for ending, text in (*written.items(), ("readme", readme(content))):
        assert not STEERING.search(text), ending


def test_no_cell_of_any_table_is_a_formula(written: dict[str, str]) -> None:
    tables = {ending: text for ending, text in written.items() if ending.endswith((".csv", ".tsv"))}
    assert len(tables) > 8
    for ending, text in tables.items():
        rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if ending == ".tsv" else ",")
        for cell in (cell for row in rows for cell in row):
            assert _is_number(cell) or harmless_cell(cell) == cell, f"{ending}: {cell!r}"


def _is_number(cell: str) -> bool:
    try:
        return bool(cell.isascii() and float(cell) <= float("inf"))
    except ValueError:
        return False


def test_xml_and_json_stay_whole_and_say_the_same(written: dict[str, str]) -> None:
    ElementTree.fromstring(written[".eaf"])
    json.loads(written[".boris"])
    segments = json.loads(written[".json"])["segments"]
    assert {one["action"] for one in segments} == set(TEXTS)


def test_corrections_and_groups_say_the_same() -> None:
    for text in (one for one in TEXTS if one != HOSTILE["half"]):
        groups = LabelGroups({text: ("calm",)}, None)
        assert groups_from_json(groups_json(groups), "groups.json") == groups
        corrections = Corrections((Name(1, text), Add(1, 0.0, 1.0, text)))
        written = corrections_json(corrections, None)
        assert not STEERING.search(written)
        assert corrections_from_json(written, "corrections.json").edits == corrections.edits


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


def test_report_and_subtitles_have_no_tags_from_a_name(written: dict[str, str]) -> None:
    tags = _Tags()
    tags.feed("".join(map(_text, TEXTS)))
    assert not tags.found
    for ending in (".vtt", ".srt"):
        assert "<img" not in written[ending]
        # as many cues as segments: no text begins another
        assert written[ending].count("-->") == len(TEXTS)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_log_does_not_steer_a_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    handler = inert_handler("%(name)s: %(message)s")
    try:
        raise ValueError(text)
    except ValueError as error:
        handler.handle(
            logging.makeLogRecord({"name": "x", "msg": "about %s", "args": (text,), "exc_info": _info(error)})
        )
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert not STEERING.search(said.replace("\n", ""))


def _info(error: Exception) -> tuple[type[Exception], Exception, object]:
    return type(error), error, error.__traceback__


def scripts() -> Iterator[Path]:
    yield from (ROOT / "recognizer" / "dashboard").rglob("*.js")


def test_pages_scripts_take_no_text_for_markup() -> None:
    """The scripts put text into ``textContent`` and attributes alone."""
    markup = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|createContextualFragment|DOMParser|\beval\("
        r"|new Function|srcdoc|javascript:"
    )
    found = [
        f"{file.name}: {line}" for file in scripts() for line in file.read_text().splitlines() if markup.search(line)
    ]
    assert not found
    assert len(list(scripts())) > 40


def test_one_line_says_the_same_of_ordinary_text() -> None:
    for text in ("tai chi", "naïve 跳舞", "עברית", "العربية", "👩‍🚀"):
        assert one_line(text) == text
