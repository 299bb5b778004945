"""Bouts: matched by overlap within a person and action, with the errors of their edges."""

from __future__ import annotations

import pytest

from recognizer.comparison.bouts import score_bouts
from tests.support.segments import generated, segment


def test_matched_bout_has_the_errors_of_its_edges() -> None:
    (score,) = score_bouts([segment("run", 10, 20)], [segment("run", 11, 19.5)])
    (match,) = score.matches
    assert (match.onset_error_s, match.offset_error_s, match.overlap) == (1, -0.5, 0.85)
    assert (score.precision, score.recall, score.onset_error_s, score.offset_error_s) == (1.0, 1.0, 1, 0.5)


def test_action_found_in_pieces_is_found_once() -> None:
    pieces = [segment("run", 10, 13), segment("run", 14, 19), segment("run", 19.5, 20)]
    (score,) = score_bouts([segment("run", 10, 20)], pieces)
    assert [match.predicted for match in score.matches] == [pieces[1]]
    assert (score.recall, score.precision) == (1.0, pytest.approx(1 / 3))


def test_bouts_of_other_people_and_actions_do_not_match() -> None:
    truth = [segment("run", 0, 5), segment("sit", 5, 9)]
    predicted = [segment("run", 0, 5, person_id=2), segment("run", 5, 9)]
    run, sit = sorted(score_bouts(truth, predicted), key=lambda one: one.action)
    assert (run.true_bouts, run.predicted_bouts, run.matches) == (1, 1, ())
    assert (sit.recall, sit.precision, sit.onset_error_s) == (0.0, None, None)


def test_prediction_outside_the_labelled_time_is_not_counted() -> None:
    (score,) = score_bouts([segment("run", 0, 5)], [segment("run", 1, 5), segment("run", 50, 60)])
    assert score.predicted_bouts == 1


def test_least_overlap_can_be_asked_for() -> None:
    truth, predicted = [segment("run", 0, 10)], [segment("run", 6, 10)]
    assert score_bouts(truth, predicted, min_overlap=0.3)[0].matches
    assert not score_bouts(truth, predicted, min_overlap=0.5)[0].matches


def test_truth_scores_itself_perfectly() -> None:
    truth = generated(11, ("a", "b", "c"))
    scores = score_bouts(truth, truth)
    assert sum(one.true_bouts for one in scores) == len(truth)
    assert {(one.recall, one.precision, one.onset_error_s, one.offset_error_s) for one in scores} == {(1, 1, 0, 0)}
