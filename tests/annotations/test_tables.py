"""Reading a user's own labels from a table, and rejecting invalid ones with a reason."""

from __future__ import annotations

import pytest

from recognizer.annotations.model import Truth
from recognizer.annotations.tables import read_truth
from recognizer.errors import TruthError

BORIS_HEADER = (
    "Observation id,Observation date,Description,Observation type,Source,Total length,FPS,weather,Subject,"
    "Observation duration by subject by observation,Behavior,Behavioral category,Modifiers,Behavior type,Start (s),"
    "Stop (s),Duration (s),Image index start,Image index stop,Image file path start,Image file path stop,"
    "Comment start,Comment stop\r\n"
)


def boris_row(subject: str, behavior: str, start: str, stop: str, kind: str = "STATE", obs: str = "walk 1") -> str:
    return (
        f'{obs},2026-11-01 10:00:00,,Media file,"player #1: a.mp4",60.000,25.0,fine,{subject},60.0,{behavior},,,{kind},'
        f"{start},{stop},1,,,,,,\r\n"
    )


def read(text: str) -> Truth:
    return read_truth(text.encode(), "labels.csv")


def rows(truth: Truth) -> list[tuple[int | None, str, float, float]]:
    return [(row.person_id, row.action, row.start_s, row.end_s) for row in truth.rows]


def test_plain_table_with_and_without_people() -> None:
    assert rows(read("person_id,action,start_s,end_s\n1,tai chi,0,2.5\n2,yoga,1,2\n")) == [
        (1, "tai chi", 0, 2.5),
        (2, "yoga", 1, 2),
    ]
    assert rows(read("action,start_s,end_s\ntai chi,0,2.5\n")) == [(None, "tai chi", 0, 2.5)]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffperson_id;action;start_s;end_s\r\nPerson 2;tai chi;0,5;2,25\r\n",
        "end_s\taction\tperson_id\tstart_s\n2.25\t tai  chi \t2.0\t0.5\n\n",
        'start_s, end_s, action, person_id, remark\n0.5,2.25,"tai chi",02,"so, so"\n',
    ],
)
def test_tables_as_spreadsheets_write_them(text: str) -> None:
    assert rows(read(text)) == [(2, "tai chi", 0.5, 2.25)]
    assert rows(read_truth(text.lstrip("\ufeff").encode("utf-16"), "labels.csv")) == [(2, "tai chi", 0.5, 2.25)]


def test_own_csv_is_read_back_as_it_was_written() -> None:
    text = (
        "person_id,action,start_s,end_s,duration_s,start_frame,end_frame,confidence,classifier\r\n"
        "1,'=1+1,0.000,1.000,1.000,0,30,0.5000,i3d\r\n1,unknown,1.000,2.000,1.000,30,60,0.5000,i3d\r\n"
    )
    assert rows(read(text)) == [(1, "=1+1", 0, 1), (1, "unknown", 1, 2)]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_aggregated_events_of_boris(delimiter: str) -> None:
    text = BORIS_HEADER + boris_row("No focal subject", "yoga", "5.000", "8.125")
    text += boris_row("No focal subject", "sneeze", "6.000", "6.000", kind="POINT")
    text += boris_row("No focal subject", "tai chi", "10.250", "23.350")
    truth = read(text.replace(",", delimiter))
    assert rows(truth) == [(None, "yoga", 5, 8.125), (None, "tai chi", 10.25, 23.35)]
    assert truth.notes == ("1 point events of 'labels.csv' have no duration and are skipped.",)
    assert rows(read(BORIS_HEADER + boris_row("Person 3", "yoga", "5.000", "8.125"))) == [(3, "yoga", 5, 8.125)]


HEADER = "person_id,action,start_s,end_s\n1,yoga,0,1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'labels.csv' is empty; give a table with the columns action, start_s and end_s."),
        ("a,b\n1,2\n", "row 1: the header lacks action, start_s, end_s (it has a, b);"),
        ("action,start_s\nyoga,2\n", "row 1: the header lacks end_s (it has action, start_s);"),
        (HEADER + "1,yoga,2\n", "row 3: end_s is ''; give seconds from the start of the video, such as 12.5."),
        (HEADER + "1,yoga,soon,3\n", "row 3: start_s is 'soon'; give seconds"),
        (HEADER + "1,yoga,nan,3\n", "row 3: start_s is 'nan'; give seconds"),
        (HEADER + "1,yoga,-1,3\n", "row 3: start_s is '-1'; give seconds"),
        (HEADER + "1,yoga,0:02,3\n", "row 3: start_s is '0:02'; give seconds"),
        (HEADER + "1,yoga,3,3\n", "row 3: end_s is 3, which is not after start_s, 3;"),
        (HEADER + "1,,2,3\n", "row 3: action is empty;"),
        (HEADER + "Anna,yoga,2,3\n", "row 3: person_id is 'Anna'; give a person's number"),
        (HEADER + "0,yoga,2,3\n", "row 3: person_id is '0'; give a person's number"),
        (HEADER + "1,yoga,2,3,4\n", "row 3: it has more cells than the header has columns;"),
        (HEADER + "1,jogging,0.5,3\n", "row 3: 0.5 to 3 s overlaps row 2, 0 to 1 s, of the same person;"),
        (HEADER + ",jogging,0.5,3\n", "row 3: 0.5 to 3 s overlaps row 2"),
        ("person_id,action,start_s,end_s\n", "has no label with a duration;"),
        (
            BORIS_HEADER + boris_row("", "yoga", "1", "2") + boris_row("", "yoga", "3", "4", obs="walk 2"),
            "row 3: it belongs to another observation, 'walk 2'; export one observation at a time.",
        ),
        (BORIS_HEADER + boris_row("Rex", "yoga", "1", "2"), "row 2: Subject is 'Rex'; give a person's number"),
        (BORIS_HEADER + boris_row("", "yoga", "1", "NA"), "row 2: Stop (s) is 'NA'; give seconds"),
    ],
)
def test_an_invalid_file_is_rejected_with_row_and_reason(text: str, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read(text)
    assert message in str(raised.value)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_text_is_rejected() -> None:
    with pytest.raises(TruthError, match=r"'labels\.csv', row 2: this is not UTF-8 text;"):
        read_truth(b"action,start_s,end_s\nyog\xe0,1,2\n", "labels.csv")
    with pytest.raises(TruthError, match="bytes long"):
        read_truth(b"x" * 20_000_001, "labels.csv")


def test_two_people_may_do_something_at_the_same_time() -> None:
    assert len(read(HEADER + "2,yoga,0,1\n").rows) == 2
