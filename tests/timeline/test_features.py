"""The features of predictions: one byte a number, in the order of the timeline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recognizer.export import timeline_from_json, timeline_json
from recognizer.settings import Settings
from recognizer.timeline.builder import TimelineBuilder
from recognizer.timeline.features import FeatureSpace, FeatureTable, feature_space, feature_table
from recognizer.timeline.model import Timeline
from recognizer.types import ClipFeatures, Prediction, TrackedPerson
from tests.support.fakes import video_info

SHA256 = "ab" * 32


def features(seed: int, views: int = 2, size: int = 5) -> ClipFeatures:
    rng = np.random.default_rng(seed)
    return ClipFeatures.rounded(rng.gamma(0.5, 2.0, (views, size)).astype(np.float32), rng.normal(size=(views, size)))


def said(person_id: int, start_s: float, kept: ClipFeatures | None) -> Prediction:
    return Prediction(person_id, start_s, start_s + 1.0, (("juggling", 0.5),), "i3d", features=kept)


def timeline_of(*predictions: Prediction) -> Timeline:
    """The predictions in order, on two tracks that are one person's and a third."""
    builder = TimelineBuilder(Settings(skip_frame=3), 30.0)
    for k in range(40):
        builder.add_people(k / 10, [TrackedPerson(number, (0.0, 0.0, 9.0, 9.0), 0.9) for number in (1, 2, 3)])
    builder.add_predictions(predictions)
    return builder.build(
        video_info(),
        frame_times_s=np.arange(120) / 30,
        complete=True,
        person_of={1: 1, 2: 2, 3: 1},
        provenance={"classifier": "i3d", "classifier_sha256": SHA256},
    )


@given(arrays(np.float32, (2, 7), elements=st.floats(-1e4, 1e4, width=32)))
def test_rounding_is_within_half_a_step(values: np.ndarray) -> None:
    kept = ClipFeatures.rounded(values)
    half = kept.step[:, None] / 2
    assert (np.abs(kept.values() - values) <= half * (1 + 1e-3) + 1e-2).all()
    assert kept.values().dtype == np.float32
    np.testing.assert_allclose(kept.values().min(axis=1), values.min(axis=1))


def test_equal_numbers_are_kept_as_they_are() -> None:
    kept = ClipFeatures.rounded(np.full((1, 4), 0.25, np.float32))
    assert kept.values().tolist() == [[0.25] * 4]


def zeros(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Codes, low, step and the bits of what rises, as far as there are shapes."""
    kinds = np.uint8, np.float32, np.float32, np.uint8
    return [np.zeros(shape, kind) for shape, kind in zip(shapes, kinds, strict=False)]


def table_of(numbers: list[np.ndarray], rows: int, packed: int) -> FeatureTable:
    """A table whose flags have so many rows, and so many bytes a view for what rises."""
    codes, low, step = numbers
    return FeatureTable(codes, low, step, np.zeros(rows, bool), np.zeros((3, 2, packed), np.uint8))


def test_what_rises_is_kept_as_one_bit_a_number() -> None:
    change = np.array([[0.5, -2.0, 0.1] * 5, [0.0] * 15])
    kept = ClipFeatures.rounded(np.ones((2, 15)), change)
    assert kept.rising.nbytes == 4
    assert kept.values_and_change()[2].tolist() == [1, -1, 1] * 5
    assert not kept.values_and_change()[3].any(), "unknown"


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"uint8 \(V, D\), got float32 \(5,\)"):
        ClipFeatures(np.zeros(5, np.float32), np.zeros(1, np.float32), np.zeros(1, np.float32), np.zeros(1, np.uint8))
    with pytest.raises(ValueError, match=r"low and step must be \(2,\)"):
        ClipFeatures(*zeros((2, 5), (1,), (2,), (2, 1)))
    with pytest.raises(ValueError, match=r"rising must be uint8 \(2, 1\), got uint8 \(2, 5\)"):
        ClipFeatures(*zeros((2, 5), (2,), (2,), (2, 5)))
    with pytest.raises(ValueError, match="has low, step and has of shapes"):
        table_of(zeros((3, 2, 5), (3, 2), (3, 2)), 2, 1)
    with pytest.raises(ValueError, match=r"rising must be uint8 \(3, 2, 1\)"):
        table_of(zeros((3, 2, 5), (3, 2), (3, 2)), 3, 2)


def test_features_do_not_decide_whether_predictions_are_equal() -> None:
    assert said(1, 0.0, features(1)) == said(1, 0.0, None)
    assert "features" not in repr(said(1, 0.0, features(1)))


def test_a_table_has_the_order_of_the_predictions() -> None:
    kept = [features(k) for k in range(3)]
    table = feature_table([said(1, 0.0, kept[0]), said(1, 1.0, None), said(2, 0.0, kept[2])])
    assert table is not None
    assert (len(table), table.views, table.size) == (3, 2, 5)
    assert table.has.tolist() == [True, False, True]
    np.testing.assert_array_equal(table.values()[2], kept[2].values_and_change())
    np.testing.assert_array_equal(table.values([2, 0]), np.stack([kept[k].values_and_change() for k in (2, 0)]))
    assert not table.values([1]).any()
    assert table.row(1) is None
    one = table.row(2)
    assert one is not None
    np.testing.assert_array_equal(one.values_and_change(), kept[2].values_and_change())


def test_a_table_keeps_the_kind_that_most_predictions_have() -> None:
    mixed = [said(1, 0.0, features(0, views=1)), said(1, 1.0, features(1)), said(1, 2.0, features(2))]
    table = feature_table(mixed)
    assert table is not None
    assert table.has.tolist() == [False, True, True]


def test_there_is_no_table_without_features() -> None:
    assert feature_table([]) is None
    assert feature_table([said(1, 0.0, None)]) is None


def test_order_survives_stitching_and_the_json_round_trip() -> None:
    """Tracks 1 and 3 become one person; the table's rows still belong to the stored predictions."""
    given_out_of_order = [said(3, 2.5, features(30)), said(2, 0.5, features(20)), said(1, 0.0, features(10))]
    timeline = timeline_of(*given_out_of_order)
    assert [(one.person_id, one.start_s) for one in timeline.predictions] == [(1, 0.0), (1, 2.5), (2, 0.5)]
    table = feature_table(timeline.predictions)
    text = timeline_json(timeline, include_boxes=True, include_frame_times=True)
    stored = timeline_from_json(text)
    assert stored.predictions == timeline.predictions
    assert feature_table(stored.predictions) is None
    assert '"features"' not in text
    assert table is not None
    for k, (one, seed) in enumerate(zip(stored.predictions, (10, 30, 20), strict=True)):
        np.testing.assert_array_equal(table.values([k])[0], features(seed).values_and_change(), err_msg=str(one))


def test_space_names_the_network_and_its_weights() -> None:
    timeline = timeline_of(said(1, 0.0, None), said(1, 1.0, features(1)))
    assert feature_space(timeline) == FeatureSpace("i3d", SHA256, 5)
    stored = timeline_from_json(timeline_json(timeline))
    assert feature_space(stored) is None
    assert feature_space(stored, feature_table(timeline.predictions)) == FeatureSpace("i3d", SHA256, 5)


def test_there_is_no_space_without_the_weights_hash() -> None:
    assert feature_space(replace(timeline_of(said(1, 0.0, features(1))), provenance={})) is None
