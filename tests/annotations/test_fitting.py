"""Labels on the clock of a video: what is mended, who is who, and one label at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recognizer.annotations.fitting import names_in, part_for
from recognizer.annotations.model import AN_ACTION, EVERYONE, LEFT_OUT, Answers, Label, LabelFile, Part
from recognizer.errors import TruthError
from tests.support.labels import fitted, read, rows_of, video_of

TABLE = "person_id,action,start_s,end_s\n"


def test_an_open_end_lasts_until_the_next_label_of_the_person_or_the_end() -> None:
    truth = fitted(read(TABLE + "1,walking,0.5,NA\n2,waving,1,2\n1,sitting,2,\n"))
    assert rows_of(truth.rows) == [(1, "walking", 0.5, 2), (2, "waving", 1, 2), (1, "sitting", 2, 10)]
    assert truth.notes == (
        "Mended in your labels: open ends, which last until the next label (1, row 2); open ends, which last until the "
        "video ends (1, row 4).",
    )


def test_rows_at_the_borders_of_the_video_are_mended_and_counted() -> None:
    truth = fitted(read(TABLE + "1,a,-0.02,1\n1,b,9.98,10.02\n1,c,5,5\n1,d,7,6\n1,e,10,11\n1,f,-2,-1\n"))
    assert rows_of(truth.rows) == [(1, "a", 0, 1), (1, "b", 9.98, 10)]
    assert truth.notes == (
        "Mended in your labels: starts before the video begins, cut there (1, row 2); ends after the video ends, cut "
        "there (1, row 3).",
        "Left out in your labels: labels that begin and end at one moment (1, row 4); labels that end before they "
        "begin (1, row 5); labels that begin after the video ends (1, row 6); labels that end before the video begins "
        "(1, row 7).",
    )


def test_a_small_overlap_is_cut_and_does_not_make_two_actions_concurrent() -> None:
    file = read(TABLE + "1,walking,0.5,2.002\n1,sitting,2,9.9\n")
    truth = fitted(file)
    assert rows_of(truth.rows) == [(1, "walking", 0.5, 2), (1, "sitting", 2, 9.9)]
    assert truth.apart == ()
    assert truth.notes == (
        "Mended in your labels: overlaps of up to 50 ms, in which the label that begins later counts (1, row 3).",
    )


def test_actions_that_happen_at_once_are_apart_until_the_user_chooses() -> None:
    file = read(TABLE + "1,standing,0,10\n1,talking,3,5\n")
    truth = fitted(file)
    assert rows_of(truth.rows) == [(1, "standing", 0, 10)]
    assert rows_of(truth.apart) == [(1, "talking", 3, 5)]
    assert truth.notes == ("Scored apart, because they happen during other actions: talking.",)
    truth = fitted(file, answers=Answers(exclusive=("talking",)))
    assert rows_of(truth.rows) == [(1, "talking", 3, 5)]
    assert rows_of(truth.apart) == [(1, "standing", 0, 10)]
    truth = fitted(file, answers=Answers(exclusive=("standing", "talking")))
    assert rows_of(truth.rows) == [(1, "standing", 0, 3), (1, "talking", 3, 5), (1, "standing", 5, 10)]
    assert "longer overlaps, in which the label that begins later counts (1, row 3)" in truth.notes[0]


def test_two_people_may_do_something_at_the_same_time() -> None:
    truth = fitted(read(TABLE + "1,yoga,0,1\n2,jogging,0,1\n"))
    assert rows_of(truth.rows) == [(1, "yoga", 0, 1), (2, "jogging", 0, 1)]
    assert truth.notes == ()


def test_a_label_of_everyone_overlaps_each_person() -> None:
    file = read(TABLE + ",standing,0,10\n2,waving,3,5\n")
    assert rows_of(fitted(file).apart) == [(2, "waving", 3, 5)]
    truth = fitted(file, answers=Answers(exclusive=("standing", "waving")))
    assert sorted(rows_of(truth.rows)) == [
        (1, "standing", 0, 10), (2, "standing", 0, 3), (2, "standing", 5, 10), (2, "waving", 3, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("subject", ["subject1", "P1", "Anna", "player 1"])
def test_nobody_is_a_person_until_somebody_says_so(subject: str) -> None:
    file = read(f"{TABLE}{subject},walking,0,1\n2,sitting,5,6\n")
    assert list(names_in(file.parts[0])) == [subject]
    truth = fitted(file)
    assert rows_of(truth.rows) == [(2, "sitting", 5, 6)]
    assert truth.unknown == (subject,)
    assert truth.notes == (f"Not scored, because you have not said who they are: {subject}.",)
    assert rows_of(fitted(file, answers=Answers(people={subject: 1})).rows)[0] == (1, "walking", 0, 1)
    assert rows_of(fitted(file, answers=Answers(people={subject: EVERYONE})).rows)[0] == (None, "walking", 0, 1)
    assert rows_of(fitted(file, answers=Answers(people={subject: AN_ACTION})).rows)[0] == (None, subject, 0, 1)
    assert rows_of(fitted(file, answers=Answers(people={subject: LEFT_OUT})).rows) == [(2, "sitting", 5, 6)]


@pytest.mark.parametrize("subject", ["2", "02", "2.0", "Person 2", "person_2", "PERSON 2"])
def test_numbers_and_the_names_that_this_program_writes_are_people(subject: str) -> None:
    assert rows_of(fitted(read(f"{TABLE}{subject},walking,0,1\n")).rows) == [(2, "walking", 0, 1)]


def test_people_who_are_not_in_the_timeline_are_counted() -> None:
    truth = fitted(read(TABLE + "1,walking,0,1\n3,walking,0,1\n3,sitting,1,2\n"))
    assert rows_of(truth.rows) == [(1, "walking", 0, 1)]
    assert truth.notes == (
        "Left out in your labels: labels of person 3, who is not in this timeline, which has people 1 to 2 (2, first "
        "row 3).",
    )


def test_labels_on_another_clock_are_refused_until_their_begin_is_given() -> None:
    file = read("action,start_s,end_s\nwalking,3600.5,3602\nsitting,3602,3609.9\n")
    with pytest.raises(
        TruthError, match=r"row 2: the first label begins at 3600\.5 s, and the video covers 0 to 10\.0 s;"
    ):
        fitted(file)
    truth = fitted(file, answers=Answers(begins_s=3600))
    assert rows_of(truth.rows) == [(None, "walking", 0.5, 2), (None, "sitting", 2, pytest.approx(9.9))]


def test_unix_time_is_another_clock() -> None:
    file = read("action,start_s,end_s\nwalking,2026-03-02T10:00:00.5Z,2026-03-02T10:00:02Z\n")
    truth = fitted(file, answers=Answers(begins_s=1772445600))
    assert rows_of(truth.rows) == [(None, "walking", pytest.approx(0.5), pytest.approx(2))]


def test_frames_take_their_own_times_where_the_rate_varies() -> None:
    video = replace(video_of(3.0), frame_times_s=np.array([0.0, 0.1, 0.5, 2.0]), rate_hz=4 / 3)
    truth = fitted(read("action,start_frame,end_frame\nwalking,1,3\nsitting,3,4\n"), video)
    assert rows_of(truth.rows) == [(None, "walking", 0.1, 2), (None, "sitting", 2, 3)]
    assert truth.notes == ("Mended in your labels: frames, taken as their times (2).",)


def test_frames_of_a_video_without_times_follow_its_rate() -> None:
    video = replace(video_of(3.0), frame_times_s=np.empty(0), rate_hz=10.0)
    assert rows_of(fitted(read("action,start_frame,end_frame\nwalking,1,30\n"), video).rows) == [
        (None, "walking", 0.1, 3)
    ]


def two_parts() -> LabelFile:
    label = Label("row 2", "1", "walking", 100.0, 105.0)
    first, second = Part("a", (label,), "one.mp4", 99.0), Part("b", (label,), "Clip.MOV", None, 108.0)
    return LabelFile("labels.csv", "table", (first, second))


def test_the_part_with_the_name_of_the_video_is_taken() -> None:
    file = two_parts()
    part = part_for(file, "clip.mp4", Answers())
    assert part is not None
    assert part.name == "b"
    assert rows_of(fitted(file).rows) == [(1, "walking", 2, 7)]  # it ends at 108, and the video lasts 10 s
    assert rows_of(fitted(file, answers=Answers(part="a")).rows) == [(1, "walking", 1, 6)]
    with pytest.raises(
        TruthError, match=r"has labels of 2 recordings \('a', 'b'\), and none alone is named like 'x\.mp4'"
    ):
        fitted(file, video_of(name="x.mp4"))


def test_answers_survive_json() -> None:
    answers = Answers("a", {"Anna": 1, "gestures": EVERYONE}, ("x", "y"), 3.5)
    assert Answers.from_dict(answers.as_dict()) == answers
    assert Answers.from_dict({}) == Answers()


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", ""]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(-5, 120),
        st.integers(-5, 40),
    ),
    max_size=12,
)


# regression: where one person's label ended as another label of everyone began, the other person had neither
@example([("1", "b", 1, 24), ("", "a", 0, 26), ("", "a", 25, 1)])
@given(ROWS)
def test_nobody_has_two_labels_at_once_whatever_the_file_has(rows: list[tuple[str, str, int, int]]) -> None:
    labels = tuple(
        Label(f"row {k}", who, action, start / 10, (start + length) / 10)
        for k, (who, action, start, length) in enumerate(rows)
    )
    file = LabelFile("labels.csv", "table", (Part("", labels),))
    try:
        truth = fitted(file, answers=Answers(exclusive=("a", "b")))
    except TruthError:
        assert not any(one.end is not None and one.start < min(one.end, 10) and one.end > 0 for one in labels)
        return
    for person_id in (1, 2):
        lane = sorted((row.start_s, row.end_s) for row in truth.rows if row.person_id in (None, person_id))
        assert all(start_s < end_s for start_s, end_s in lane)
        assert all(before[1] <= after[0] for before, after in pairwise(lane))
        inside = [one for one in labels if one.subject in ("", str(person_id)) and one.action != "c"]
        covered_s = sum(end_s - start_s for start_s, end_s in lane)
        steps = {k for one in inside for k in range(round(one.start * 10), round((one.end or 0) * 10)) if 0 <= k < 100}
        assert covered_s == pytest.approx(len(steps) / 10)
