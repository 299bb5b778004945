"""Tables of events that BORIS exports: media files on one clock, starts and stops, point events."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognizer.annotations.model import Answers
from recognizer.annotations.reading import read_labels
from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import fitted, labels_in, read, rows_of, video_of

AGGREGATED = (
    "Observation id,Observation date,Description,Observation type,Source,Time offset (s),Coding duration,"
    "Media duration (s),FPS (frame/s),Subject,Observation duration by subject by observation,Behavior,"
    "Behavioral category,Behavior type,Start (s),Stop (s),Duration (s),Media file name,Comment start,Comment stop\r\n"
)
"""The columns of BORIS 8.27."""


def aggregated(subject: str, behavior: str, start: str, stop: str, kind: str = "STATE", obs: str = "walk 1") -> str:
    return (
        f'{obs},2026-11-01 10:00:00,,Media file,"player #1:C:\\v\\a.mp4;C:\\v\\b.mp4",100.0,60.0,20.000;30.000,'
        f"25.000;25.000,{subject},60.0,{behavior},,{kind},{start},{stop},1,Not found,,\r\n"
    )


def test_media_files_of_an_observation_have_their_own_clocks() -> None:
    text = AGGREGATED + aggregated("No focal subject", "yoga", "105.000", "108.125")
    text += aggregated("No focal subject", "jogging", "118.000", "123.500")
    text += aggregated("No focal subject", "tai chi", "130.250", "153.350")
    file = read(text)
    assert file.format == "BORIS, aggregated events"
    assert [(part.name, part.begins_s, part.ends_s) for part in file.parts] == [
        ("a.mp4", 100, 120),
        ("b.mp4", 120, 150),
    ]
    first = fitted(file, video_of(20.0, name="A.MP4"))
    assert rows_of(first.rows) == [(None, "yoga", 5, 8.125), (None, "jogging", 18, 20)]
    second = fitted(file, video_of(30.0, name="b.mp4"))
    assert rows_of(second.rows) == [(None, "jogging", 0, 3.5), (None, "tai chi", 10.25, 30)]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_points_are_counted_and_open_states_last_until_the_end(delimiter: str) -> None:
    text = AGGREGATED + aggregated("Rex", "yoga", "105.000", "NA") + aggregated("Rex", "sneeze", "107", "107", "POINT")
    text += aggregated("Rex", "jogging", "106", "107")
    file = read(text.replace(",", delimiter))
    assert file.remarks == (Remark("point events, which have no duration", 1, left_out=True),)
    truth = fitted(file, video_of(20.0, name="a.mp4"), Answers(people={"Rex": 2}, part="a.mp4"))
    assert rows_of(truth.rows) == [(2, "yoga", 5, 20)]
    assert rows_of(truth.apart) == [(2, "jogging", 6, 7)]


def test_observations_are_parts() -> None:
    text = AGGREGATED + aggregated("", "yoga", "101", "102") + aggregated("", "yoga", "103", "104", obs="walk 2")
    file = read(text)
    assert [part.name for part in file.parts] == ["walk 1, a.mp4", "walk 2, a.mp4"]
    with pytest.raises(TruthError, match=r"\('walk 1, a\.mp4', 'walk 2, a\.mp4'\), and none alone is named like"):
        fitted(file, video_of(20.0, name="a.mp4"))


TABULAR = (
    "Observation id\tSource\tTime offset (s)\tMedia duration (s)\tSubject\tBehavior\tModifier #1\tBehavior type\tTime\t"
    "Media file name\n"
)


def event(subject: str, behavior: str, kind: str, time: str, modifier: str = "") -> str:
    return f"one\tplayer #1:clip.mp4\t0.0\t10.0\t{subject}\t{behavior}\t{modifier}\t{kind}\t{time}\tclip.mp4\n"


def test_starts_and_stops_are_paired_by_subject_behavior_and_modifier() -> None:
    text = (
        TABULAR + event("1", "walk", "START", "1") + event("2", "walk", "START", "2") + event("1", "nod", "POINT", "2")
    )
    text += (
        event("1", "walk", "START", "2.5", "fast") + event("2", "walk", "STOP", "3") + event("1", "walk", "STOP", "4")
    )
    text += event("1", "walk", "STOP", "5", "fast") + event("1", "sit", "STOP", "6") + event("2", "sit", "START", "7")
    file = read(text)
    assert file.format == "BORIS, tabular events"
    assert labels_in(file) == [("1", "walk", 1, 4), ("2", "walk", 2, 3), ("1", "walk", 2.5, 5), ("2", "sit", 7, None)]
    assert file.remarks == (
        Remark("point events, which have no duration", 1, left_out=True),
        Remark("STOPs without a START", 1, "row 9", left_out=True),
    )


def test_a_second_start_ends_the_first() -> None:
    file = read(
        TABULAR + event("1", "walk", "START", "1") + event("1", "walk", "START", "2") + event("1", "walk", "STOP", "3")
    )
    assert labels_in(file) == [("1", "walk", 1, 2), ("1", "walk", 2, 3)]
    assert file.remarks == (Remark("STARTs of a behavior that has begun before, which end it", 1, "row 3"),)


def test_aggregated_events_over_two_media_of_an_old_version(annotations_dir: Path) -> None:
    path = annotations_dir / "boris_aggregated_two_media.tsv"
    file = read_labels(path.read_bytes(), path.name)
    assert [(part.name, len(part.labels)) for part in file.parts] == [
        ("video_test_25fps_180s.mp4", 3),
        ("video_test_25fps_360s.mp4", 7),
    ]
    assert file.remarks == (Remark("point events, which have no duration", 8, left_out=True),)
    first = fitted(file, video_of(179.96, name="video_test_25fps_180s.mp4"))
    assert rows_of(first.rows) == [(None, "s", 1.8, 8.125), (None, "s", 10.25, 23.35), (None, "s", 26.775, 31.475)]
    second = fitted(
        file, video_of(359.96, name="video_test_25fps_360s.mp4"), Answers(people={"subject1": 1, "subject2": 2})
    )
    # the file's events run on from 179.96 s, as BORIS' project says
    assert rows_of(second.rows)[0] == (None, "s", pytest.approx(227.765 - 179.96), pytest.approx(253.49 - 179.96))
    assert {row.person_id for row in second.rows} == {None, 1, 2}


def test_tabular_events_of_an_old_version_have_lines_before_their_header(annotations_dir: Path) -> None:
    path = annotations_dir / "boris_tabular_old.tsv"
    file = read_labels(path.read_bytes(), path.name)
    assert [part.media for part in file.parts] == ["video_test_25fps_360s.mp4"]
    assert labels_in(file) == [
        ("subject1", "s", 3.3, 7.75),
        ("subject1", "s", 9.9, 16.2),
        ("subject1", "s", 18.35, 24.475),
        ("subject2", "s", 38.425, 46.1),
    ]


def test_tabular_events_with_names_and_concurrent_states(annotations_dir: Path) -> None:
    path = annotations_dir / "boris_tabular_new.tsv"
    file = read_labels(path.read_bytes(), path.name)
    truth = fitted(file, video_of(20.0), Answers(people={"Anna": 1, "Ben": 2}))
    assert rows_of(truth.rows) == [(1, "walk", 1, 9.5), (2, "stand", 1.5, 19.98), (1, "sit", 9.5, 20)]
    assert rows_of(truth.apart) == [(1, "talk", 3, 5)]
    assert truth.notes == (
        "Mended in your labels: ends after the video ends, cut there (1, row 8).",
        "Left out in your labels: point events, which have no duration (1).",
        "Scored apart, because they happen during other actions: talk.",
    )
