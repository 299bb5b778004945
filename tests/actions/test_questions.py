"""What to ask about next."""

from __future__ import annotations

import numpy as np

from recognizer.actions.head import Head, learn
from recognizer.actions.questions import ask
from tests.support.own_actions import described, moments, taught


def head() -> Head:
    lesson = taught("walking", "sitting")
    learned = learn(lesson.examples, lesson.names, lesson.videos)
    assert learned is not None
    return learned


def test_the_least_sure_moment_comes_first() -> None:
    sure = moments("walking", 3, video=1)
    unsure = (moments("walking", 1, video=1) + moments("sitting", 1, video=1)) / 2
    some = described(np.concatenate((sure, unsure)))
    assert ask(head(), some, ["a", "b", "c", "d"], count=1).tolist() == [3]


def test_questions_come_from_different_videos_not_marked_yet() -> None:
    some = described(moments("walking", 8))
    videos = ["marked", "marked", "a", "a", "b", "b", "c", "c"]
    chosen = ask(head(), some, videos, {"marked"}, count=3)
    assert sorted(videos[k] for k in chosen) == ["a", "b", "c"]


def test_when_videos_run_out_each_is_asked_again_and_marked_ones_last() -> None:
    some = described(moments("walking", 6))
    videos = ["marked", "marked", "a", "a", "a", "b"]
    chosen = ask(head(), some, videos, {"marked"}, count=6).tolist()
    assert sorted(chosen) == list(range(6))
    assert [videos[k] == "marked" for k in chosen] == [False, False, False, False, True, True]


def test_no_candidates_no_questions() -> None:
    assert len(ask(head(), described(moments("walking", 0)), [])) == 0
