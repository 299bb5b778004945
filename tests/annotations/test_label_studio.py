"""Label Studio's video timeline."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import fitted, labels_in, read, rows_of


def region(start: int, end: int, *labels: str) -> dict[str, Any]:
    value = {"ranges": [{"start": start, "end": end}], "timelinelabels": list(labels)}
    return {"id": "x", "type": "timelinelabels", "from_name": "tl", "to_name": "video", "value": value}


def task(number: int, video: str, *regions: dict[str, Any]) -> dict[str, Any]:
    data = {"video": f"/data/upload/1/{video}?x=1", "note": "a.b c"}
    return {"id": number, "data": data, "annotations": [{"id": 1, "result": list(regions)}]}


def test_frames_count_from_one_and_the_end_is_included() -> None:
    file = read(json.dumps([task(7, "clip.mp4", region(1, 25, "walking"), region(26, 30, "sitting"))]), "a.json")
    assert file.format == "Label Studio"
    assert labels_in(file) == [("", "walking", 0, 25), ("", "sitting", 25, 30)]
    assert rows_of(fitted(file).rows) == [(None, "walking", 0, 1), (None, "sitting", 1, 1.2)]


def test_tasks_are_parts_and_other_regions_are_counted() -> None:
    box = {"type": "videorectangle", "value": {"sequence": [{"frame": 1}], "labels": ["Man"]}}
    tasks = [task(7, "a-clip.mp4", region(1, 5, "x")), task(8, "clip.mp4", region(1, 9, "y"), box), task(9, "c.mp4")]
    tasks[0]["annotations"].append({"id": 2, "result": [region(1, 9, "z")]})
    tasks[0]["annotations"].insert(0, {"id": 3, "was_cancelled": True, "result": [region(1, 9, "w")]})
    file = read(json.dumps(tasks), "a.json")
    assert [part.name for part in file.parts] == ["task 7, a-clip.mp4", "task 8, clip.mp4"]
    assert rows_of(fitted(file).rows) == [(None, "y", 0, 0.36)]
    assert file.remarks == (
        Remark("further annotations of a task", 1, "task 7", left_out=True),
        Remark("regions that are not labels of a timeline", 1, "region 2", left_out=True),
    )


def test_minimal_export() -> None:
    tasks = [
        {"id": 7, "video": "/data/clip.mp4", "tl": [{"ranges": [{"start": 3, "end": 3}], "timelinelabels": ["nod"]}]}
    ]
    file = read(json.dumps(tasks), "a.json")
    assert labels_in(file) == [("", "nod", 2, 3)]
    assert file.parts[0].media == "clip.mp4"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            [{"data": {}, "annotations": [{"result": [{}]}]}],
            "is damaged (KeyError('value')); export it again from Label",
        ),
        ([task(1, "a.mp4")], "'a.json' has no label"),
    ],
)
def test_a_damaged_export_is_refused(document: Any, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read(json.dumps(document), "a.json")
    assert message in str(raised.value)
