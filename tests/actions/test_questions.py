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


def test_no_candidates_no_questions() -> None:
    assert len(ask(head(), LESSON.examples, described(moments("walking", 0)), [])) == 0
