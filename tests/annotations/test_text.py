"""Times as files spell them."""

from __future__ import annotations

import pytest

from recognizer.annotations.text import file_name, label_text, subject_text, time_in_s


@pytest.mark.parametrize(
    ("cell", "time_s"),
    [
        ("12.5", 12.5),
        ("12,5", 12.5),
        (" 7 ", 7),
        ("1e-3", 0.001),
        ("-0.25", -0.25),
        ("02:03", 123),
        ("1:02:03.25", 3723.25),
        ("00:00:00,040", 0.04),
        ("-00:00:01", -1),
        ("1970-01-02T00:00:01Z", 86401),
        ("1970-01-02 00:00:01.5", 86401.5),
        ("1970-01-02T01:00:00+01:00", 86400),
    ],
)
def test_times_in_every_spelling(cell: str, time_s: float) -> None:
    assert time_in_s(cell) == pytest.approx(time_s)


@pytest.mark.parametrize(
    "cell", ["", "NA", "nan", "inf", "soon", "1_000", "1.234,5", "1:75", "1e999", "1970-13-01T00:00"]
)
def test_what_is_no_time_is_none(cell: str) -> None:
    assert time_in_s(cell) is None


def test_names() -> None:
    assert label_text("'=1+1") == "=1+1"
    assert label_text(" tai \t chi ") == "tai chi"
    assert subject_text("No focal subject") == ""
    assert [file_name(path) for path in ("a/b.mp4", r"C:\a\b.mp4", "file:///x/b.mp4", "b.mp4")] == ["b.mp4"] * 4
