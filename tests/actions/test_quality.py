"""Leave-one-video-out quality, and warnings in words."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.actions.descriptors import Descriptors
from recognizer.actions.quality import quality, warnings
from tests.support.own_actions import Taught, described, moments, taught


def test_separable_actions_have_full_recall() -> None:
    lesson = taught("walking", "sitting", None, videos=4)
    found = quality(lesson.examples, lesson.names, lesson.videos)
    assert found is not None
    assert found.named_others == 0
    assert min(found.recall.values()) > 0.6
    assert not any("called sitting" in one for one in found.sentences)


def test_quality_is_hidden_until_every_action_has_two_videos() -> None:
    assert quality(*arguments(taught("walking", "sitting", videos=1))) is None
    assert quality(*arguments(taught("walking"))) is None
    assert quality(*arguments(taught(None))) is None


def test_mixed_up_actions_are_told_in_words() -> None:
    # standing looks like sitting in the one video and is itself in the other
    parts = [
        ("sitting", 0, moments("sitting", 3, video=0)),
        ("sitting", 1, moments("sitting", 3, video=1)),
        ("standing", 0, moments("sitting", 3, seed=3, video=0)),
        ("standing", 2, moments("standing", 3, video=2)),
    ]
    lesson = Taught(
        described(np.concatenate([features for _, _, features in parts])),
        tuple(name for name, _, features in parts for _ in features),
        tuple(f"video {v}" for _, v, features in parts for _ in features),
    )
    found = quality(*arguments(lesson))
    assert found is not None
    assert found.called["standing", "sitting"] >= 0.5
    assert "standing is often called sitting: mark one more standing in another video." in found.sentences


def test_each_video_is_named_by_the_others_alone() -> None:
    # each video has features of its own, which only examples of the same video could name
    lesson = taught("walking", "sitting", videos=2)
    rows = [k for k, (name, video) in enumerate(zip(lesson.names, lesson.videos, strict=True))]
    swapped = lesson.examples.take(np.array(rows))
    names = tuple(
        name if video == "video 0" else {"walking": "sitting", "sitting": "walking"}[str(name)]
        for name, video in zip(lesson.names, lesson.videos, strict=True)
    )
    found = quality(swapped, names, lesson.videos)
    assert found is not None
    assert set(found.recall.values()) == {0.0}


@pytest.mark.parametrize(
    ("lesson", "name", "words"),
    [
        (taught("walking", "sitting", each=1, videos=2), "walking", "Only 2 of at least 3 moments: mark 1 more."),
        (taught("walking", "sitting", each=3, videos=1), "walking", "All in one video"),
        (taught("walking", "sitting"), None, 'Nothing is marked "none of these"'),
        (taught("walking", None, each=1, videos=3), None, '3 moments are marked "none of these"'),
    ],
)
def test_warnings_say_where_it_will_fail(lesson: Taught, name: str | None, words: str) -> None:
    assert any(words in one for one in warnings(*arguments(lesson))[name])


def test_actions_whose_examples_look_alike_are_warned_about() -> None:
    walking, other = taught("walking"), taught("walking")
    both = Taught(
        walking.examples.joined((walking.examples, other.examples)),
        tuple("walking" for _ in walking.names) + tuple("strolling" for _ in other.names),
        walking.videos + other.videos,
    )
    assert any("strolling and walking look alike" in one for one in warnings(*arguments(both))[None])
    assert not any("look alike" in one for one in warnings(*arguments(taught("walking", "sitting")))[None])


def test_of_many_actions_that_look_alike_a_few_pairs_are_listed() -> None:
    one = taught("walking")
    six = Taught(
        one.examples.joined([one.examples] * 6),
        tuple(f"{name} {k}" for k in range(6) for name in one.names),
        one.videos * 6,
    )
    found = [line for line in warnings(*arguments(six))[None] if "ook" in line]
    assert len(found) == 6
    assert found[-1] == "Look-alikes not listed here: 10; begin with those above."


def test_good_set_has_no_warnings() -> None:
    assert warnings(*arguments(taught("walking", "sitting", None, each=4))) == {}


def arguments(lesson: Taught) -> tuple[Descriptors, tuple[str | None, ...], tuple[str, ...]]:
    return lesson.examples, lesson.names, lesson.videos
