"""Timelines as CSV, JSON and tables."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.errors import StoreError, one_line
from recognizer.export import (
    Content,
    FrameNumbers,
    appearances_table,
    harmless_cell,
    segments_csv,
    segments_table,
    table_of,
    timeline_from_json,
    timeline_json,
)
from recognizer.export.summary_rows import BUDGET
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Prediction, Reading, Segment, VideoInfo
from tests.support.environment import ROOT
from tests.support.tables import rows_of

SCHEMA = json.loads((ROOT / "docs" / "timeline.schema.json").read_text(encoding="utf-8"))


def track(person_id: int, times_s: list[float], presence: tuple[tuple[float, float], ...]) -> PersonTrack:
    count = len(times_s)
    boxes = np.linspace(0.1, 99.7, 4 * count, dtype=np.float32).reshape(count, 4)
    return PersonTrack(person_id, np.array(times_s), boxes, np.full(count, 1 / 3, np.float32), presence)


def prediction(person_id: int, start_s: float, end_s: float, label: str, probability: float = 0.8) -> Prediction:
    return Prediction(person_id, start_s, end_s, ((label, probability), ("yoga", 0.1)), "i3d")


def make_timeline(**changes: Any) -> Timeline:
    """Three seconds at 10 frames/s: person 1 comes twice, person 2 once."""
    timeline = Timeline(
        video=VideoInfo("ab" * 32, 640, 360, Fraction(10), 3.0, 30, "h264"),
        settings=Settings(video_classifier_model="i3d", num_video_sequence_samples=5),
        people=(
            track(1, [0.0, 0.2, 0.4, 2.0, 2.2], ((0.0, 0.6), (2.0, 2.4))),
            track(2, [1.0, 1.2], ((1.0, 1.4),)),
        ),
        predictions=(
            prediction(1, 0.0, 0.4, "tai chi", 0.9),
            prediction(1, 0.2, 0.6, "juggling, balls", 0.5),
            prediction(1, 2.0, 2.4, "tai chi", 0.7),
            prediction(2, 1.0, 1.4, "jogging", 0.25),
        ),
        frame_times_s=np.arange(30) / 10,
        analysed_s=3.0,
        complete=True,
        notes=("2 packets could not be decoded",),
        provenance={"torch": "2.15.0", "i3d weights": "cd" * 32},
    )
    return replace(timeline, **changes)


# --- CSV ---


def test_csv_equals_the_one_written_by_hand() -> None:
    timeline = make_timeline()
    # The first two clips overlap from 0.2 to 0.4, so their border is 0.3 s. Frames come every 0.1 s.
    assert segments_csv(timeline, timeline.segments(min_confidence=0.3)) == (
        "person_id,action,start_s,end_s,duration_s,start_frame,end_frame,confidence,classifier,source,person_name,checked\r\n"
        "1,tai chi,0.000,0.300,0.300,0,3,0.9000,i3d,machine,,0\r\n"
        '1,"juggling, balls",0.300,0.600,0.300,3,6,0.5000,i3d,machine,,0\r\n'
        "1,tai chi,2.000,2.400,0.400,20,24,0.7000,i3d,machine,,0\r\n"
        "2,unknown,1.000,1.400,0.400,10,14,0.2500,i3d,machine,,0\r\n"
    )


def test_csv_without_segments_is_its_header() -> None:
    timeline = make_timeline(people=(), predictions=())
    assert segments_csv(timeline, ()).splitlines() == [
        "person_id,action,start_s,end_s,duration_s,start_frame,end_frame,confidence,classifier,source,person_name,checked"
    ]


def test_rows_are_sorted_by_person_then_time() -> None:
    timeline = make_timeline()
    shuffled = [timeline.segments()[k] for k in (3, 1, 2, 0)]
    assert segments_csv(timeline, shuffled) == segments_csv(timeline, timeline.segments())


def test_duration_is_the_difference_of_the_printed_times() -> None:
    # 0.0006 and 1.0004 print as 0.001 and 1.000; their own difference, 0.9998, would print as 1.000
    row = segments_csv(make_timeline(), [Segment(1, "a", 0.0006, 1.0004, 0.5)]).splitlines()[1].split(",")
    assert row[2:5] == ["0.001", "1.000", "0.999"]


labels = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
segment_lists = st.lists(
    st.builds(
        lambda person_id, action, start_ms, length_ms, confidence: Segment(
            person_id, action, start_ms / 1000, (start_ms + length_ms) / 1000, confidence
        ),
        st.integers(1, 9),
        labels,
        st.integers(0, 3000),
        st.integers(1, 3000),
        st.floats(0, 1),
    ),
    max_size=8,
)


@given(segment_lists)
def test_csv_read_back_gives_the_segments(segments: list[Segment]) -> None:
    rows = rows_of(segments_csv(make_timeline(), segments))
    expected = sorted(segments, key=lambda s: (s.person_id, s.start_s, s.end_s))
    assert len(rows) == len(expected)
    for row, segment in zip(rows, expected, strict=True):
        assert int(row["person_id"]) == segment.person_id
        shown = "".join(letter if letter in "\t\r\n" else one_line(letter) for letter in segment.action)
        assert row["action"] in (shown, "'" + shown)
        assert float(row["start_s"]) == pytest.approx(segment.start_s, abs=1e-9)
        assert float(row["end_s"]) == pytest.approx(segment.end_s, abs=1e-9)
        assert float(row["duration_s"]) == pytest.approx(segment.duration_s, abs=1e-9)
        assert float(row["confidence"]) == pytest.approx(segment.confidence, abs=0.5001e-4)
        assert 0 <= int(row["start_frame"]) <= int(row["end_frame"]) <= 30


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "  =1",
        "\u00a0=1",
        "\ufeff=1",
        "\u200b-1",
        "＝1",
        "＋1",
        "－1",
        "＠a",
    ],
)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert harmless_cell(text) == "'" + text
    rows = list(csv.reader(io.StringIO(segments_csv(make_timeline(), [Segment(1, text, 0, 1, 1)]), newline="")))
    assert rows[1][1] == "'" + text


@pytest.mark.parametrize("text", ["tai chi", "push-up", "a=b", "'quoted'", "", "5 km run", "чтение"])
def test_plain_labels_are_not_changed(text: str) -> None:
    assert harmless_cell(text) == text


def test_name_of_a_classifier_cannot_be_a_formula() -> None:
    timeline = make_timeline(predictions=(replace(prediction(1, 0, 1, "a"), classifier="=HYPERLINK()"),))
    assert segments_csv(timeline, timeline.segments()).splitlines()[1].split(",")[8] == "'=HYPERLINK()"


# --- frames ---


def test_touching_segments_touch_in_frames_even_halfway_between_two() -> None:
    frames = FrameNumbers(
        make_timeline(frame_times_s=np.arange(300) / 30, video=replace(make_timeline().video, frame_rate=Fraction(30)))
    )
    for k in range(290):
        assert frames.first_at(k / 30) == k
        assert frames.first_at((k + 0.5) / 30) == k, "the earlier frame, whatever the rounding"
        assert frames.first_at((k + 0.6) / 30) == k + 1


def test_frames_of_a_variable_rate_are_numbered_by_their_times() -> None:
    timeline = make_timeline(frame_times_s=np.array([0.0, 0.01, 0.02, 1.0, 2.0]))
    frames = FrameNumbers(timeline)
    assert [frames.first_at(t) for t in (0.0, 0.01, 0.02, 0.5, 1.0, 2.0, 2.2)] == [0, 1, 2, 3, 3, 4, 5]


def test_without_frame_times_the_frame_rate_decides() -> None:
    frames = FrameNumbers(make_timeline(frame_times_s=np.empty(0)))
    assert [frames.first_at(t) for t in (0.0, 0.3, 0.35, 0.36, 2.0)] == [0, 3, 3, 4, 20]
    late = FrameNumbers(make_timeline(frame_times_s=np.empty(0), reading=Reading(first_picture_s=0.8)))
    assert [late.first_at(t) for t in (0.8, 1.1, 1.15, 1.16, 2.8)] == [0, 3, 3, 4, 20]


# --- JSON ---


def strict(schema: Any) -> Any:
    """The schema without room for fields it does not describe."""
    if isinstance(schema, dict):
        closed = {key: strict(value) for key, value in schema.items()}
        if "properties" in closed:
            closed.setdefault("additionalProperties", False)
        return closed
    return [strict(value) for value in schema] if isinstance(schema, list) else schema


def same(one: Timeline, other: Timeline) -> bool:
    plain = ("video", "settings", "predictions", "analysed_s", "complete", "notes", "provenance")
    return (
        all(getattr(one, name) == getattr(other, name) for name in plain)
        and np.array_equal(one.frame_times_s, other.frame_times_s)
        and len(one.people) == len(other.people)
        and all(
            a.person_id == b.person_id
            and a.presence == b.presence
            and np.array_equal(a.time_s, b.time_s)
            and a.box_xyxy.dtype == b.box_xyxy.dtype == a.confidence.dtype == np.float32
            and np.array_equal(a.box_xyxy, b.box_xyxy)
            and np.array_equal(a.confidence, b.confidence)
            for a, b in zip(one.people, other.people, strict=True)
        )
    )


@pytest.mark.parametrize("full", [False, True])
def test_json_follows_its_schema_and_has_no_field_beyond_it(full: bool) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    text = timeline_json(make_timeline(), min_confidence=0.3, include_boxes=full, include_frame_times=full)
    jsonschema.validate(json.loads(text), strict(SCHEMA), cls=jsonschema.Draft202012Validator)


def test_documented_example_follows_the_schema() -> None:
    page = (ROOT / "docs" / "json-schema.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    jsonschema.validate(json.loads(example), strict(SCHEMA), cls=jsonschema.Draft202012Validator)
    assert timeline_from_json(example).segments()[0].action == "tai chi"


def test_json_contains_the_segments_of_its_thresholds() -> None:
    document = json.loads(timeline_json(make_timeline(), min_confidence=0.3, min_duration_s=0.1))
    assert document["thresholds"] == {"min_confidence": 0.3, "min_duration_s": 0.1}
    assert [s["action"] for s in document["segments"]] == ["tai chi", "juggling, balls", "tai chi", "unknown"]
    assert document["people"] == [
        {"person_id": 1, "presence": [[0.0, 0.6], [2.0, 2.4]]},
        {"person_id": 2, "presence": [[1.0, 1.4]]},
    ]
    assert "frame_times_s" not in document


def test_json_with_boxes_and_times_gives_the_same_timeline() -> None:
    timeline = make_timeline()
    assert same(timeline_from_json(timeline_json(timeline, include_boxes=True, include_frame_times=True)), timeline)


finite = st.floats(allow_nan=False, allow_infinity=False)
finite32 = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), finite32, finite32, finite32, finite32, st.floats(0, 1, width=32)), max_size=6
    ),
    st.lists(st.tuples(st.text(max_size=8), st.floats(0, 1)), min_size=1, max_size=5),
    st.fractions(min_value=Fraction(1, 100), max_value=1000) | st.none(),
    st.lists(st.text(max_size=8), max_size=3),
    finite,
)
def test_json_roundtrip_is_exact(
    samples: list[tuple[float, ...]],
    top: list[tuple[str, float]],
    rate: Fraction | None,
    notes: list[str],
    end_s: float,
) -> None:
    table = np.array(samples, np.float64).reshape(-1, 6)
    timeline = make_timeline(
        people=(
            PersonTrack(
                3, table[:, 0].copy(), table[:, 1:5].astype(np.float32), table[:, 5].astype(np.float32), ((0.1, end_s),)
            ),
        ),
        predictions=(Prediction(3, 0.1, 0.1 + 0.2, tuple(top), top[0][0]),),
        video=replace(make_timeline().video, frame_rate=rate, sha256=None, duration_s=None),
        notes=tuple(notes),
        complete=False,
    )
    assert same(timeline_from_json(timeline_json(timeline, include_boxes=True, include_frame_times=True)), timeline)


def test_public_json_can_be_read_too_and_has_no_samples() -> None:
    back = timeline_from_json(timeline_json(make_timeline()))
    assert back.segments() == make_timeline().segments()
    assert [len(person.time_s) for person in back.people] == [0, 0]
    assert back.people[0].present_s == pytest.approx(1.0)


@pytest.mark.parametrize("folder", ["/home/ann/secret/", "C:\\Users\\ann\\secret\\"])
def test_json_names_the_checkpoint_but_not_its_folder(folder: str) -> None:
    settings = Settings(checkpoint_path=f"{folder}fight.pth", labels_path=f"{folder}labels.txt")
    text = timeline_json(make_timeline(settings=settings))
    assert "secret" not in text
    assert json.loads(text)["settings"]["checkpoint_path"] == "fight.pth"
    assert timeline_from_json(text).settings.labels_path == "labels.txt"


def test_json_refuses_numbers_that_are_not_finite() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        timeline_json(make_timeline(analysed_s=float("nan")))


def test_json_survives_names_that_are_not_text() -> None:
    timeline = make_timeline(notes=("clip \udcff.mp4",))
    text = timeline_json(timeline)
    assert timeline_from_json(text.encode("utf-8").decode("utf-8")).notes == timeline.notes


def edited(edit: str) -> str:
    document = json.loads(timeline_json(make_timeline(), include_boxes=True, include_frame_times=True))
    exec(edit, {"d": document})  # the edits stand just below
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"schema_version": NaN}', "NaN is not a number"),
        ("[]", "the document is '[]', not an object"),
        ("null", "the document is 'None', not an object"),
        ("{}", "schema_version is missing"),
        (edited("d['schema_version'] = '2.0'"), "schema version 2.0"),
        (edited("d['schema_version'] = 1"), "schema_version is '1'"),
        (edited("d['schema_version'] = 'one'"), "not a version"),
        (edited("del d['people']"), "people is missing"),
        (edited("d['complete'] = 1"), "complete is '1'"),
        (edited("d['analysed_s'] = True"), "analysed_s is 'True'"),
        (edited("d['analysed_s'] = 10 ** 400"), "analysed_s"),
        (edited("d['video']['frame_rate'] = '1/0'"), "frame_rate is '1/0'"),
        (edited("d['video'] = 7"), "video is '7'"),
        (edited("d['settings']['skip_frame'] = 0"), "skip_frame is 0"),
        (edited("d['settings']['video_classifier_model'] = []"), "video_classifier_model"),
        (edited("d['settings']['checkpoint_path'] = 5"), "checkpoint_path is '5'"),
        (edited("d['people'][0] = 5"), "people[0] is '5', not an object"),
        (edited("d['people'][0]['presence'] = [[1]]"), "people[0].presence[0] is '[1]', not a list of 2"),
        (edited("d['people'][0]['presence'] = [[1, 2], [3]]"), "people[0].presence[1] is '[3]', not a list of 2"),
        (edited("d['people'][0]['samples']['time_s'].pop()"), "4 times, 5 boxes"),
        (
            edited("d['people'][0]['samples']['box_xyxy'][0][0] = 'a'"),
            "samples.box_xyxy[0][0] is 'a', not a number",
        ),
        (edited("d['people'][0]['samples']['box_xyxy'][0][0] = 1e300"), "box_xyxy holds a number"),
        (edited("d['people'][0]['samples'] = 3"), "people[0].samples is '3', not an object"),
        (edited("d['predictions'][0]['top'] = []"), "predictions[0].top is '[]', not a list of at least 1"),
        (edited("d['predictions'][0]['top'][0]['probability'] = '1'"), "probability is '1'"),
        (edited("d['notes'] = [1]"), "notes[0] is '1', not text"),
        (edited("d['provenance']['torch'] = 2"), "provenance.torch is '2', not text"),
        (edited("d['frame_times_s'] = [None]"), "frame_times_s[0] is 'None', not a number"),
    ],
)
def test_broken_json_is_reported_in_one_sentence(text: str, fact: str) -> None:
    with pytest.raises(StoreError) as caught:
        timeline_from_json(text)
    message = str(caught.value)
    assert fact in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 350


def test_fields_of_a_later_minor_version_are_ignored() -> None:
    text = edited("d['schema_version'] = '1.7'; d['new'] = 1; d['settings']['new'] = 2; d['people'][0]['new'] = 3")
    assert same(timeline_from_json(text), make_timeline())


# --- tables ---


def test_appearances_table_has_the_presence_of_each_person() -> None:
    table = appearances_table(make_timeline())
    assert list(table.columns) == ["Person", "First seen (s)", "Last seen (s)", "Visits", "Present (s)"]
    assert table.to_numpy().tolist() == [[1, 0.0, 2.4, 2, 1.0], [2, 1.0, 1.4, 1, 0.4]]


def test_tables_of_an_export_have_titles_in_words_and_the_numbers_of_the_csv() -> None:
    timeline = make_timeline()
    content = Content(timeline, timeline.segments(), "video.mp4", names={1: "=Anna"})
    table = table_of(BUDGET, content)
    assert list(table.columns) == [
        "Person",
        "Name",
        "Action",
        "Count",
        "Total (s)",
        "Mean (s)",
        "SD (s)",
        "Share",
        "Time to first (s)",
    ]
    # person 1: 0.3 + 0.4 s of tai chi and 0.3 s of juggling in 1.0 s of presence
    found = [tuple(row) for row in table.iloc[:3, [0, 1, 2, 3, 4, 7]].itertuples(index=False, name=None)]
    assert found == [
        (1, "'=Anna", "tai chi", 2, 0.7, 0.7),
        (1, "'=Anna", "juggling, balls", 1, 0.3, 0.3),
        (2, "Person 2", "jogging", 1, 0.4, 1.0),
    ]
    assert table["Person"].isna().tolist() == [False] * 3 + [True] * 3, "everyone together has no number"


def test_segments_table_agrees_with_the_csv() -> None:
    timeline = make_timeline(predictions=(*make_timeline().predictions, prediction(2, 1.4, 1.6001, "=cmd")))
    table = segments_table(timeline, timeline.segments())
    rows = list(csv.reader(io.StringIO(segments_csv(timeline, timeline.segments()), newline="")))[1:]
    without_second = table.drop(columns=["Second label", "Second probability", "Source", "Checked"])
    assert [[str(v) for v in row] for row in without_second.itertuples(index=False, name=None)] == [
        [row[0], row[1], *(str(float(v)) for v in row[2:5]), *row[5:7], str(float(row[7])), row[8]] for row in rows
    ]
    assert table["Action"].iloc[-1] == "'=cmd", "tables can be downloaded as CSV too"


def test_segments_table_shows_names_sources_and_what_is_checked() -> None:
    timeline = make_timeline()
    segments = (Segment(1, "a", 0.0, 1.0, 1.0, source="human"), Segment(2, "b", 0.0, 1.0, 0.5))
    table = segments_table(timeline, segments, {2: "Anna"}, frozenset(segments[1:]))
    assert table[["Name", "Source", "Checked"]].to_numpy().tolist() == [["", "human", False], ["Anna", "machine", True]]
    assert appearances_table(timeline, {2: "Anna"})["Name"].tolist() == ["", "Anna"]


def test_segments_table_shows_a_close_second_label() -> None:
    said = (("counting money", 0.34), ("reading book", 0.3), ("writing", 0.1)), (("tai chi", 0.9), ("yoga", 0.05))
    timeline = make_timeline(
        predictions=tuple(Prediction(1, float(k), float(k + 1), top, "i3d") for k, top in enumerate(said))
    )
    table = segments_table(timeline, timeline.segments())
    assert table["Second label"].tolist() == ["reading book", ""]
    assert table["Second probability"].tolist()[0] == 0.3
    assert np.isnan(table["Second probability"].tolist()[1])
    assert segments_table(timeline, timeline.segments(0.5))["Second label"].tolist() == ["", ""], "unknown is no label"
    corrected = [replace(one, source="human") for one in timeline.segments()]
    assert segments_table(timeline, corrected)["Second label"].tolist() == ["", ""], "a person was sure"


def test_empty_tables_have_their_columns_and_types() -> None:
    timeline = make_timeline(people=(), predictions=())
    for table in (appearances_table(timeline), segments_table(timeline, ())):
        assert len(table) == 0
        assert table["Person"].dtype == np.int64
