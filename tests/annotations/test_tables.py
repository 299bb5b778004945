"""Reading labels from a plain table: what spreadsheets make of it, and odd rows that do not cost the file."""

from __future__ import annotations

import pytest

from recognizer.annotations.reading import read_labels
from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import labels_in, read

HEADER = "person_id,action,start_s,end_s\n1,yoga,0,1\n"


def test_plain_table_with_and_without_people() -> None:
    assert labels_in(read("person_id,action,start_s,end_s\n1,tai chi,0,2.5\n2,yoga,1,2\n")) == [
        ("1", "tai chi", 0, 2.5),
        ("2", "yoga", 1, 2),
    ]
    assert labels_in(read("action,start_s,end_s\ntai chi,0,2.5\n")) == [("", "tai chi", 0, 2.5)]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffperson_id;action;start_s;end_s\r\nPerson 2;tai chi;0,5;2,25\r\n",
        "end_s\taction\tperson_id\tstart_s\n2.25\t tai  chi \tPerson 2\t0.5\n\n",
        'start_s, end_s, action, person_id, remark\n0.5,2.25,"tai chi",Person 2,"so, so"\n',
        'sep=;\r\nAction;Start_s;END_S;Person_ID\r\ntai chi;"0,5";00:02.250;Person 2\r\n',
        'action,start_s,end_s,person_id\ntai chi,"0,5","2,25",Person 2\n',
        "Behaviour,Onset,Offset,Subject\ntai chi,00:00:00.500,00:00:02.25,Person 2,,\n",
    ],
)
def test_tables_as_spreadsheets_write_them(text: str) -> None:
    assert labels_in(read(text)) == [("Person 2", "tai chi", 0.5, 2.25)]
    as_utf_16 = read_labels(text.lstrip("\ufeff").encode("utf-16"), "labels.csv")
    assert labels_in(as_utf_16) == [("Person 2", "tai chi", 0.5, 2.25)]


def test_own_csv_is_read_back_as_it_was_written() -> None:
    text = (
        "person_id,action,start_s,end_s,duration_s,start_frame,end_frame,confidence,classifier\r\n"
        "1,'=1+1,0.000,1.000,1.000,0,30,0.5000,i3d\r\n1,unknown,1.000,2.000,1.000,30,60,0.5000,i3d\r\n"
    )
    assert labels_in(read(text)) == [("1", "=1+1", 0, 1), ("1", "unknown", 1, 2)]


def test_frames_are_read_where_there_are_no_times() -> None:
    [label] = read("action,start_frame,end_frame\nyoga,5,30\n").parts[0].labels
    assert (label.start, label.end, label.in_frames) == (5, 30, True)


@pytest.mark.parametrize("cell", ["", "NA", "nan", "n/a", "-"])
def test_an_open_end_is_kept_open(cell: str) -> None:
    assert labels_in(read(f"{HEADER}1,jogging,3,{cell}\n"))[1] == ("1", "jogging", 3, None)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("1,yoga,soon,3", "rows whose start or end is not a time"),
        ("1,yoga,1,soon", "rows whose start or end is not a time"),
        ("1,yoga,nan,3", "rows whose start or end is not a time"),
        ("1,yoga,2", ""),
        ("1,,2,3", "rows without an action"),
        ("1,yoga,2,3,4", "rows with more cells than the header, which commas without quotes cause"),
    ],
)
def test_an_odd_row_does_not_cost_the_others(row: str, what: str) -> None:
    file = read(f"{HEADER}{row}\n1,jogging,5,6\n")
    assert ("1", "jogging", 5, 6) in labels_in(file)
    assert ("1", "yoga", 0, 1) in labels_in(file)
    assert file.remarks == ((Remark(what, 1, "row 3", left_out=True),) if what else ())


def test_what_was_converted_is_counted() -> None:
    file = read('sep=,\nAction,start_s,end_s\nyoga,"0,5",1\nyoga,0:01,"2,5"\nyoga,3,4\n')
    assert [(remark.what, remark.count) for remark in file.remarks] == [
        ("a line sep= before the header", 1),
        ("column titles in other capitals", 1),
        ("rows with decimal commas", 2),
        ("rows with times as hh:mm:ss", 1),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'labels.csv' is empty; give a table with the columns action, start_s and end_s."),
        (",,,\n,,\n", "'labels.csv' has no row; give a table with the columns"),
        ("a,b\n1,2\n", "row 1: the header lacks action, start_s, end_s (it has a, b);"),
        ('"a\nb",c\n1,2\n', "row 2: the header lacks action, start_s, end_s (it has a b, c);"),
        ("action,start_s\nyoga,2\n", "row 1: the header lacks end_s (it has action, start_s);"),
        ("person_id,action,start_s,end_s\n", "has no label; give one row for each stretch"),
        (
            "action,start_s,end_s\nyoga,a,b\nyoga,c,d\n",
            "has no label that can be read: rows whose start or end is not a time (2, first row 2); give one row",
        ),
    ],
)
def test_an_invalid_file_is_rejected_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read(text)
    assert message in str(raised.value)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_text_is_rejected() -> None:
    with pytest.raises(TruthError, match=r"'labels\.csv', row 2: this is not UTF-8 text;"):
        read_labels(b"action,start_s,end_s\nyog\xe0,1,2\n", "labels.csv")
    with pytest.raises(TruthError, match="bytes long"):
        read_labels(b"x" * 20_000_001, "labels.csv")
