"""Matching a user's own labels with the people of a timeline."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.annotations.model import Truth
from recognizer.annotations.tables import read_truth
from recognizer.comparison.matching import fit_truth
from recognizer.errors import TruthError
from recognizer.timeline.model import PersonTrack


def read(text: str) -> Truth:
    return read_truth(text.encode(), "labels.csv")


def track(person_id: int, *presence: tuple[float, float]) -> PersonTrack:
    empty = np.empty(0)
    return PersonTrack(person_id, empty, np.empty((0, 4), np.float32), np.empty(0, np.float32), presence)


def test_a_label_without_a_person_is_for_everyone_who_is_there() -> None:
    fitted = fit_truth(read("action,start_s,end_s\nyoga,0,10\n"), [track(1, (1, 4), (5, 6)), track(2, (3, 8))], 12)
    assert [(s.person_id, s.start_s, s.end_s) for s in fitted.segments] == [(1, 1, 4), (1, 5, 6), (2, 3, 8)]
    assert fitted.unseen_s == pytest.approx(3)


def test_labels_of_another_video_are_refused() -> None:
    with pytest.raises(TruthError, match="row 2: person 3 is not in this timeline, which has people 1 to 2;"):
        fit_truth(read("person_id,action,start_s,end_s\n3,yoga,0,1\n"), [track(1, (0, 1)), track(2, (0, 1))], 9)
    with pytest.raises(TruthError, match=r"row 2: it starts at 20 s, and the video ends at 9\.0 s;"):
        fit_truth(read("action,start_s,end_s\nyoga,20,21\n"), [track(1, (0, 1))], 9)
