"""Smoothing: all predictions around a moment vote on a person's action."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.timeline.smoothing import CHANGE_COSTS, STEP_S, votes
from recognizer.types import Prediction


def prediction(start_s: float, end_s: float, label: str, probability: float = 0.8) -> Prediction:
    return Prediction(1, start_s, end_s, ((label, probability), ("other", 1 - probability)), "i3d")


def windows(label: str, first_s: float, last_s: float, span_s: float = 2.0, hop_s: float = 1.0) -> list[Prediction]:
    count = round((last_s - first_s - span_s) / hop_s) + 1
    return [prediction(first_s + k * hop_s, first_s + k * hop_s + span_s, label) for k in range(count)]


def label_at(predictions: list[Prediction], time_s: float, smoothing_s: float = 1.0) -> str:
    for stretch in votes(sorted(predictions, key=lambda p: (p.start_s, p.end_s)), smoothing_s):
        for k in range(len(stretch.best)):
            if stretch.edges_s[k] <= time_s < stretch.edges_s[k + 1]:
                return str(stretch.labels[stretch.best[k]])
    return "nobody"


def test_one_odd_prediction_among_many_is_outvoted() -> None:
    predictions = windows("a", 0, 10)
    predictions[4] = prediction(predictions[4].start_s, predictions[4].end_s, "b", 0.6)
    assert {label_at(predictions, t / 2) for t in range(20)} == {"a"}


def test_a_change_lies_where_the_votes_of_both_sides_are_equal() -> None:
    """Clips that show both actions predict either with less confidence; the boundary is still in the middle."""
    predictions = [*windows("a", 0, 6), *windows("b", 6, 12)]
    mixed = Prediction(1, 5.0, 7.0, (("a", 0.4), ("b", 0.4)), "i3d")
    (stretch,) = votes(sorted([*predictions, mixed], key=lambda p: p.start_s), 1.0)
    changes = [k for k in range(1, len(stretch.best)) if stretch.best[k] != stretch.best[k - 1]]
    assert [stretch.edges_s[k] for k in changes] == pytest.approx([6.0], abs=STEP_S)


def unsure(prediction: Prediction, sure: float) -> Prediction:
    """Return what evidence makes of a prediction: the network said the same, but is as sure as this."""
    (label, best), (other, second) = prediction.top
    return replace(prediction, top=((label, sure), (other, second * sure / best)), network_probabilities=(best, second))


def test_how_sure_a_clip_is_does_not_move_a_change_of_action() -> None:
    """Clips of little confidence had little say, and one clip of both actions moved their boundary by up to 1 s."""
    clips = [*windows("a", 0, 6), *windows("b", 6, 12)]
    weak = [unsure(clip, 0.1) if clip.top[0][0] == "a" else unsure(clip, 0.99) for clip in clips]
    (alike,), (uneven,) = votes(clips, 1.0), votes(weak, 1.0)
    assert [alike.labels[k] for k in alike.best] == [uneven.labels[k] for k in uneven.best]
    assert uneven.probability[0] == pytest.approx(0.1)
    assert uneven.probability[-1] == pytest.approx(0.99)
    # without the network's own probabilities, as in older analyses, confidence decides
    (older,) = votes([replace(clip, network_probabilities=()) for clip in weak], 1.0)
    assert list(older.best) != list(uneven.best)


def test_no_vote_reaches_over_a_gap() -> None:
    predictions = [*windows("a", 0, 20), prediction(21.0, 23.0, "b", 0.6)]
    assert label_at(predictions, 21.05, smoothing_s=10.0) == "b"
    assert label_at(predictions, 20.5) == "nobody"


def test_it_begins_and_ends_exactly_with_the_predictions() -> None:
    (stretch,) = votes([prediction(0.123, 2.456, "a")], 0.5)
    assert (stretch.edges_s[0], stretch.edges_s[-1]) == (0.123, 2.456)


def test_a_single_prediction_keeps_its_probability() -> None:
    (stretch,) = votes([prediction(0, 2, "a", 0.7)], 1.0)
    assert stretch.probability == pytest.approx([0.7] * len(stretch.best))


@given(
    spans=st.lists(st.tuples(st.floats(0, 60), st.floats(0.05, 8), st.sampled_from("abc")), min_size=1, max_size=25),
    smoothing_s=st.floats(0.1, 5),
)
def test_every_moment_with_a_prediction_gets_a_label(spans: list[tuple[float, float, str]], smoothing_s: float) -> None:
    predictions = sorted((prediction(a, a + d, x, 0.6) for a, d, x in spans), key=lambda p: (p.start_s, p.end_s))
    covered_s = 0.0
    for stretch in votes(predictions, smoothing_s):
        covered_s += stretch.edges_s[-1] - stretch.edges_s[0]
        assert (stretch.probability <= 1 + 1e-9).all()
        inside = [p for p in predictions if stretch.edges_s[0] <= p.start_s and p.end_s <= stretch.edges_s[-1] + 1e-9]
        assert set(stretch.best) <= set(range(len(stretch.labels)))
        assert set(stretch.labels) == {label for p in inside for label, _ in p.top}
    ends = [p.start_s for p in predictions] + [p.end_s for p in predictions]
    assert covered_s <= max(ends) - min(ends) + 1e-6


def test_a_clip_that_shows_the_end_of_one_and_the_beginning_of_another_action_makes_no_third() -> None:
    predictions = sorted(
        [*windows("a", 0, 6), prediction(5.0, 7.0, "c", 0.69), *windows("b", 6, 12)], key=lambda p: (p.start_s, p.end_s)
    )
    (stretch,) = votes(predictions, 1.0)
    changes = [k for k in range(1, len(stretch.best)) if stretch.best[k] != stretch.best[k - 1]]
    assert [stretch.labels[stretch.best[k]] for k in changes] == ["b"]
    assert stretch.edges_s[changes[0]] == pytest.approx(6.0, abs=0.5)


def test_a_lasting_action_keeps_its_place_between_two_others() -> None:
    predictions = [*windows("a", 0, 6), *windows("c", 5, 11), *windows("b", 10, 16)]
    assert [label_at(predictions, t) for t in (2.0, 8.0, 14.0)] == ["a", "c", "b"]


def test_many_changes_in_two_hours_are_counted_fast() -> None:
    predictions = [prediction(k, k + 2.0, "abcdefgh"[k // 4 % 8]) for k in range(7200)]
    started_s = time.process_time()
    (stretch,) = votes(predictions, 1.0)
    assert np.count_nonzero(np.diff(stretch.best)) >= 1700
    assert time.process_time() - started_s < 3.0


def test_two_hours_of_one_person_are_counted_fast() -> None:
    predictions = windows("a", 0, 7200)
    started_s = time.process_time()
    assert sum(len(stretch.best) for stretch in votes(predictions, 1.0)) == round(7200 / STEP_S)
    assert time.process_time() - started_s < 3.0


@pytest.mark.parametrize(("labels", "lasts_s", "smoothing_s"), [(4, 12.0, 0.5), (30, 90.0, 1.0), (60, 120.0, 0.2)])
def test_the_path_is_that_of_all_labels_at_all_times(labels: int, lasts_s: float, smoothing_s: float) -> None:
    """Only the labels with votes are kept for each time: of the hundreds that somebody does in hours, a few."""
    rng = np.random.default_rng(labels)
    predictions, start_s = [], 0.0
    while start_s < lasts_s:
        shares = np.sort(rng.random(5))[::-1] / 2.5
        names = [f"label {k}" for k in rng.choice(labels, min(5, labels), replace=False)]
        top = tuple(zip(names, shares.tolist(), strict=False))
        predictions.append(Prediction(1, start_s, start_s + 2.0, top, "scripted"))
        start_s += float(rng.choice([0.5, 1.0, 1.9]))
    (found,) = votes(predictions, smoothing_s)
    steps = len(found.best)
    dense = np.zeros((len(found.labels), steps))
    middles_s = (found.edges_s[:-1] + found.edges_s[1:]) / 2
    for k in range(0, steps, 256):
        rows, shares = found.shares_at(middles_s[k : k + 256])
        dense[rows, k : k + 256] = shares
    winners = dense.argmax(axis=0)
    candidates = np.unique(winners)
    expected = candidates[_plain_path(dense[candidates], np.searchsorted(candidates, winners), smoothing_s)]
    assert (found.best == expected).all()
    assert (found.probability == dense[expected, np.arange(steps)]).all()
    assert len(set(expected.tolist())) > 1


def _plain_path(shares: NDArray[np.float64], winners: NDArray[np.int64], smoothing_s: float) -> NDArray[np.int64]:
    """Return the path through shares, float64 (labels, n)."""
    log_shares = np.log(np.maximum(shares, 0.02))
    cost = CHANGE_COSTS * smoothing_s / STEP_S
    starts = np.concatenate(([0], np.flatnonzero(np.diff(winners)) + 1))
    worth = np.add.reduceat(log_shares, starts, axis=1)
    total = worth[:, 0]
    came_from = []
    unchanged = np.arange(len(shares))
    for block in range(1, len(starts)):
        other = int(total.argmax())
        changes = total[other] - cost > total
        came_from.append(np.where(changes, other, unchanged))
        total = np.where(changes, total[other] - cost, total) + worth[:, block]
    label = int(total.argmax())
    chosen = [label]
    for origin in reversed(came_from):
        label = int(origin[label])
        chosen.append(label)
    path = np.repeat(chosen[::-1], np.diff(np.append(starts, len(winners))))
    changes = np.concatenate(([0], np.flatnonzero(np.diff(path)) + 1, [len(path)]))
    for k in range(1, len(changes) - 1):
        # ``changes[k - 1]`` has already been moved
        before, after = path[changes[k] - 1], path[changes[k]]
        first, past = changes[k - 1] + 1, changes[k + 1]
        gain = np.cumsum(log_shares[before, first:past] - log_shares[after, first:past])
        moved = min(first + int(np.append(0.0, gain).argmax()), past - 1)
        path[changes[k - 1] : moved], path[moved:past] = before, after
        changes[k] = moved
    return path
