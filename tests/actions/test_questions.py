"""What to ask about next."""

from __future__ import annotations

import numpy as np

from recognizer.actions.head import Head, learn
from recognizer.actions.questions import ask
from tests.support.own_actions import described, moments, taught

LESSON = taught("walking", "sitting")


def head() -> Head:
    learned = learn(LESSON.examples, LESSON.names, LESSON.videos)
    assert learned is not None
    return learned


def test_the_moment_least_like_those_marked_comes_first() -> None:
    alike = moments("walking", 3, video=1)
    some = described(np.concatenate((alike, moments("falling", 1, video=1))))
    assert ask(head(), LESSON.examples, some, ["a", "b", "c", "d"], count=1).tolist() == [3]


def test_questions_come_from_different_videos_not_marked_yet() -> None:
    some = described(moments("walking", 8))
    videos = ["marked", "marked", "a", "a", "b", "b", "c", "c"]
    chosen = ask(head(), LESSON.examples, some, videos, {"marked"}, count=3)
    assert sorted(videos[k] for k in chosen) == ["a", "b", "c"]


def test_when_videos_run_out_each_is_asked_again_and_marked_ones_last() -> None:
    some = described(moments("walking", 6))
    videos = ["marked", "marked", "a", "a", "a", "b"]
    chosen = ask(head(), LESSON.examples, some, videos, {"marked"}, count=6).tolist()
    assert sorted(chosen) == list(range(6))
    assert [videos[k] == "marked" for k in chosen] == [False, False, False, False, True, True]


def test_a_moment_like_one_that_is_asked_about_waits() -> None:
    some = described(np.concatenate((moments("falling", 2, video=1), moments("jumping", 1, video=1))))
    chosen = ask(head(), LESSON.examples, some, ["a", "b", "c"], count=2).tolist()
    assert 2 in chosen


def test_a_moment_without_finite_features_is_not_asked_about() -> None:
    """Regression: it came first, and then every other one counted as alike."""
    features = np.concatenate((moments("walking", 3, video=1), moments("falling", 1, video=1)))
    features[0] = np.nan
    assert ask(head(), LESSON.examples, described(features), ["a", "b", "c", "d"], count=4).tolist()[0] == 3
    assert sorted(ask(head(), LESSON.examples, described(features), ["a"] * 4, count=4).tolist()) == [1, 2, 3]


def test_moments_that_are_all_the_same_are_asked_about_once_for_each_video() -> None:
    same = described(np.repeat(moments("walking", 1), 4, axis=0))
    assert ask(head(), LESSON.examples, same, ["a", "a", "b", "b"], count=2).tolist() == [0, 2]


def test_no_candidates_no_questions() -> None:
    assert len(ask(head(), LESSON.examples, described(moments("walking", 0)), [])) == 0
