"""Scores of a classifier against a user's own labels."""

from __future__ import annotations

import pytest

from recognizer.comparison.scoring import NO_LABEL, score, score_apart
from tests.support.segments import generated, in_bins, segment


@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    actions = ("jogging", "yoga", "tai chi")
    truth, predicted = generated(seed, actions), generated(seed + 100, (*actions, "reading"))
    bins = [
        (a, b or NO_LABEL)
        for person_id in (1, 2, 3)
        for a, b in zip(in_bins(truth, person_id), in_bins(predicted, person_id), strict=True)
        if a is not None
    ]
    true_bins, predicted_bins = [a for a, _ in bins], [b for _, b in bins]
    found = score(truth, predicted)
    assert found.bins.tolist() == metrics.confusion_matrix(true_bins, predicted_bins, labels=found.labels).tolist()
    assert found.kappa == pytest.approx(metrics.cohen_kappa_score(true_bins, predicted_bins), abs=1e-12)
    assert found.share_right == pytest.approx(metrics.accuracy_score(true_bins, predicted_bins))
    assert {one.action for one in found.classes} == set(actions)
    labels = [one.action for one in found.classes]
    precision, recall, _, _ = metrics.precision_recall_fscore_support(true_bins, predicted_bins, labels=labels)
    assert [one.precision for one in found.classes] == pytest.approx(precision.tolist())
    assert [one.recall for one in found.classes] == pytest.approx(recall.tolist())


def test_time_before_the_first_label_is_not_right_and_unlabelled_time_is_not_scored() -> None:
    found = score([segment("yoga", 0, 4), segment("reading", 4, 6)], [segment("yoga", 2, 9)])
    assert found.labels == ("yoga", "reading", NO_LABEL)
    assert found.bins.tolist() == [[20, 0, 20], [20, 0, 0], [0, 0, 0]]
    assert found.share_right == pytest.approx(20 / 60)
    yoga, reading = found.classes
    assert (yoga.precision, yoga.recall) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (reading.precision, reading.recall) == (None, 0)


def test_a_classifier_with_none_of_the_labels_is_not_just_wrong() -> None:
    truth = [segment("yoga", 0, 4), segment("reading", 4, 6)]
    predicted = [segment("fight", 0, 3), segment("noFight", 3, 6)]
    assert score(truth, predicted, ("fight", "noFight")).meaning == "it has none of your labels"
    assert score(truth, predicted, ("fight", "noFight", "yoga")).meaning == "slight agreement with your labels"


def test_nothing_to_score_is_reported() -> None:
    found = score([], [segment("yoga", 0, 4)])
    assert found.share_right is None
    assert found.meaning == "nothing to score"
    assert found.classes == ()


def test_an_action_during_others_is_scored_apart_over_the_labelled_time() -> None:
    truth = [segment("standing", 0, 10)]
    apart = [segment("talking", 3, 5), segment("talking", 12, 13)]
    predicted = [segment("talking", 4, 6), segment("standing", 6, 8), segment("talking", 20, 21)]
    [talking] = score_apart(apart, truth, predicted)
    assert talking.action == "talking"
    assert talking.truth_s == pytest.approx(3)
    assert talking.predicted_s == pytest.approx(2), "what is predicted at 20 s is not labelled"
    assert talking.precision == pytest.approx(0.5)
    assert talking.recall == pytest.approx(1 / 3)
    assert score_apart([], truth, predicted) == ()
