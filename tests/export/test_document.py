"""The JSON document against what version 0.1 wrote and accepted."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from recognizer.errors import StoreError
from recognizer.export import timeline_from_json, timeline_json
from recognizer.export.json_file import SCHEMA_VERSION
from recognizer.export.schema import SCHEMA_PATH, json_schema, json_schema_text
from recognizer.settings import SETTING_SPECS
from recognizer.types import DamagedSpan, Part, Reading, StreamFacts
from recognizer.video.reading import line

DATA = Path(__file__).parent / "data"
FULL = (DATA / "timeline-full.json").read_bytes()
"""Version 0.1 wrote it, with boxes and frame times; a label holds half a surrogate pair."""
PLAIN = (DATA / "timeline-plain.json").read_bytes()
"""Of the same timeline, without boxes; its thresholds are 0.3 and 0.25 s."""
SCHEMA_0_1 = json.loads((DATA / "timeline.schema-0.1.json").read_text(encoding="utf-8"))


def as_now(document: bytes) -> bytes:
    """Return the document with the schema version that is written now, and the settings that are newer."""
    last = b'"smoothing_s":0.0'
    assert last in document
    newer = {name: spec.default for name, spec in SETTING_SPECS.items() if f'"{name}"'.encode() not in document}
    more = json.dumps(newer, separators=(",", ":")).strip("{}")
    document = document.replace(last, last + f",{more}".encode() if more else last)
    return document.replace(b'"schema_version": "1.0"', f'"schema_version": "{SCHEMA_VERSION}"'.encode())


def test_a_document_of_version_0_1_is_read_and_written_again_byte_for_byte() -> None:
    timeline = timeline_from_json(FULL.decode())
    assert timeline.reading == Reading()
    assert timeline_json(timeline, include_boxes=True, include_frame_times=True).encode() == as_now(FULL)
    assert timeline_json(timeline, min_confidence=0.3, min_duration_s=0.25).encode() == as_now(PLAIN)


READING = Reading(
    stream=1,
    other_streams=(StreamFacts(0, 160, 120, "h264", is_default=True),),
    stream_given=True,
    stored_wh=(720, 576),
    shown_wh=(1024, 576),
    pixel_aspect=Fraction(64, 45),
    deinterlaced=True,
    tone_mapped_from="PQ",
    assumed_colors="BT.709",
    letterboxed_from_s=4.0,
    first_picture_s=0.8,
    rate_assumed_hz=25.0,
    rate_given_hz=15.0,
    repaired_stamps=2,
    damaged=(DamagedSpan(3.1, 3.2, 2),),
    pauses=((5.0, 65.0),),
    parts=(Part("GX010001.MP4", 0.0, "ab" * 32), Part("GX020001.MP4", 600.0, "cd" * 32)),
)


def test_reading_is_written_in_words_and_fields_and_read_again() -> None:
    timeline = replace(timeline_from_json(PLAIN.decode()), reading=READING)
    assert not [one.name for one in fields(Reading) if getattr(READING, one.name) == getattr(Reading(), one.name)]
    text = timeline_json(timeline)
    values = json.loads(text)["reading"]
    assert values["line"] == line(READING)
    assert values.keys() - {"line"} == {one.name for one in fields(Reading)}
    assert timeline_from_json(text).reading == READING
    schema = jsonschema.Draft202012Validator(json_schema())
    schema.validate(json.loads(text))
    assert not schema.is_valid({**json.loads(text), "reading": {"damaged": [{"start_s": 3.1}]}})


def test_reading_that_does_not_fit_is_refused_in_one_sentence() -> None:
    text = timeline_json(replace(timeline_from_json(PLAIN.decode()), reading=READING))
    with pytest.raises(StoreError, match=r"reading\.pixel_aspect is 'wide', not a fraction"):
        timeline_from_json(text.replace('"64/45"', '"wide"'))
    with pytest.raises(StoreError, match=r"reading\.damaged\[0\]\.packets is 'two', not a whole number"):
        timeline_from_json(text.replace('"packets":2', '"packets":"two"'))


def test_half_a_surrogate_pair_does_not_hide_what_is_wrong_elsewhere() -> None:
    text = FULL.decode().replace('"person_id":2', '"person_id":"2"', 1)
    assert "\\ud800" in text
    with pytest.raises(StoreError, match=r"people\[1\]\.person_id is '2', not a whole number"):
        timeline_from_json(text)


def test_the_schema_in_docs_is_that_of_the_code() -> None:
    written = SCHEMA_PATH.read_text(encoding="utf-8")
    assert written == json_schema_text(), "run: python -m recognizer.export.schema"


WRONG: tuple[Any, ...] = (None, True, -1, 0, 1.5, 7, 10**6, "", "text", "a/b", "1.9", "ab" * 32, "30000/1001", [], {})


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything in a document; of a list only the first entry."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def variants() -> Iterator[Any]:
    """The document, and copies in which one thing is missing, doubled, or replaced by something else."""
    document = json.loads(FULL)
    for person in document["people"]:
        person["samples"] = {name: values[:2] for name, values in person["samples"].items()}
    for name in ("segments", "predictions", "frame_times_s"):
        document[name] = document[name][:2]
    yield document
    for path in places(document):
        for change in ("delete", "double", "add", *WRONG):
            changed = copy.deepcopy(document)
            place = changed
            for step in path[:-1]:
                place = place[step]
            if change == "delete":
                del place[path[-1]]
            elif change == "double" and isinstance(place[path[-1]], list):
                place[path[-1]] *= 2
            elif change == "add" and isinstance(place[path[-1]], dict):
                place[path[-1]]["later"] = 1
            elif change not in ("double", "add"):
                place[path[-1]] = change
            yield changed


@pytest.mark.slow
def test_the_schema_accepts_what_that_of_version_0_1_accepted() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    old, new = (jsonschema.Draft202012Validator(schema) for schema in (SCHEMA_0_1, json_schema()))
    accepted = [(old.is_valid(one), new.is_valid(one)) for one in variants()]
    assert all(before == now for before, now in accepted)
    assert 100 < sum(before for before, _ in accepted) < len(accepted) - 100


def test_nothing_that_the_schema_accepts_of_these_is_refused_by_the_reader() -> None:
    schema = jsonschema.Draft202012Validator(json_schema())
    refused = []
    for one in variants():
        try:
            timeline_from_json(json.dumps(one))
        except StoreError as error:
            if schema.is_valid(one):
                refused.append(str(error))
    # the schema knows neither the names of trackers, devices and so on, nor that lists have one length
    assert all("; export it again" in reason for reason in refused)
    assert not [reason for reason in refused if "not a" in reason and "settings" not in reason]
