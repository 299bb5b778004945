"""A head: learns from examples, names moments, and knows when it is none of the actions."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.actions.descriptors import CHANGE_WEIGHT, Centre, Descriptors
from recognizer.actions.head import ACCEPTED_FROM, Head, learn
from tests.support.own_actions import SIZE, described, moments, taught


def learned(*names: str | None, views: int = 2) -> Head:
    lesson = taught(*names, views=views)
    head = learn(lesson.examples, lesson.names, lesson.videos)
    assert head is not None
    return head


def test_moments_of_a_new_video_get_the_names_of_their_examples() -> None:
    head = learned("walking", "sitting", "reading", None)
    for name in head.names:
        judged = head.judge(described(moments(name, 4, seed=99, video=9)))
        assert {head.names[k] for k in judged.best.tolist()} == {name}


def test_other_moments_are_not_accepted_or_less_sure() -> None:
    head = learned("walking", "sitting", None)
    strange, none = (head.judge(described(moments(name, 5, video=9))) for name in ("something else", None))
    assert not none.accepted.any()
    known = head.judge(described(moments("walking", 5, video=9)))
    assert known.accepted.all()
    assert known.confidence.max(axis=1).min() > strange.confidence.max()


def test_confidence_is_a_share_and_reaches_the_default_threshold_exactly_where_accepted() -> None:
    head = learned("walking", "sitting", "reading", None)
    some = np.concatenate([moments(name, 6, seed=5, video=9) for name in ("walking", "reading", None, "other")])
    mixed = (some + some[::-1]) / 2
    judged = head.judge(described(np.concatenate((some, mixed))))
    assert (judged.confidence >= 0).all()
    assert (judged.confidence.sum(axis=1) <= 1 + 1e-9).all()
    np.testing.assert_array_equal(judged.accepted, judged.confidence.max(axis=1) >= ACCEPTED_FROM)


@pytest.mark.parametrize("names", [(), (None,), ("walking",)])
def test_one_kind_of_examples_teaches_nothing(names: tuple[str | None, ...]) -> None:
    lesson = taught(*names) if names else taught("walking", each=0)
    assert learn(lesson.examples, lesson.names, lesson.videos) is None


def test_one_action_and_none_of_these_are_enough() -> None:
    head = learned("walking", None)
    assert head.names == ("walking",)
    assert not head.judge(described(moments(None, 3, video=9))).accepted.any()


def test_two_single_examples_are_enough() -> None:
    lesson = taught("walking", "sitting", each=1, videos=1)
    head = learn(lesson.examples, lesson.names, lesson.videos)
    assert head is not None
    judged = head.judge(described(moments("sitting", 3, video=0)))
    assert {head.names[k] for k in judged.best.tolist()} == {"sitting"}


def test_one_view_and_negative_features_work() -> None:
    lesson = taught("walking", "sitting", views=1)
    examples = described(lesson.examples.views[:, :1] - 2)
    head = learn(examples, lesson.names, lesson.videos)
    assert head is not None
    judged = head.judge(described(moments("walking", 3, views=1, video=1) - 2))
    assert {head.names[k] for k in judged.best.tolist()} == {"walking"}


def test_head_survives_as_arrays() -> None:
    head = learned("walking", "sitting", None)
    again = Head.from_arrays(head.names, head.to_arrays())
    some = described(moments("sitting", 4, video=9))
    np.testing.assert_array_equal(head.judge(some).confidence, again.judge(some).confidence)


@pytest.mark.parametrize("name", ["centre", "weights", "prototypes", "none", "threshold"])
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    head = learned("walking", "sitting", None)
    arrays = head.to_arrays()
    for wrong in (arrays[name][..., None], arrays[name] * np.float32(np.nan)):
        with pytest.raises(ValueError, match="a head"):
            Head.from_arrays(head.names, arrays | {name: wrong})
    with pytest.raises(ValueError, match=f"a head without {name}"):
        Head.from_arrays(head.names, {key: array for key, array in arrays.items() if key != name})


def test_features_of_another_network_do_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        learned("walking", "sitting").judge(described(moments("walking", 1, size=32)))


def test_nothing_to_judge_is_fine() -> None:
    assert learned("walking", "sitting").judge(described(moments("walking", 0))).confidence.shape == (0, 2)


def test_centred_features_have_length_one_in_each_view() -> None:
    views = described(moments("walking", 5)).views
    views[:, 2:] = np.sign(np.random.default_rng(0).normal(size=views[:, 2:].shape))
    rows = Centre.of(views).features(views).reshape(5, 4, -1)
    lengths = np.linalg.norm(rows, axis=2)
    np.testing.assert_allclose(lengths[:, :2], np.sqrt(0.5), rtol=1e-5)
    np.testing.assert_allclose(lengths[:, 2:], CHANGE_WEIGHT * np.sqrt(0.5), rtol=1e-5)


def test_changes_tell_what_the_mean_cannot() -> None:
    """Sitting down and standing up look alike on the whole."""
    examples = described(moments("walking", 12))
    rises = np.sign(np.random.default_rng(1).normal(size=SIZE))
    examples.views[:, 2:] = np.where(np.arange(12)[:, None, None] % 2, rises, -rises)
    names = ["up" if k % 2 else "down" for k in range(12)]
    head = learn(examples.take(np.arange(8)), names[:8], [f"video {k // 2}" for k in range(8)])
    assert head is not None
    best = head.judge(examples.take(np.arange(8, 12))).best
    assert [head.names[k] for k in best.tolist()] == names[8:]


@pytest.mark.parametrize("sign", [0.0, 0.3])
def test_features_in_some_directions_are_as_exact_as_the_features(sign: float) -> None:
    """Moments are judged without their centred vectors, which would take most of the time."""
    random = np.random.default_rng(3)
    views = (random.random((300, 4, 32)) ** 3 - sign).astype(np.float32)
    views[:, 2:] = np.sign(views[:, 2:] - 0.1)
    views[5, 2], views[7, 0] = 0, 0  # a change that is unknown, and a view without features
    directions = random.standard_normal((7, 4 * 32)).astype(np.float32)
    centre = Centre.of(views)
    features = centre.features(views)
    products, squares = centre.projected(views, directions)
    assert np.allclose(products, features @ directions.T, atol=1e-4)
    assert np.allclose(squares, (features**2).sum(axis=1), atol=1e-4)


def test_a_moment_is_judged_like_its_vector() -> None:
    lesson = taught("walk", "sit", None)
    head = learn(lesson.examples, lesson.names, lesson.videos)
    assert head is not None
    posture = np.random.default_rng(1).normal(size=lesson.examples.posture.shape)
    moments = Descriptors(lesson.examples.views, posture)
    one, other = head.judge(moments), head.judge_vectors(head.centre.vectors(moments))
    assert np.allclose(one.confidence, other.confidence, atol=1e-4)
