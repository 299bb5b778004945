"""People who cross keep their numbers by their appearance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.people.crossings import Crossings
from recognizer.types import APPEARANCE_SIZE, Crossing, TrackedPerson

INTERVAL_S = 0.1
MET_S, FOUND_S = 2.0, 2.6


def look(bin_shares: dict[int, float]) -> NDArray[np.uint8]:
    """Return an appearance with the same shares of colours in both halves."""
    half = np.zeros(APPEARANCE_SIZE // 2)
    for place, share in bin_shares.items():
        half[place] = share
    return np.asarray(np.rint(np.sqrt(np.concatenate((half, half))) * 255), np.uint8)


BLACK_LONG = look({0: 0.8, 1: 0.2})
BLACK_SHORT = look({0: 0.6, 2: 0.4})


def crossed(
    looks_after: dict[int, NDArray[np.uint8]], *, cover: bool = True, until_s: float = 5.0
) -> list[tuple[float, Crossing]]:
    """Let person 1 walk right and 2 left through each other; return when each crossing was noticed.

    While they meet, only number 1 is found if ``cover``. Afterwards number 1 is on the right.
    """
    crossings, found = Crossings(INTERVAL_S), []
    before = {1: BLACK_LONG, 2: BLACK_SHORT}
    for k in range(round(until_s / INTERVAL_S)):
        time_s = k * INTERVAL_S
        meet = MET_S <= time_s < FOUND_S
        away = max(0.0, 40 * (MET_S - time_s), 40 * (time_s - FOUND_S))
        x = {1: 100 - away, 2: 100 + away} if time_s < MET_S else {1: 100 + away, 2: 100 - away}
        looks = before if time_s < FOUND_S else looks_after
        people = [
            TrackedPerson(number, (x[number], 0.0, x[number] + 30, 100.0), 0.9)
            for number in (1, 2)
            if not (meet and cover and number == 2)
        ]
        found += [
            (time_s, one) for one in crossings.push(time_s, people, [looks[person.person_id] for person in people])
        ]
    return found


@pytest.mark.parametrize("cover", [True, False])
def test_swapped_numbers_are_noticed_half_a_second_after_the_two_part(cover: bool) -> None:
    ((noticed_s, crossing),) = crossed({1: BLACK_SHORT, 2: BLACK_LONG}, cover=cover)
    assert (crossing.one_id, crossing.other_id, crossing.is_swapped) == (1, 2, True)
    assert MET_S <= crossing.since_s <= FOUND_S + INTERVAL_S
    assert noticed_s == pytest.approx(FOUND_S + 0.3 + 0.5, abs=0.2)


def test_numbers_that_are_right_stay() -> None:
    assert crossed({1: BLACK_LONG, 2: BLACK_SHORT}) == []


def test_it_is_unsure_when_both_look_the_same_afterwards() -> None:
    between = look({0: 0.7, 1: 0.1, 2: 0.2})
    ((_, crossing),) = crossed({1: between, 2: between})
    assert not crossing.is_swapped


def test_one_who_changes_alone_is_not_swapped() -> None:
    """Number 1 turns around and looks like number 2, who looks as before."""
    assert not any(crossing.is_swapped for _, crossing in crossed({1: BLACK_SHORT, 2: BLACK_SHORT}))


def test_a_new_shot_ends_all_meetings() -> None:
    crossings = Crossings(INTERVAL_S)
    boxes = {1: (0.0, 0.0, 30.0, 100.0), 2: (60.0, 0.0, 90.0, 100.0)}
    for k in range(20):
        if k == 10:
            boxes = {1: (0.0, 0.0, 30.0, 100.0), 2: (5.0, 0.0, 35.0, 100.0)}
        if k == 11:
            crossings.clear()
            boxes = {1: (0.0, 0.0, 30.0, 100.0), 2: (60.0, 0.0, 90.0, 100.0)}
        looks = (BLACK_LONG, BLACK_SHORT) if k < 11 else (BLACK_SHORT, BLACK_LONG)
        people = [TrackedPerson(number, box, 0.9) for number, box in boxes.items()]
        assert crossings.push(k * INTERVAL_S, people, looks) == ()
