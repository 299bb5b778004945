"""What a filter keeps of segments."""

from __future__ import annotations

from typing import Any

import pytest

from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Check
from recognizer.timeline.filters import Filter
from tests.support.exports import exported, hard_segments

CORRECTED = Corrections((Check(2, 0.0, 5.0),)).applied_to(exported().timeline)


def starts(**wanted: Any) -> list[tuple[int, float]]:
    kept = Filter(**wanted).kept(hard_segments(), CORRECTED)
    return [(one.person_id, round(one.start_s, 3)) for one in kept]


def test_filter_without_wishes_keeps_all() -> None:
    assert Filter().kept(hard_segments(), CORRECTED) == hard_segments()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"person_ids": frozenset({2}), "actions": frozenset({"jogging"})}, [(2, 3661.5)]),
        ({"actions": frozenset({"tai chi"})}, [(2, 1.0), (2, 2.001), (1, 0.25)]),
        ({"min_confidence": 0.85}, [(2, 2.001), (1, 7.953)]),
        ({"max_confidence": 0.5}, [(2, 3.6), (1, 0.25)]),
        ({"checked": True}, [(2, 1.0), (2, 2.001), (2, 3.6)]),
        ({"checked": False, "person_ids": frozenset({2})}, [(2, 3661.5)]),
        ({"start_s": 3600.0}, [(2, 3661.5)]),
    ],
)
def test_filter_keeps_what_is_wanted(wanted: dict[str, Any], expected: list[tuple[int, float]]) -> None:
    assert starts(**wanted) == expected


def test_segment_that_reaches_beyond_the_range_is_cut() -> None:
    kept = Filter(person_ids=frozenset({2}), start_s=1.5, end_s=3.0).kept(hard_segments(), CORRECTED)
    assert [(one.start_s, one.end_s) for one in kept] == [(1.5, 2.0006), (2.0006, 3.0)]


def test_filter_says_in_words_what_it_keeps() -> None:
    assert Filter().keeps_all
    assert Filter().in_words({}) == ()
    chosen = Filter(frozenset({2, 1}), frozenset({"tai chi"}), 0.5, start_s=2.0, end_s=7.5, checked=False)
    assert not chosen.keeps_all
    assert chosen.in_words({2: "Anna"}) == (
        "Person 1, Anna",
        "tai chi",
        "confidence 0.50 to 1.00",
        "2.0 s to 7.5 s",
        "not checked",
    )
    assert Filter(max_confidence=0.4, start_s=3.0).in_words({}) == ("confidence 0.00 to 0.40", "3.0 s to the end")
    assert Filter(frozenset(), frozenset(), checked=True).in_words({}) == ("nobody", "no action", "checked")
