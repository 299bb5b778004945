"""Exports of an analysis that is corrected, folded into groups and filtered, read back by their own readers."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest
from pympi import Elan

from recognizer.export import Content, content_of, format_of, timeline_from_json
from recognizer.export.schema import json_schema
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Check, Hide, Merge, Name, Relabel
from recognizer.timeline.filters import Filter
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction
from tests.support.exports import exported, person
from tests.support.tables import rows_of

GROUPS = LabelGroups({"ball games": ("juggling", "dribbling")})

CORRECTIONS = Corrections(
    (
        Merge(4, 1),
        Name(1, "Anna"),
        Hide(3),
        Relabel(2, 2.0, 6.0, "juggling"),
        Check(1, 0.0, 4.0),
    )
)


def timeline() -> Timeline:
    """Person 1 juggles, then does yoga, and comes back as person 4; 2 dances; 3 is a poster."""
    said = {
        1: ((0, 4, "juggling"), (4, 8, "yoga")),
        2: ((2, 6, "dancing"),),
        3: ((0, 8, "yoga"),),
        4: ((9, 12, "yoga"),),
    }
    return replace(
        exported().timeline,
        people=tuple(person(one, float(spans[0][0]), float(spans[-1][1])) for one, spans in said.items()),
        predictions=tuple(
            Prediction(one, float(start_s), float(end_s), ((label, 0.8), ("singing", 0.1)), "i3d")
            for one, spans in said.items()
            for start_s, end_s, label in spans
        ),
    )


def content(chosen: Filter | None = None) -> Content:
    corrected = GROUPS.fold(CORRECTIONS.applied_to(timeline()))
    return content_of(corrected, "my video.mp4", min_confidence=0.3, chosen=chosen, groups=GROUPS)


def written(ending: str, chosen: Filter | None = None) -> bytes:
    return format_of(ending).write(content(chosen))


def test_csv_says_who_what_source_and_what_is_checked() -> None:
    columns = ("person_id", "person_name", "action", "start_s", "end_s", "source", "checked")
    assert [tuple(row[name] for name in columns) for row in rows_of(written(".csv"))] == [
        ("1", "Anna", "ball games", "0.000", "4.000", "machine", "1"),
        ("1", "Anna", "yoga", "4.000", "8.000", "machine", "0"),
        ("1", "Anna", "yoga", "9.000", "12.000", "machine", "0"),
        ("2", "", "ball games", "2.000", "6.000", "human", "0"),
    ]
    people = rows_of(written(".people.csv"))
    assert [(row["person_id"], row["person_name"]) for row in people] == [("1", "Anna"), ("2", "")]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(actions=frozenset({"ball games"})), [("1", "0.000", "4.000"), ("2", "2.000", "6.000")]),
        (Filter(checked=True), [("1", "0.000", "4.000")]),
        (Filter(start_s=3.0, end_s=5.0), [("1", "3.000", "4.000"), ("1", "4.000", "5.000"), ("2", "3.000", "5.000")]),
        (Filter(min_confidence=0.9), [("2", "2.000", "6.000")]),
    ],
)
def test_csv_follows_the_filter(chosen: Filter, expected: list[tuple[str, str, str]]) -> None:
    found = [(row["person_id"], row["start_s"], row["end_s"]) for row in rows_of(written(".csv", chosen))]
    assert found == expected


def test_json_has_the_corrections_the_filter_and_the_groups() -> None:
    document = json.loads(written(".json", Filter(person_ids=frozenset({1}), end_s=8.0)))
    jsonschema.Draft202012Validator(json_schema()).validate(document)
    assert [(one["person_id"], one.get("name")) for one in document["people"]] == [(1, "Anna")]
    assert [(one["action"], one["end_s"], one.get("checked")) for one in document["segments"]] == [
        ("ball games", 4.0, True),
        ("yoga", 8.0, None),
    ]
    assert document["filter"] == {
        "person_ids": [1],
        "actions": None,
        "min_confidence": 0.0,
        "max_confidence": None,
        "start_s": 0.0,
        "end_s": 8.0,
        "checked": None,
    }
    assert document["label_groups"] == {"groups": {"ball games": ["juggling", "dribbling"]}, "other": None}
    assert "filter" not in json.loads(written(".json"))
    read = timeline_from_json(json.dumps(document))
    assert {label for one in read.predictions for label, _ in one.top} == {"ball games", "yoga", "singing"}


def test_parquet_states_filter_and_groups() -> None:
    metadata = pq.read_schema(io.BytesIO(written(".parquet", Filter(checked=True)))).metadata
    assert metadata[b"filter"] == b"checked"
    assert json.loads(metadata[b"label_groups"])["groups"] == {"ball games": ["juggling", "dribbling"]}


def test_elan_has_a_tier_for_each_person_who_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file.eaf"
    path.write_bytes(written(".eaf", Filter(actions=frozenset({"ball games"}))))
    document = Elan.Eaf(str(path))
    assert list(document.get_tier_names()) == ["Anna", "Person 2"]
    found = {tier: document.get_annotation_data_for_tier(tier) for tier in document.get_tier_names()}
    assert {tier: [one[:3] for one in spans] for tier, spans in found.items()} == {
        "Anna": [(0, 4000, "ball games")],
        "Person 2": [(2000, 6000, "ball games")],
    }


def test_bundle_follows_the_filter_and_explains_it() -> None:
    chosen = Filter(person_ids=frozenset({1}), checked=True)
    with zipfile.ZipFile(io.BytesIO(written(".zip", chosen))) as archive:
        assert archive.testzip() is None
        readme = archive.read("README.txt").decode()
        assert [row["action"] for row in rows_of(archive.read("my video.csv"))] == ["ball games"]
        budget = rows_of(archive.read("my video.budget.csv"))
    assert [(row["person_name"], row["total_s"]) for row in budget] == [("Anna", "4.000"), ("everyone", "4.000")]
    assert "FILTER: the segments and summaries are only of\n  Anna\n  checked\n" in readme
    assert "LABEL GROUPS in place of labels\n  ball games: juggling, dribbling\n" in readme
    with zipfile.ZipFile(io.BytesIO(written(".zip"))) as archive:
        assert "FILTER" not in archive.read("README.txt").decode()
