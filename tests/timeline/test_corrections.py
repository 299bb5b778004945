"""Corrections over a machine's result: each edit, undo and redo without end, other thresholds, the file."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizer.errors import CorrectionsError
from recognizer.files import write_text
from recognizer.timeline.corrections import Corrected, Corrections
from recognizer.timeline.corrections_file import (
    SCHEMA_PATH,
    corrections_from_json,
    corrections_json,
    json_schema_text,
)
from recognizer.timeline.edits import (
    Add,
    Check,
    Cut,
    Delete,
    Edit,
    Hide,
    Join,
    Merge,
    MoveEdge,
    Name,
    Relabel,
    Restore,
    Split,
    Together,
    move_edge,
)
from recognizer.timeline.model import Timeline
from recognizer.types import Prediction, Segment
from tests.support.exports import exported, person

SHA256 = "ab" * 32


def said(person_id: int, start_s: float, end_s: float, label: str, probability: float = 0.8) -> Prediction:
    return Prediction(person_id, start_s, end_s, ((label, probability), ("yoga", 0.1)), "i3d")


def timeline() -> Timeline:
    """Person 1 walks, then runs, then walks; person 2 is there from 2 to 6 s; person 5 comes when 1 has gone."""
    return replace(
        exported().timeline,
        people=(person(1, 0.0, 6.0), person(2, 2.0, 6.0), person(5, 7.0, 9.0)),
        predictions=(
            said(1, 0.0, 2.0, "walk"),
            said(1, 2.0, 4.0, "run", 0.4),
            said(1, 4.0, 6.0, "walk"),
            said(2, 2.0, 6.0, "dance"),
            said(5, 7.0, 9.0, "jump"),
        ),
    )


def corrected(*edits: Edit, of: Timeline | None = None) -> Corrected:
    return Corrections(edits).applied_to(of or timeline())


def rows(result: Corrected, person_id: int | None = None, *, min_confidence: float = 0.0) -> list[tuple[Any, ...]]:
    return [
        (one.person_id, one.action, round(one.start_s, 6), round(one.end_s, 6), one.source[0])
        for one in result.segments(min_confidence)
        if person_id in (None, one.person_id)
    ]


# --- people ---


def test_without_edits_the_result_is_the_machines_own() -> None:
    machine = timeline()
    result = Corrections().applied_to(machine)
    assert result.timeline is machine
    assert result.segments(0.5) == machine.segments(0.5)


def test_merged_person_has_the_time_the_labels_and_the_boxes_of_both() -> None:
    result = corrected(Merge(5, into=1))
    assert [track.person_id for track in result.timeline.people] == [1, 2]
    one = result.timeline.people[0]
    assert one.presence == ((0.0, 6.0), (7.0, 9.0))
    assert one.box_at(8.0) is not None
    assert len(one.time_s) == len(one.box_xyxy) == len(one.confidence) == 40
    assert rows(result, 1)[-1] == (1, "jump", 7.0, 9.0, "m")


def test_split_person_is_two_from_that_moment_on() -> None:
    result = corrected(Split(1, at_s=3.0, new_id=6))
    assert [(track.person_id, track.presence) for track in result.timeline.people][::3] == [
        (1, ((0.0, 3.0),)),
        (6, ((3.0, 6.0),)),
    ]
    assert rows(result, 1) == [(1, "walk", 0.0, 2.0, "m")]
    assert rows(result, 6) == [(6, "run", 3.0, 4.0, "m"), (6, "walk", 4.0, 6.0, "m")]  # the clip's middle lies there


def test_merge_after_split_restores_the_person() -> None:
    machine = timeline()
    result = corrected(Split(1, at_s=2.0, new_id=6), Merge(6, into=1))
    assert result.segments() == machine.segments()
    assert result.timeline.people[0].presence == machine.people[0].presence
    assert (result.timeline.people[0].box_xyxy == machine.people[0].box_xyxy).all()


def test_hidden_person_is_gone_and_comes_back() -> None:
    assert {row[0] for row in rows(corrected(Hide(2)))} == {1, 5}
    assert {row[0] for row in rows(corrected(Hide(2), Hide(2, hidden=False)))} == {1, 2, 5}


def test_names_follow_the_person() -> None:
    assert corrected(Name(5, "Anna"), Merge(5, into=1)).names == {1: "Anna"}
    assert corrected(Name(5, "Anna"), Name(1, "Bo"), Merge(5, into=1)).names == {1: "Bo"}
    assert corrected(Name(5, "Anna"), Name(5, "")).names == {}


def test_corrected_segments_go_with_a_merged_or_split_person() -> None:
    edit = Relabel(5, 7.0, 9.0, "leap")
    assert rows(corrected(edit, Merge(5, into=1)), 1)[-1] == (1, "leap", 7.0, 9.0, "h")
    assert rows(corrected(edit, Split(5, 8.0, 6)))[-2:] == [(5, "leap", 7.0, 8.0, "h"), (6, "leap", 8.0, 9.0, "h")]


def test_split_at_the_edge_of_a_decided_stretch_leaves_no_sliver_of_it() -> None:
    edge_s = 8.0 + 1e-15 * 8
    assert edge_s > 8.0
    result = corrected(Relabel(5, 7.0, 8.0, "leap"), Relabel(5, 8.0, 9.0, "hop"), Split(5, edge_s, 6))
    assert rows(result, 5) == [(5, "leap", 7.0, 8.0, "h")]
    assert [row[1] for row in rows(result, 6)] == ["hop"]


def test_clips_of_merged_people_share_the_time_even_if_one_lies_within_another() -> None:
    result = corrected(Merge(2, into=5), Split(1, 2.1, 2), Merge(2, into=5))
    check_segments(result)
    assert {row[1] for row in rows(result, 5)} == {"dance", "walk", "jump"}


def test_edits_about_other_peoples_numbers_are_left_out_and_reported() -> None:
    edits = (Name(9, "Anna"), Merge(1, into=9), Split(1, 3.0, new_id=2), Split(1, 50.0, new_id=6))
    result = corrected(*edits, Relabel(1, 0.0, 2.0, "hop"))
    assert result.unfit == edits
    assert rows(result, 1)[0] == (1, "hop", 0.0, 2.0, "h")


# --- segments ---


def test_relabelled_segment_is_a_humans_and_its_neighbours_stay() -> None:
    assert rows(corrected(Relabel(1, 2.0, 4.0, "hop")), 1) == [
        (1, "walk", 0.0, 2.0, "m"),
        (1, "hop", 2.0, 4.0, "h"),
        (1, "walk", 4.0, 6.0, "m"),
    ]
    assert corrected(Relabel(1, 2.0, 4.0, "hop")).segments()[1].confidence == 1.0


def test_moved_edge_belongs_to_both_segments() -> None:
    edit = move_edge(timeline().segments(), 1, at_s=2.0, to_s=2.5)
    assert rows(corrected(edit), 1) == [
        (1, "walk", 0.0, 2.5, "h"),
        (1, "run", 2.5, 4.0, "h"),
        (1, "walk", 4.0, 6.0, "m"),
    ]


def test_moved_edge_next_to_nothing_leaves_nothing() -> None:
    segments = timeline().segments()
    assert rows(corrected(move_edge(segments, 5, at_s=9.0, to_s=8.5)), 5) == [(5, "jump", 7.0, 8.5, "h")]
    assert rows(corrected(move_edge(segments, 5, at_s=7.0, to_s=6.5)), 5) == [(5, "jump", 6.5, 9.0, "h")]


@pytest.mark.parametrize(("at_s", "to_s"), [(3.0, 3.5), (2.0, 4.0), (2.0, 0.0)])
def test_edge_that_is_not_there_or_goes_too_far_is_refused(at_s: float, to_s: float) -> None:
    with pytest.raises(ValueError, match=r"edge|not after"):
        move_edge(timeline().segments(), 1, at_s=at_s, to_s=to_s)


def test_cut_join_add_and_delete() -> None:
    assert rows(corrected(Cut(2, 2.0, 3.0, 6.0, "dance")), 2) == [
        (2, "dance", 2.0, 3.0, "h"),
        (2, "dance", 3.0, 6.0, "h"),
    ]
    assert rows(corrected(Join(1, 0.0, 6.0, "walk")), 1) == [(1, "walk", 0.0, 6.0, "h")]
    assert rows(corrected(Add(2, 0.5, 1.5, "wait")), 2)[0] == (2, "wait", 0.5, 1.5, "h")
    assert rows(corrected(Delete(2, 3.0, 4.0)), 2) == [(2, "dance", 2.0, 3.0, "m"), (2, "dance", 4.0, 6.0, "m")]


def test_later_edit_wins_where_two_overlap() -> None:
    assert rows(corrected(Add(2, 2.0, 5.0, "a"), Add(2, 3.0, 4.0, "b")), 2) == [
        (2, "a", 2.0, 3.0, "h"),
        (2, "b", 3.0, 4.0, "h"),
        (2, "a", 4.0, 5.0, "h"),
        (2, "dance", 5.0, 6.0, "m"),
    ]


def test_other_thresholds_and_another_classifier_keep_the_corrections() -> None:
    result = corrected(Relabel(1, 2.0, 4.0, "hop"))
    assert rows(result, 1, min_confidence=0.9) == [
        (1, "unknown", 0.0, 2.0, "m"),
        (1, "hop", 2.0, 4.0, "h"),
        (1, "unknown", 4.0, 6.0, "m"),
    ]
    other = replace(timeline(), predictions=(said(1, 0.0, 6.0, "skip rope"),))
    assert rows(corrected(Relabel(1, 2.0, 4.0, "hop"), of=other), 1) == [
        (1, "skip rope", 0.0, 2.0, "m"),
        (1, "hop", 2.0, 4.0, "h"),
        (1, "skip rope", 4.0, 6.0, "m"),
    ]


def test_restored_stretch_is_the_machines_again() -> None:
    machine = timeline()
    assert rows(corrected(Relabel(1, 1.0, 5.0, "hop"), Restore(1, 2.0, 4.0)), 1) == [
        (1, "walk", 0.0, 1.0, "m"),
        (1, "hop", 1.0, 2.0, "h"),
        (1, "run", 2.0, 4.0, "m"),
        (1, "hop", 4.0, 5.0, "h"),
        (1, "walk", 5.0, 6.0, "m"),
    ]
    everything = corrected(Delete(1, 0.0, 3.0), Cut(1, 3.0, 3.5, 4.0, "run"), Restore(1, 0.0, 6.0))
    assert everything.segments() == machine.segments()
    assert not everything.decided


def test_edits_made_together_are_undone_as_one() -> None:
    both = Together((Merge(5, into=1), Name(1, "Anna"), Name(9, "Bo")))
    corrections = Corrections().add(both)
    result = corrections.applied_to(timeline())
    assert rows(result) == rows(corrected(*both.edits))
    assert (result.names, result.unfit) == ({1: "Anna"}, (Name(9, "Bo"),))
    assert not corrections.undo().edits
    with pytest.raises(ValueError, match="no edits are made together"):
        Together(())


def test_segment_is_checked_if_all_of_it_is() -> None:
    result = corrected(Check(1, 0.0, 3.0), Check(1, 3.0, 4.0), Check(1, 0.0, 0.5, checked=False))
    assert [result.is_checked(one) for one in result.segments() if one.person_id == 1] == [False, True, False]


def test_likely_labels_are_there_for_corrected_segments() -> None:
    result = corrected(Relabel(1, 2.0, 4.0, "hop"), Add(2, 0.5, 1.5, "wait"))
    segments = result.segments()
    likely = result.timeline.likely_labels(segments)
    assert len(likely) == len(segments)
    assert dict(likely[1])["run"] == pytest.approx(0.4)


# --- undo, redo, and the file ---


def snapshot(result: Corrected) -> Any:
    people = [
        (track.person_id, track.presence, track.time_s.tolist(), track.box_xyxy.tolist())
        for track in result.timeline.people
    ]
    return (
        people, result.timeline.predictions, result.names, result.decided, result.checked, result.unfit,
        result.segments(), result.segments(0.5, 0.4),
    )  # fmt: skip


people = st.sampled_from([1, 2, 5, 6, 7])
moments = st.integers(0, 100).map(lambda tenths: tenths / 10)
labels = st.sampled_from(["walk", "run", "unknown", "跳", 'a "b"'])
spans = st.builds(lambda start, length: (start / 10, (start + length) / 10), st.integers(0, 99), st.integers(1, 50))
pairs = st.sampled_from([(one, other) for one in (1, 2, 5, 6, 7) for other in (1, 2, 5, 6, 7) if one != other])
single_edits = st.one_of(
    st.builds(lambda pair: Merge(*pair), pairs),
    st.builds(lambda pair, at_s: Split(pair[0], at_s, pair[1]), pairs, moments),
    st.builds(Hide, people, st.booleans()),
    st.builds(Name, people, st.sampled_from(["", "Anna", "Bo"])),
    st.builds(lambda who, span, label, kind: kind(who, *span, label), people, spans, labels,
              st.sampled_from([Relabel, Add, Join])),
    st.builds(lambda who, span: Delete(who, *span), people, spans),
    st.builds(lambda who, span, label: Cut(who, span[0], sum(span) / 2, span[1], label), people, spans, labels),
    st.builds(lambda who, span, checked: Check(who, span[0], span[1], checked), people, spans, st.booleans()),
    st.builds(lambda who, span, label: MoveEdge(who, span[1], sum(span) / 2, span[0], label), people, spans, labels),
    st.builds(lambda who, span: Restore(who, *span), people, spans),
)  # fmt: skip
edits = st.one_of(single_edits, st.builds(Together, st.lists(single_edits, min_size=1, max_size=3).map(tuple)))
steps = st.lists(st.one_of(edits, edits, st.just("undo"), st.just("redo")), min_size=100, max_size=100)


@settings(max_examples=25)
@given(steps)
def test_a_hundred_random_edits_undo_and_redo_exactly(steps: list[Any]) -> None:
    machine = timeline()
    corrections = Corrections()
    done = [corrections]  # what the corrections were after each edit that applies
    ahead: list[Corrections] = []
    for step in steps:
        if step == "undo":
            corrections = corrections.undo()
            if len(done) > 1:
                ahead.append(done.pop())
        elif step == "redo":
            corrections = corrections.redo()
            if ahead:
                done.append(ahead.pop())
        else:
            corrections = corrections.add(step)
            done.append(corrections)
            ahead = []
        assert corrections.edits == done[-1].edits
    after = snapshot(corrections.applied_to(machine))
    back, count = corrections, 0
    while back.edits:
        back, count = back.undo(), count + 1
    assert snapshot(back.applied_to(machine)) == snapshot(Corrected(machine))
    for _ in range(count):
        back = back.redo()
    assert snapshot(back.applied_to(machine)) == after
    check_segments(corrections.applied_to(machine))


covering = st.one_of(
    st.builds(lambda span, label: Relabel(1, span[0], span[1], label), spans, labels),
    st.builds(lambda span: Delete(1, span[0], span[1]), spans),
    st.builds(lambda span: Restore(1, span[0], span[1]), spans),
)


@settings(max_examples=50)
@given(st.lists(covering, max_size=30))
def test_at_each_moment_the_latest_edit_counts(some: list[Relabel | Delete | Restore]) -> None:
    decided = Corrections(tuple(some)).applied_to(timeline()).decided.get(1, ())
    edges_s = sorted({time_s for one in some for time_s in (one.start_s, one.end_s)})
    for middle_s in [(one + other) / 2 for one, other in pairwise(edges_s) if other - one > 1e-4]:
        latest = [one for one in some if one.start_s <= middle_s < one.end_s][-1:]
        expected = [getattr(one, "action", None) for one in latest if not isinstance(one, Restore)]
        assert [span.action for span in decided if span.start_s <= middle_s < span.end_s] == expected


def check_segments(result: Corrected) -> None:
    """No two segments of a person overlap, and what a person decided is there as decided."""
    segments: dict[int, list[Segment]] = {}
    for one in result.segments():
        segments.setdefault(one.person_id, []).append(one)
    for of_person in segments.values():
        assert all(one.end_s <= other.start_s + 1e-6 for one, other in pairwise(of_person))
    for person_id, spans in result.decided.items():
        human = [(one.start_s, one.end_s, one.action) for one in segments.get(person_id, []) if one.source == "human"]
        assert human == [tuple(span) for span in spans if span.action is not None]


@settings(max_examples=50)
@given(st.lists(edits, max_size=12), st.integers(0, 12))
def test_file_holds_all_edits_and_fits_its_schema(some: list[Edit], undone: int) -> None:
    corrections = Corrections(tuple(some))
    for _ in range(undone):
        corrections = corrections.undo()
    text = corrections_json(corrections, SHA256)
    jsonschema.Draft202012Validator(json.loads(json_schema_text())).validate(json.loads(text))
    assert corrections_from_json(text, "a.json", SHA256) == corrections


def test_file_that_is_written_at_every_change_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "corrections.json"
    corrections = Corrections()
    for k in range(20):
        corrections = corrections.undo() if k % 4 == 3 else corrections.add(Name(1, f"Anna {k}"))
        write_text(path, corrections_json(corrections, SHA256))
        assert corrections_from_json(path.read_bytes(), path.name) == corrections


def test_schema_in_docs_is_that_of_the_code() -> None:
    assert SCHEMA_PATH.read_text("utf-8") == json_schema_text(), "run: python -m recognizer.timeline.corrections_file"


GOOD = json.loads(corrections_json(Corrections((Relabel(1, 2.0, 4.0, "hop"),)), SHA256))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": "2.0"}, "has schema version '2.0', and this program reads version 1.1"),
        ({"video_sha256": "cd" * 32}, "corrects another video"),
        ({"edits": [{"edit": "explode"}]}, r"is not a file of corrections \(Invalid value 'explode'"),
        ({"edits": [GOOD["edits"][0] | {"end_s": 1.0}]}, r"1 s is not after 2 s"),
        ({"edits": [{"edit": "merge", "person_id": 1, "into": 1}]}, "person 1 cannot be merged with itself"),
        ({"edits": None}, "is not a file of corrections"),
    ],
)
def test_file_that_does_not_fit_gets_one_sentence(change: dict[str, Any], said: str) -> None:
    assert corrections_from_json(json.dumps(GOOD), "c.json", SHA256).edits
    with pytest.raises(CorrectionsError, match=said):
        corrections_from_json(json.dumps(GOOD | change), "c.json", SHA256)


def test_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(CorrectionsError, match=r"'c\.json' is 50,000,001 bytes long, more than corrections take"):
        corrections_from_json(" " * 50_000_001, "c.json")


def test_name_and_label_from_a_file_do_not_turn_the_text_around_them() -> None:
    result = corrected(Name(1, "gpj.\u202eexe"), Add(1, 0.0, 1.0, "a\x1b[31m\nb"))
    assert result.names == {1: "gpj.\ufffdexe"}
    assert result.segments()[0].action == "a\ufffd[31m b"
