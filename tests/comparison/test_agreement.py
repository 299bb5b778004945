"""Agreement of two timelines: known numbers, and scikit-learn's on generated timelines."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from recognizer.comparison.agreement import (
    BIN_S,
    Agreement,
    agreement,
    cohen_kappa,
    disagreements,
    kappa_in_words,
    label_spans,
)
from tests.support.segments import generated, in_bins, segment


def test_share_of_time_is_exact_and_kappa_is_the_textbooks() -> None:
    one = [segment("jogging", 0, 4), segment("yoga", 4, 10)]
    other = [segment("jogging", 0, 7), segment("yoga", 7, 10)]
    found = agreement(one, other)
    assert found.compared_s == pytest.approx(10)
    assert found.share == pytest.approx(0.7)
    # observed 0.7; by chance 0.4 * 0.7 + 0.6 * 0.3 = 0.46
    assert found.kappa == pytest.approx((0.7 - 0.46) / (1 - 0.46))
    assert found.meaning == "moderate agreement"


def test_kappa_of_cohens_own_kind_of_table() -> None:
    # the worked example of Cohen (1960), in per mille
    proportions = [[0.25, 0.13, 0.12], [0.12, 0.02, 0.16], [0.03, 0.15, 0.02]]
    counts = {(str(i), str(j)): round(1000 * p) for i, row in enumerate(proportions) for j, p in enumerate(row)}
    observed = 0.25 + 0.02 + 0.02
    chance = 0.50 * 0.40 + 0.30 * 0.30 + 0.20 * 0.30
    assert cohen_kappa(counts) == pytest.approx((observed - chance) / (1 - chance))


@pytest.mark.parametrize("seed", range(5))
def test_kappa_agrees_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one = generated(seed, ("jogging", "yoga", "tai chi"))
    other = [s if k % 3 else segment("reading", s.start_s, s.end_s, s.person_id) for k, s in enumerate(one)]
    for person_id in (None, 1, 2, 3):
        people = [person_id] if person_id else [1, 2, 3]
        labels = [
            (a, b)
            for p in people
            for a, b in zip(in_bins(one, p), in_bins(other, p), strict=True)
            if a is not None and b is not None
        ]
        theirs = metrics.cohen_kappa_score([a for a, _ in labels], [b for _, b in labels])
        assert agreement(one, other, person_id).kappa == pytest.approx(theirs, abs=1e-12)


def test_only_time_in_which_both_have_a_label_is_compared() -> None:
    found = agreement([segment("jogging", 0, 10)], [segment("yoga", 4, 6), segment("jogging", 6, 8)])
    assert (found.compared_s, found.agreed_s) == (pytest.approx(4), pytest.approx(2))
    assert agreement([segment("jogging", 0, 4)], [segment("jogging", 4, 8)]).meaning == "nothing to compare"
    assert agreement([], []) == Agreement(0, 0, None, is_meaningful=False)


def test_people_are_not_mixed() -> None:
    one = [segment("jogging", 0, 4, 1), segment("yoga", 0, 4, 2)]
    other = [segment("jogging", 0, 4, 1), segment("jogging", 0, 4, 2)]
    assert agreement(one, other, 1).share == 1
    assert agreement(one, other, 2).share == 0
    assert agreement(one, other).share == pytest.approx(0.5)


def test_a_single_label_is_reported_instead_of_a_meaningless_kappa() -> None:
    steady = [segment("jogging", 0, 10)]
    both = agreement(steady, steady)
    assert both.share == 1
    assert both.kappa is None
    assert both.meaning == "both have the same single label throughout"
    nearly = agreement(steady, [segment("jogging", 0, 9), segment("yoga", 9, 10)])
    assert nearly.share == pytest.approx(0.9)
    assert nearly.kappa == 0
    assert nearly.meaning == "kappa is not meaningful: one has a single label throughout"


def test_disagreements_come_longest_first_and_join_what_touches() -> None:
    one = [segment("jogging", 0, 2), segment("jogging", 2, 5), segment("yoga", 5, 6), segment("yoga", 0, 8, 2)]
    other = [segment("reading", 0, 4), segment("jogging", 4, 5), segment("reading", 5, 6), segment("yoga", 1, 8, 2)]
    found = disagreements(one, other)
    assert [(p.person_id, p.start_s, p.end_s, p.labels) for p in found] == [
        (1, 0, 4, ("jogging", "reading")),
        (1, 5, 6, ("yoga", "reading")),
    ]


def test_three_agree_only_where_all_labels_are_the_same() -> None:
    lanes = ([segment("a", 0, 6)], [segment("a", 0, 3), segment("b", 3, 6)], [segment("a", 1, 6)])
    spans = list(label_spans(lanes))
    assert [(p.start_s, p.end_s, p.is_compared, p.is_agreed) for p in spans] == [
        (0, 1, False, False),
        (1, 3, True, True),
        (3, 6, True, False),
    ]


def test_no_bin_is_counted_twice_or_lost_between_spans_that_touch() -> None:
    rng = random.Random(3)
    bounds = [0.0, *sorted(rng.uniform(0, 20) for _ in range(200)), 20.0]
    one = [segment("ab"[k % 2], a, b) for k, (a, b) in enumerate(pairwise(bounds))]
    assert sum(span.bins for span in label_spans((one, one))) == round(20 / BIN_S)


@pytest.mark.parametrize(
    ("kappa", "word"),
    [
        (-0.1, "poor"),
        (0.0, "slight"),
        (0.2, "slight"),
        (0.21, "fair"),
        (0.4, "fair"),
        (0.5, "moderate"),
        (0.61, "substantial"),
        (0.8, "substantial"),
        (0.81, "almost perfect"),
        (1.0, "almost perfect"),
    ],
)
def test_words_match_landis_and_koch(kappa: float, word: str) -> None:
    assert kappa_in_words(kappa) == word
