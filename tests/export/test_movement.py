"""People's movement in tables, CSV and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from recognizer.errors import StoreError
from recognizer.export import appearances_table, format_of, timeline_from_json, timeline_json
from recognizer.export.schema import SCHEMA_PATH
from recognizer.timeline.model import Timeline
from tests.support.exports import exported
from tests.support.tables import rows_of

TIMELINE: Timeline = exported().timeline
"""Person 1 crosses 540 pixels in 10 s, 260 pixels tall; the camera's motion is unknown from 8 to 9.5 s."""

SPEED = 540 / 9.8 / 260


def rows(ending: str) -> list[dict[str, str]]:
    text = format_of(f"x{ending}").write(exported()).decode()
    return rows_of(text)


def test_each_sample_has_its_speed_or_the_reason_why_it_is_unknown() -> None:
    first = [row for row in rows(".movement.csv") if row["person_id"] == "1"]
    assert [row["time_s"] for row in first] == [f"{0.2 * k:.3f}" for k in range(50)]
    by_time = {row["time_s"]: row for row in first}
    assert by_time["5.000"] == {
        "person_id": "1", "time_s": "5.000", "heights_per_s": f"{SPEED:.3f}", "movement": "slow", "reason": "",
    }  # fmt: skip
    assert by_time["8.600"] == {
        "person_id": "1", "time_s": "8.600", "heights_per_s": "", "movement": "unknown",
        "reason": "the camera's motion cannot be measured",
    }  # fmt: skip
    assert by_time["0.000"]["reason"] == "cut off by the border of the picture"


def test_a_person_has_the_seconds_of_each_movement() -> None:
    first = rows(".people.csv")[0]
    assert (first["still_s"], first["fast_s"], first["mean_heights_per_s"]) == ("0.000", "0.000", f"{SPEED:.3f}")
    assert 7.5 < float(first["slow_s"]) < 8.5


def test_a_person_whose_movement_is_nowhere_known_has_no_seconds_of_it() -> None:
    content = exported()
    camera = content.timeline.camera
    assert camera is not None
    nowhere = replace(camera, steps=np.full_like(camera.steps, np.nan))
    timeline = replace(content.timeline, camera=nowhere)
    text = format_of("x.people.csv").write(replace(content, timeline=timeline)).decode()
    first = rows_of(text)[0]
    assert (first["still_s"], first["slow_s"], first["movement_known_s"]) == ("", "", "0.000")


def test_the_table_of_people_has_shares_and_speeds_if_they_were_measured() -> None:
    first = appearances_table(TIMELINE).to_dict("records")[0]
    assert [first[f"{name} (%)"] for name in ("Still", "Slow", "Fast")] == [0.0, 100.0, 0.0]
    assert first["Mean speed (heights/s)"] == round(SPEED, 2)
    assert 7.5 < first["Movement known (s)"] < 8.5
    without = appearances_table(replace(TIMELINE, camera=None))
    assert list(without) == ["Person", "First seen (s)", "Last seen (s)", "Visits", "Present (s)"]


def test_the_limits_of_the_settings_decide() -> None:
    settings = replace(TIMELINE.settings, still_below=0.5, fast_from=1.0)
    first = appearances_table(replace(TIMELINE, settings=settings)).to_dict("records")[0]
    assert [first[f"{name} (%)"] for name in ("Still", "Slow", "Fast")] == [100.0, 0.0, 0.0]


def test_json_has_each_persons_movement_and_restores_the_camera() -> None:
    text = timeline_json(TIMELINE, include_boxes=True, include_frame_times=True)
    document = json.loads(text)
    jsonschema.validate(document, json.loads(SCHEMA_PATH.read_text("utf-8")))
    movement = document["people"][0]["movement"]
    assert movement["known_s"] == movement["slow_s"] == pytest.approx(8.1, abs=0.4)
    assert movement["mean_heights_per_s"] == pytest.approx(SPEED, abs=1e-4)
    unknown = [span for span in movement["spans"] if span["movement"] == "unknown"]
    assert {span["reason"] for span in unknown} == {
        "cut off by the border of the picture", "the camera's motion cannot be measured",
    }  # fmt: skip
    assert movement["spans"][0]["start_s"] == 0.0
    assert movement["spans"][-1]["end_s"] == 10.0
    again = timeline_from_json(text)
    assert again.camera is not None
    assert TIMELINE.camera is not None
    np.testing.assert_array_equal(again.camera.steps, TIMELINE.camera.steps)
    assert timeline_json(again, include_boxes=True, include_frame_times=True) == text


def test_a_timeline_without_a_measured_camera_says_nothing() -> None:
    document = json.loads(timeline_json(replace(TIMELINE, camera=None), include_boxes=True))
    assert "camera" not in document
    assert all("movement" not in person for person in document["people"])


def test_a_damaged_camera_is_reported() -> None:
    document = json.loads(timeline_json(TIMELINE, include_boxes=True))
    document["camera"]["steps"].pop()
    with pytest.raises(StoreError, match=r"camera has \d+ times and \d+ steps"):
        timeline_from_json(json.dumps(document))
