"""Matching a user's own labels with the people of a timeline."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.annotations.model import Truth, TruthRow
from recognizer.comparison.matching import fit_truth
from recognizer.timeline.model import PersonTrack


def track(person_id: int, *presence: tuple[float, float]) -> PersonTrack:
    empty = np.empty(0)
    return PersonTrack(person_id, empty, np.empty((0, 4), np.float32), np.empty(0, np.float32), presence)


def test_a_label_without_a_person_is_for_everyone_who_is_there() -> None:
    truth = Truth("labels.csv", (TruthRow("row 2", None, "yoga", 0, 10),))
    fitted = fit_truth(truth, [track(1, (1, 4), (5, 6)), track(2, (3, 8))])
    assert [(s.person_id, s.start_s, s.end_s) for s in fitted.segments] == [(1, 1, 4), (1, 5, 6), (2, 3, 8)]
    assert fitted.unseen_s == pytest.approx(3)


def test_actions_apart_are_matched_with_the_same_people() -> None:
    talking = TruthRow("row 3", 2, "talking", 4, 9)
    fitted = fit_truth(Truth("labels.csv", (), (talking,)), [track(1, (1, 4)), track(2, (3, 8))])
    assert fitted.segments == ()
    assert [(s.person_id, s.action, s.start_s, s.end_s) for s in fitted.apart] == [(2, "talking", 4, 8)]
    assert fitted.unseen_s == pytest.approx(1)
