"""The JSON document against what version 0.1 wrote and accepted."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from recognizer.errors import StoreError
from recognizer.export import timeline_from_json, timeline_json
from recognizer.export.schema import SCHEMA_PATH, json_schema, json_schema_text

DATA = Path(__file__).parent / "data"
FULL = (DATA / "timeline-full.json").read_bytes()
"""Version 0.1 wrote it, with boxes and frame times; a label holds half a surrogate pair."""
PLAIN = (DATA / "timeline-plain.json").read_bytes()
"""Of the same timeline, without boxes; its thresholds are 0.3 and 0.25 s."""
SCHEMA_0_1 = json.loads((DATA / "timeline.schema-0.1.json").read_text(encoding="utf-8"))


def test_a_document_of_version_0_1_is_read_and_written_again_byte_for_byte() -> None:
    timeline = timeline_from_json(FULL.decode())
    assert timeline_json(timeline, include_boxes=True, include_frame_times=True).encode() == FULL
    assert timeline_json(timeline, min_confidence=0.3, min_duration_s=0.25).encode() == PLAIN


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
