"""Each format is read back by the library of the programs that open it: to the millisecond, with hard labels."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import parselmouth
import pyarrow.parquet as pq
import pytest
import webvtt
from parselmouth import praat
from praatio import textgrid
from pympi import Elan

from recognizer.annotations.reading import read_labels
from recognizer.errors import SettingsError
from recognizer.export import ALL_FORMATS, BUNDLE, FORMATS, Content, Format, format_of
from recognizer.export.boris import AGGREGATED_COLUMNS
from recognizer.export.bundle import TABLES
from recognizer.export.content import label_spans_ms
from recognizer.export.rows import PEOPLE, PREDICTIONS, SEGMENTS
from recognizer.export.summary_rows import BUDGET
from recognizer.export.table import Table
from tests.support.exports import exported

Span = tuple[str, str, int, int]
"""Name of the person, label, start and end in milliseconds."""


def spans(content: Content) -> list[Span]:
    return [
        (content.people_names[one.person_id], one.label, one.start_ms, one.end_ms) for one in label_spans_ms(content)
    ]


def written(ending: str, content: Content) -> bytes:
    return format_of(f"x{ending}").write(content)


def in_file(data: bytes, folder: Path, ending: str) -> str:
    path = folder / f"file{ending}"
    path.write_bytes(data)
    return str(path)


def ms(time_s: float) -> int:
    """Seconds as whole milliseconds; fails if the time is not one of a millisecond."""
    assert abs(time_s * 1000 - round(time_s * 1000)) < 1e-6
    return round(time_s * 1000)


def test_spans_to_check_are_all_there() -> None:
    content = exported()
    assert len(spans(content)) == len(content.segments) - 1  # one is shorter than half a millisecond
    assert content.people_names == {1: "Person 1", 2: 'Änna & "Bo" <x>', 3: "Person 3"}


def test_elan_is_read_by_pympi(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    content = exported()
    document = Elan.Eaf(in_file(written(".eaf", content), tmp_path, ".eaf"))
    assert list(document.get_tier_names()) == list(content.people_names.values())
    found = [
        (tier, label, start_ms, end_ms)
        for tier in document.get_tier_names()
        for start_ms, end_ms, label, *_ in sorted(document.get_annotation_data_for_tier(tier))
    ]
    assert found == spans(content)
    assert document.adocument["FORMAT"] == "3.0"
    assert document.adocument["DATE"] == "2026-11-29T12:30:15+01:00"
    assert [one["RELATIVE_MEDIA_URL"] for one in document.media_descriptors] == ["./my video.mp4"]
    assert not recwarn.list


def test_praat_reads_the_text_grid(tmp_path: Path) -> None:
    content = exported()
    grid = parselmouth.read(in_file(written(".TextGrid", content), tmp_path, ".TextGrid"))
    found = []
    for tier in range(1, praat.call(grid, "Get number of tiers") + 1):
        name = praat.call(grid, "Get tier name", tier)
        ends_s = [0.0]
        for k in range(1, praat.call(grid, "Get number of intervals", tier) + 1):
            start_s = praat.call(grid, "Get start time of interval", tier, k)
            assert start_s == ends_s[-1], "no gap and no overlap"
            ends_s.append(praat.call(grid, "Get end time of interval", tier, k))
            if label := praat.call(grid, "Get label of interval", tier, k):
                found.append((name, label, ms(start_s), ms(ends_s[-1])))
        assert ends_s[-1] == 3700.0
    assert found == spans(content)


def test_text_grid_is_read_by_praatio(tmp_path: Path) -> None:
    content = exported()
    path = in_file(written(".TextGrid", content), tmp_path, ".TextGrid")
    grid = textgrid.openTextgrid(path, includeEmptyIntervals=False)
    assert [(tier.name, one.label, ms(one.start), ms(one.end)) for tier in grid.tiers for one in tier.entries] == spans(
        content
    )


def by_time(found: Iterable[Span]) -> list[Span]:
    return sorted(found, key=lambda one: (one[2], one[3], one[0] != "Person 1"))


def test_webvtt_is_read_by_its_library_without_leniency() -> None:
    content = exported()
    captions = webvtt.from_string(written(".vtt", content).decode(), strict=True).captions
    unescaped = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
    found = []
    for one in captions:
        text, voice = one.text, str(one.voice)
        for entity, char in reversed(unescaped.items()):
            text, voice = text.replace(entity, char), voice.replace(entity, char)
        found.append((voice, text.removeprefix(f"{voice}: "), one.start_time.in_milliseconds(),
                      one.end_time.in_milliseconds()))  # fmt: skip
    assert found == by_time(spans(content))


def test_srt_is_read_by_webvtt() -> None:
    content = exported()
    captions = webvtt.from_buffer(io.BytesIO(written(".srt", content)), format="srt").captions
    expected = by_time(spans(content))
    assert [(one.start_time.in_milliseconds(), one.end_time.in_milliseconds()) for one in captions] == [
        one[2:] for one in expected
    ]
    texts = [f"{name}: {label}".replace("<", "‹").replace(">", "›") for name, label, *_ in expected]
    assert [one.text for one in captions] == texts


@pytest.mark.parametrize("table", [SEGMENTS, PEOPLE, PREDICTIONS], ids=lambda table: table.name)
def test_parquet_and_csv_hold_the_same_table(table: Table) -> None:
    content = exported()
    ending = "" if table.name == "segments" else f".{table.name}"
    parquet = pd.read_parquet(io.BytesIO(written(f"{ending}.parquet", content)))
    text = pd.read_csv(io.BytesIO(written(f"{ending}.csv", content)), keep_default_na=False)
    assert list(parquet) == list(text) == [column.name for column in table.columns]
    assert len(parquet) == len(text) > 0
    for column in table.columns:
        cells, texts = parquet[column.name].tolist(), text[column.name].tolist()
        if column.kind is str:
            assert ["" if pd.isna(cell) else cell for cell in cells] == [one.removeprefix("'") for one in texts]
        elif column.digits is not None:
            numbers = [float(one) if one != "" else None for one in texts]
            assert [None if pd.isna(one) else round(one, column.digits) for one in cells] == numbers
        else:
            assert cells == texts


def test_summaries_are_tables_of_their_own() -> None:
    content = exported()
    budget = pd.read_csv(io.BytesIO(written(".budget.csv", content)))
    assert list(budget) == [column.name for column in BUDGET.columns]
    everyone = budget[budget["person_name"] == "everyone"].set_index("action")
    assert everyone.loc["tai chi", "count"] == 3
    assert everyone.loc["tai chi", "total_s"] == pytest.approx(1.1004 + 1.0006 + 1.4994, abs=6e-4)
    together = pd.read_csv(io.BytesIO(written(".together.csv", content)))
    assert set(together["person_id"]) == {1}
    assert set(together["other_id"]) == {2}
    bins = pd.read_csv(io.BytesIO(written(".bins.csv", replace(content, bin_s=10.0))))
    assert bins["end_s"].sub(bins["start_s"]).max() == 10.0
    assert bins["total_s"].sum() == pytest.approx(sum(one.duration_s for one in content.segments), abs=0.01)
    transitions = pd.read_csv(io.BytesIO(written(".transitions.csv", content)))
    assert transitions["count"].sum() == 7 + 2


def test_parquet_has_types_and_settings() -> None:
    file = pq.read_table(io.BytesIO(written(".parquet", exported())))
    assert [str(field.type) for field in file.schema][:3] == ["int64", "string", "double"]
    assert json.loads(file.schema.metadata[b"settings"])["video_classifier_model"] == "i3d"
    assert file.schema.metadata[b"min_confidence"] == b"0.3"
    assert file["source"].to_pylist().count("human") == 1


def test_json_holds_the_segments_that_are_exported() -> None:
    content = exported()
    document = json.loads(written(".json", content))
    assert [(one["action"], one["start_s"]) for one in document["segments"]] == [
        (one.action, one.start_s) for one in content.ordered
    ]
    assert [one.get("source", "machine") for one in document["segments"]].count("human") == 1
    assert [one.get("name") for one in document["people"]] == [None, 'Änna & "Bo" <x>', None]


def test_aggregated_events_of_boris_are_read_as_labels() -> None:
    content = exported(names={})
    data = written(".tsv", content)
    assert tuple(data.decode().splitlines()[0].split("\t")) == AGGREGATED_COLUMNS
    (part,) = read_labels(data, "x.tsv").parts
    found = [(one.subject, one.action, ms(one.start), ms(one.end or 0)) for one in part.labels]
    assert sorted(found) == sorted(spans(content))


def test_project_of_boris_pairs_its_events() -> None:
    content = exported()
    project = json.loads(written(".boris", content))
    (observation,) = project["observations"].values()
    started: dict[tuple[str, str], int] = {}
    found = []
    times_s = [event[0] for event in observation["events"]]
    assert times_s == sorted(times_s)
    for time_s, subject, code, _modifier, _comment in observation["events"]:
        if (subject, code) in started:
            found.append((subject, code, started.pop((subject, code)), ms(time_s)))
        else:
            started[subject, code] = ms(time_s)
    assert not started
    assert sorted(found) == sorted(spans(content))
    assert {one["code"] for one in project["behaviors_conf"].values()} == {label for _, label, *_ in found}
    assert [one["name"] for one in project["subjects_conf"].values()] == list(content.people_names.values())


def test_ava_has_a_row_per_person_and_second_with_a_label() -> None:
    content = exported()
    rows = list(csv.reader(io.StringIO(written(".ava.csv", content).decode())))
    numbers = {}
    for item in written(".ava.pbtxt", content).decode().split("item {")[1:]:
        name, number = (line.split(": ", 1)[1] for line in item.strip().splitlines()[:2])
        numbers[int(number)] = json.loads(name)
    assert "unknown" not in numbers.values()
    assert all(len(row) == 8 and row[0] == "my video" for row in rows)
    assert all(0 <= float(cell) <= 1 for row in rows for cell in row[2:6])
    found = {(int(row[7]), int(row[1]), numbers[int(row[6])]) for row in rows}
    expected = {
        (one.person_id, second, one.label)
        for one in label_spans_ms(content)
        for second in range(3700)
        if one.start_ms <= second * 1000 < one.end_ms and one.label != "unknown"
    }
    assert found == expected
    # person 1 crosses 540 of 640 pixels in 49 steps of 0.2 s; the box at 1 s is that of step 5
    assert rows[0][:6] == ["my video", "0001", *(f"{one:.3f}" for one in (540 * 5 / 49 / 640, 0.25,
                           (540 * 5 / 49 + 100) / 640, 350 / 360))]  # fmt: skip


def test_bundle_holds_every_format_and_explains_every_column() -> None:
    content = exported()
    with zipfile.ZipFile(io.BytesIO(BUNDLE.write(content))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        readme = archive.read("README.txt").decode()
        assert archive.read("my video.eaf") == written(".eaf", content)
    assert names == ["README.txt", *(f"my video{one.ending}" for one in FORMATS)]
    for table in TABLES:
        for column in table.columns:
            assert f"  {column.name}: {column.meaning}" in readme
    assert "video_classifier_model: i3d" in readme
    assert "minimum confidence: 0.3" in readme


@pytest.mark.parametrize("one", ALL_FORMATS, ids=lambda one: one.ending)
def test_every_format_writes_a_video_without_people(one: Format) -> None:
    content = exported()
    empty = replace(content.timeline, people=(), predictions=())
    assert isinstance(one.write(replace(content, timeline=empty, segments=(), names={})), bytes)


def test_longest_ending_decides_the_format() -> None:
    assert format_of("a/b.people.CSV").title == "People (CSV)"
    assert format_of("people.csv").title == "Segments (CSV)"
    assert format_of("x.textgrid").title == "Praat (TextGrid)"
    with pytest.raises(SettingsError, match=r"'x\.doc' names no format; give a name that ends in one of \.csv, "):
        format_of("x.doc")


def test_two_people_with_one_name_keep_two_tiers() -> None:
    content = exported(names={1: "Anna", 2: "anna"})
    assert content.people_names == {1: "Anna (person 1)", 2: "anna (person 2)", 3: "Person 3"}
