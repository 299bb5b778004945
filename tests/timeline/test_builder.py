"""Whose predictions are whose: the builder says the same as the plain rules, and its work grows with the video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognizer.settings import Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.types import Prediction, TrackedPerson
from tests.support.fakes import video_info
from tests.support.growth import MOST_TIMES, times_for_twice

NO_FRAMES = np.empty(0, np.float64)
TENTH = Settings(skip_frame=3)
"""A sample every 0.1 s at 30 frames a second."""

INTERVAL_S = 0.1


class Swapped(NamedTuple):
    one_id: int
    other_id: int
    since_s: float
    noticed_s: float


def said_by(
    predictions: Sequence[Prediction], swaps: Sequence[Swapped] = (), person_of: Mapping[int, int] | None = None
) -> list[Prediction]:
    """Return what the builder makes of predictions."""
    builder = TimelineBuilder(TENTH, 30.0)
    builder.add_people(0.0, [TrackedPerson(number, (0, 0, 10, 20), 0.5) for number in range(1, 7)])
    builder.add_people(1000.0, [])
    builder.add_predictions(predictions)
    for swap in swaps:
        builder.swap(*swap)
    built = builder.build(video_info(), frame_times_s=NO_FRAMES, complete=True, person_of=person_of)
    return list(built.predictions)


def plainly_swapped(prediction: Prediction, swaps: Sequence[Swapped]) -> Prediction:
    """Look at every swap, in order."""
    middle_s = (prediction.start_s + prediction.end_s) / 2
    for one_id, other_id, since_s, noticed_s in swaps:
        is_under = prediction.end_s < noticed_s + INTERVAL_S / 2 and middle_s >= since_s
        if is_under and prediction.person_id in (one_id, other_id):
            number = other_id if prediction.person_id == one_id else one_id
            prediction = replace(prediction, person_id=number)
    return prediction


def plainly_of_people(predictions: Sequence[Prediction], person_of: Mapping[int, int]) -> list[Prediction]:
    """Compare every prediction with all of the person's longer tracks."""
    of_track: dict[int, list[Prediction]] = defaultdict(list)
    for one in predictions:
        of_track[one.person_id].append(one)
    longer: dict[int, list[Prediction]] = defaultdict(list)
    kept = []
    for number in sorted(of_track, key=lambda number: (-len(of_track[number]), number)):
        person_id = person_of.get(number, number)
        for one in of_track[number]:
            middle_s = (one.start_s + one.end_s) / 2
            if not any(other.start_s <= middle_s < other.end_s for other in longer[person_id]):
                kept.append(replace(one, person_id=person_id))
        longer[person_id] += of_track[number]
    return kept


def in_order(predictions: Sequence[Prediction]) -> list[Prediction]:
    return sorted(predictions, key=lambda one: (one.person_id, one.start_s, one.end_s, one.top))


tenths = st.integers(0, 60).map(lambda tenth: tenth / 10)
predictions_of_tracks = st.lists(
    st.builds(
        lambda number, start_s, length_s, label: Prediction(
            number, start_s, start_s + length_s, ((label, 0.5),), "scripted"
        ),
        st.integers(1, 6),
        tenths,
        st.sampled_from([0.1, 0.4, 1.0, 3.0]),
        st.sampled_from("abc"),
    ),
    max_size=30,
    unique_by=lambda one: (one.person_id, one.start_s, one.end_s),
)
swaps_in_order = st.lists(st.tuples(st.permutations(range(1, 7)), tenths, tenths), max_size=12).map(
    lambda some: [
        Swapped(numbers[0], numbers[1], max(0.0, noticed_s - lasted_s), noticed_s)
        for numbers, lasted_s, noticed_s in sorted(some, key=lambda one: one[2])
    ]
)


def ends_of(
    ends_s: Sequence[float], starts_s: Sequence[float] = (0.0,), seen_until_s: float = 2.0, **built: Any
) -> list[float]:
    """Return until when the labels of clips hold; their person is seen all the time."""
    builder = TimelineBuilder(TENTH, 30.0)
    for k in range(round(seen_until_s / INTERVAL_S)):
        builder.add_people(k * INTERVAL_S, [TrackedPerson(1, (0, 0, 10, 20), 0.5)])
    for k in range(built.pop("nobody", 0)):
        builder.add_people(seen_until_s + k * INTERVAL_S, [])
    spans_s = zip(starts_s, ends_s, strict=True)
    builder.add_predictions(Prediction(1, *span_s, (("tai chi", 0.9),), "i3d") for span_s in spans_s)
    timeline = builder.build(video_info(), frame_times_s=NO_FRAMES, **{"complete": True, **built})
    return [one.end_s for one in timeline.predictions]


def test_a_label_holds_until_the_person_leaves_soon_after_its_clip() -> None:
    holds_s = TENTH.label_holds_s(30.0)
    assert ends_of([2.0 - holds_s]) == pytest.approx([2.0])
    assert ends_of([1.8 - holds_s]) == pytest.approx([1.8 - holds_s]), "of so long a rest a clip would have been made"
    assert ends_of([1.9], complete=False) == [1.9], "they may stay, and get another clip"
    assert ends_of([1.9], complete=False, nobody=20) == pytest.approx([2.0]), "they left"


def test_a_label_holds_until_the_next_clip_that_begins_soon() -> None:
    assert ends_of([0.72, 1.5], [0.0, 1.0]) == pytest.approx([1.0, 1.5])
    assert ends_of([0.6, 1.5], [0.0, 1.0]) == pytest.approx([0.6, 1.5])
    assert ends_of([1.9, 1.95], [0.0, 1.0]) == pytest.approx([1.9, 2.0])


@settings(max_examples=50)
@given(predictions=predictions_of_tracks, swaps=swaps_in_order)
def test_predictions_are_exchanged_as_if_each_swap_was_looked_at(
    predictions: list[Prediction], swaps: list[Swapped]
) -> None:
    expected = [plainly_swapped(one, swaps) for one in predictions]
    assert in_order(said_by(predictions, swaps)) == in_order(expected)


@settings(max_examples=50)
@given(predictions=predictions_of_tracks, people=st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_of_tracks_at_once_the_longest_says_what_a_person_does(
    predictions: list[Prediction], people: list[int]
) -> None:
    person_of = dict(enumerate(people, 1))
    expected = plainly_of_people(predictions, person_of)
    assert in_order(said_by(predictions, person_of=person_of)) == in_order(expected)


def test_many_tracks_of_one_person_cost_as_much_each_as_a_few() -> None:
    """Regression: each was compared with all longer ones; 2,000 tracks took 4.2 s."""

    def work_of(tracks: int) -> Callable[[], object]:
        predictions = [
            Prediction(number, 0.5 * number + k, 0.5 * number + k + 2, (("waving", 0.5),), "scripted")
            for number in range(1, tracks + 1)
            for k in range(2)
        ]
        person_of = dict.fromkeys(range(1, tracks + 1), 1)
        return lambda: said_by(predictions, person_of=person_of)

    assert times_for_twice(work_of, 200) < MOST_TIMES


def test_many_swaps_cost_as_much_each_as_a_few() -> None:
    """Regression: whenever the page showed a running analysis, every prediction was compared with every swap."""

    def work_of(swaps: int) -> Callable[[], object]:
        noticed = [Swapped(1, 2, 2.0 * k, 2.0 * k + 1) for k in range(swaps)]
        predictions = [Prediction(1, float(k), k + 1.5, (("waving", 0.5),), "scripted") for k in range(2 * swaps)]
        return lambda: said_by(predictions, noticed)

    assert times_for_twice(work_of, 100) < MOST_TIMES
