"""Marked moments: which clips count, and what is said where none does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recognizer.actions.moments import CLIP_SHARE, MOMENT_SHARE, moment
from recognizer.actions.posture import POSTURE, posture_of
from recognizer.errors import ActionsError
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Merge, Split
from recognizer.timeline.features import FeatureTable, feature_table
from recognizer.timeline.model import Timeline
from tests.support.featured import featured_timeline

TIMELINE = featured_timeline(3, 30.0)
"""A clip of two seconds every one and a half; person 3 is away from 12 s to 15 s."""

CLIP_S, EVERY_S = 2.0, 1.5


def table_of(timeline: Timeline) -> FeatureTable:
    found = feature_table(timeline.predictions)
    assert found is not None
    return found


def clips_of(start_s: float, end_s: float, person_id: int = 1) -> list[float]:
    """Starts of the clips that count."""
    found = moment(TIMELINE, table_of(TIMELINE), person_id, start_s, end_s)
    assert {TIMELINE.predictions[row].person_id for row in found.rows} == {person_id}
    return [TIMELINE.predictions[row].start_s for row in found.rows]


@pytest.mark.parametrize(
    ("start_s", "end_s", "starts_s"),
    [
        (3.0, 5.0, [3.0]),  # just a clip
        (3.0, 6.5, [3.0, 4.5]),
        (2.5, 5.2, [3.0]),  # the clip from 4.5 lies in it by 0.7 s of 2
        (2.5, 5.7, [3.0, 4.5]),  # and now by 1.2 s, the least that counts
        (3.2, 3.9, [3.0]),  # shorter than a clip, and shown by one whole
        (4.25, 5.25, [3.0, 4.5]),  # both show three quarters of it
        (0.0, 30.0, [EVERY_S * k for k in range(20)]),
    ],
)
def test_clips_that_fit_the_moment_count(start_s: float, end_s: float, starts_s: list[float]) -> None:
    assert clips_of(start_s, end_s) == starts_s


def test_where_no_clip_fits_the_best_counts_if_it_shows_half() -> None:
    sparse = replace(TIMELINE, predictions=TIMELINE.predictions[::2])  # from 0 to 2 s, from 3 to 5 s, …
    found = moment(sparse, table_of(sparse), 1, 1.0, 2.8)
    assert [sparse.predictions[row].start_s for row in found.rows] == [0.0]
    with pytest.raises(ActionsError, match=r"no clip of this person covers 1\.4 s to 3\.2 s"):
        moment(sparse, table_of(sparse), 1, 1.4, 3.2)


def test_features_are_the_mean_of_each_view_and_posture_is_that_of_the_moment() -> None:
    table = table_of(TIMELINE)
    found = moment(TIMELINE, table, 1, 3.0, 6.5)
    assert found.features.shape == (4, table.size)
    assert found.features.dtype == np.float32
    assert np.allclose(found.features, table.values(found.rows).mean(axis=0))
    track = next(one for one in TIMELINE.people if one.person_id == 1)
    assert found.posture.shape == (len(POSTURE),)
    assert np.array_equal(found.posture, posture_of(track, 3.0, 6.5, TIMELINE.camera), equal_nan=True)


@pytest.mark.parametrize(
    ("person_id", "start_s", "end_s", "sentence"),
    [
        (1, 3.0, 3.2, r"the marked stretch is 0\.20 s long; mark at least 0\.3 s"),
        (1, 5.0, 3.0, r"is 0\.00 s long"),
        (9, 3.0, 5.0, "person 9 is not in this analysis any more"),
        (3, 12.5, 14.5, r"nobody was found from 12\.5 s to 14\.5 s in this lane: people who lie"),
        (1, 31.0, 33.0, "nobody was found"),
    ],
)
def test_a_moment_that_shows_nothing_gets_a_sentence(
    person_id: int, start_s: float, end_s: float, sentence: str
) -> None:
    with pytest.raises(ActionsError, match=sentence):
        moment(TIMELINE, table_of(TIMELINE), person_id, start_s, end_s)


def test_a_moment_without_a_clip_gets_a_sentence() -> None:
    some = tuple(one for one in TIMELINE.predictions if not 5.0 < one.start_s < 20.0)
    timeline = replace(TIMELINE, predictions=some)
    with pytest.raises(ActionsError, match=r"no clip of this person covers 10\.0 s to 12\.0 s"):
        moment(timeline, table_of(timeline), 1, 10.0, 12.0)


def test_a_moment_whose_features_are_gone_gets_a_sentence() -> None:
    with pytest.raises(ActionsError, match="features of this analysis are not kept"):
        moment(TIMELINE, None, 1, 3.0, 5.0)
    table = table_of(TIMELINE)
    gone = replace(table, has=np.zeros(len(table), np.bool_))
    with pytest.raises(ActionsError, match=r"features of 3\.0 s to 5\.0 s are not kept"):
        moment(TIMELINE, gone, 1, 3.0, 5.0)


def test_a_corrected_person_is_looked_for_where_they_were_found() -> None:
    corrections = Corrections().add(Split(1, 10.0, 7)).add(Merge(3, 7))
    corrected = corrections.applied_to(TIMELINE)
    table = table_of(TIMELINE)
    as_one = moment(TIMELINE, table, 7, 15.5, 20.5, corrected)
    assert {TIMELINE.predictions[row].person_id for row in as_one.rows} == {1}  # where both are, the first one counts
    before = moment(TIMELINE, table, 1, 3.0, 5.0, corrected)
    assert [TIMELINE.predictions[row].start_s for row in before.rows] == [3.0]
    with pytest.raises(ActionsError, match="nobody was found"):
        moment(TIMELINE, table, 1, 15.0, 17.0, corrected)
    with pytest.raises(ActionsError, match="person 3"):
        moment(TIMELINE, table, 3, 3.0, 5.0, corrected)


def test_the_limits_are_those_that_were_measured() -> None:
    assert (CLIP_SHARE, MOMENT_SHARE) == (0.6, 0.7)
