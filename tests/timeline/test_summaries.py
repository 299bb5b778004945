"""Summaries of segments against numbers made by hand, and against sums that must hold for any segments."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from recognizer.timeline.summaries import in_bins, time_budget, together, transitions
from recognizer.types import Segment
from tests.support.exports import person
from tests.support.segments import generated

PEOPLE = (person(1, 1.0, 11.0), person(2, 0.0, 5.0))
SEGMENTS = (
    Segment(1, "walk", 2.0, 4.0, 0.9),
    Segment(1, "run", 4.0, 5.0, 0.9),
    Segment(1, "walk", 5.0, 9.0, 0.9),
    Segment(2, "walk", 0.0, 3.0, 0.9),
    Segment(2, "sit", 4.5, 5.0, 0.9),
)


def test_time_budget_equals_the_one_made_by_hand() -> None:
    rows = {(row.person_id, row.action): row for row in time_budget(SEGMENTS, PEOPLE)}
    walk = rows[1, "walk"]
    assert (walk.count, walk.total_s, walk.mean_s, walk.share, walk.latency_s) == (2, 6.0, 3.0, 0.6, 1.0)
    assert walk.sd_s == pytest.approx(2**0.5)  # of 2 s and 4 s, n - 1
    assert rows[1, "run"].sd_s is None
    assert rows[1, "run"].latency_s == 3.0
    everyone = rows[None, "walk"]
    assert (everyone.count, everyone.total_s, everyone.share, everyone.latency_s) == (3, 9.0, 9 / 15, 0.0)


def test_time_budget_is_ordered_and_everyone_comes_last() -> None:
    rows = [(row.person_id, row.action) for row in time_budget(SEGMENTS, PEOPLE)]
    assert rows == [(1, "walk"), (1, "run"), (2, "walk"), (2, "sit"), (None, "walk"), (None, "run"), (None, "sit")]


def test_bins_equal_those_made_by_hand() -> None:
    rows = {(row.start_s, row.person_id, row.action): row for row in in_bins(SEGMENTS, PEOPLE, 4.0, 11.0)}
    assert rows[0.0, 1, "walk"].total_s == 2.0
    assert rows[0.0, 1, "walk"].share == pytest.approx(2 / 3)  # seen from 1 s on
    assert rows[4.0, 1, "walk"].total_s == 3.0
    assert rows[4.0, 1, "walk"].count == 1
    assert (rows[8.0, 1, "walk"].total_s, rows[8.0, 1, "walk"].count) == (1.0, 0)
    assert rows[8.0, 1, "walk"].end_s == 11.0
    assert (4.0, 2, "walk") not in rows


@pytest.mark.parametrize("bin_s", [0.1, 0.7, 10.0, 1000.0])
def test_bins_add_up_to_the_time_budget(bin_s: float) -> None:
    segments = generated(3, ("a", "b", "c"))
    people = [person(k, 0.0, 60.0) for k in (1, 2, 3)]
    rows = in_bins(segments, people, bin_s, 60.0)
    for budget in time_budget(segments, people):
        if budget.person_id is not None:
            mine = [row for row in rows if (row.person_id, row.action) == (budget.person_id, budget.action)]
            assert sum(row.total_s for row in mine) == pytest.approx(budget.total_s)
            assert sum(row.count for row in mine) == budget.count
    assert all(0 < row.total_s <= bin_s + 1e-6 for row in rows)


def test_bin_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        in_bins(SEGMENTS, PEOPLE, 0.0, 11.0)


def test_transitions_are_counted_within_a_person_and_not_over_a_gap() -> None:
    found = transitions(SEGMENTS)
    assert found.labels == ("run", "sit", "walk")
    assert found.counts == ((0, 0, 1), (0, 0, 0), (1, 0, 0))
    assert found.shares[0] == (0.0, 0.0, 1.0)
    assert transitions(SEGMENTS, max_gap_s=1.5).counts[2] == (1, 1, 0)  # 3.0 to 4.5 s


def test_together_equals_the_times_made_by_hand() -> None:
    rows = {(row.action, row.other_action): row for row in together(SEGMENTS, PEOPLE)}
    assert {actions: row.total_s for actions, row in rows.items()} == {("walk", "walk"): 1.0, ("run", "sit"): 0.5}
    assert rows["walk", "walk"].share == 0.25  # both are seen from 1 to 5 s


def test_together_knows_how_long_two_are_seen_at_once_in_all_their_visits() -> None:
    rng = np.random.default_rng(3)
    people = []
    for number in range(1, 9):
        edges_s = np.sort(rng.uniform(0, 60, 10)).tolist()
        people.append(replace(person(number, 0.0, 1.0), presence=tuple(zip(edges_s[::2], edges_s[1::2], strict=True))))
    segments = [
        Segment(one.person_id, "ab"[k % 2], start_s, end_s, 0.9)
        for one in people
        for k, (start_s, end_s) in enumerate(one.presence)
        if k != one.person_id % 5  # some are never there at once
    ]
    seen = {one.person_id: one.presence for one in people}
    found = together(segments, people)
    assert [(row.person_id, row.other_id) for row in found] == sorted((row.person_id, row.other_id) for row in found)
    for row in found:
        pairs = product(seen[row.person_id], seen[row.other_id])
        both_s = sum(max(0.0, min(e, f) - max(s, t)) for (s, e), (t, f) in pairs)
        assert row.share == pytest.approx(min(1.0, row.total_s / both_s))


def test_together_agrees_with_every_pair_of_segments() -> None:
    segments = generated(5, ("a", "b"))
    found = sum(row.total_s for row in together(segments, [person(k, 0.0, 60.0) for k in (1, 2, 3)]))
    expected = sum(
        max(0.0, min(one.end_s, other.end_s) - max(one.start_s, other.start_s))
        for one, other in combinations(segments, 2)
        if one.person_id != other.person_id
    )
    assert found == pytest.approx(expected)
    assert found > 10
