"""Labelling of live clips: their order, and the joining of waiting clips."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from recognizer.live.labeling_thread import LabelingThread
from recognizer.types import Clip
from tests.support.waiting import WAIT_S, wait_until


class HeldLabel:
    """Notes what it is given; holds each clip until it is let go."""

    def __init__(self) -> None:
        self.labelled: list[tuple[int, float, float]] = []
        self.reached = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)

    def __call__(self, clips: Sequence[Clip]) -> None:
        self.reached.release()
        assert self.let_go.acquire(timeout=WAIT_S)
        self.labelled += [(clip.person_id, round(clip.start_s, 3), round(clip.end_s, 3)) for clip in clips]


OpenThread = Callable[..., LabelingThread]


@pytest.fixture
def label() -> HeldLabel:
    return HeldLabel()


@pytest.fixture
def open_thread(label: HeldLabel) -> Iterator[OpenThread]:
    threads: list[LabelingThread] = []

    def open_it(stay_began_s: Callable[[int], float] = lambda _: 0.0) -> LabelingThread:
        threads.append(LabelingThread(label, stay_began_s, now_s=lambda: 100.0))
        return threads[-1]

    yield open_it
    label.let_go.release(100)
    for thread in threads:
        thread.close([], WAIT_S)


def clip(person_id: int, start_s: float, end_s: float) -> Clip:
    return Clip(person_id, start_s, end_s, np.zeros((4, 2, 2, 3), np.uint8))


def test_clips_that_wait_become_one_over_the_time_of_all(open_thread: OpenThread, label: HeldLabel) -> None:
    thread = open_thread()
    thread.put([clip(1, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    for k in range(1, 4):
        thread.put([clip(1, 0.3 * k, 0.3 * k + 0.4)])
    label.let_go.release(2)
    wait_until(lambda: len(label.labelled) == 2)
    assert label.labelled == [(1, 0.0, 0.4), (1, 0.3, 1.3)]
    assert (thread.stats().joined_clips, thread.stats().dropped_clips) == (2, 0)


def test_clip_that_waits_grows_to_four_times_its_span_and_what_is_older_is_counted(
    open_thread: OpenThread, label: HeldLabel
) -> None:
    thread = open_thread()
    thread.put([clip(1, 0.0, 0.5)])
    assert label.reached.acquire(timeout=WAIT_S)
    for k in range(1, 8):
        thread.put([clip(1, 0.5 * k, 0.5 * k + 0.5)])
    label.let_go.release(2)
    wait_until(lambda: len(label.labelled) == 2)
    assert label.labelled[1] == (1, 2.0, 4.0)
    assert (thread.stats().joined_clips, thread.stats().dropped_clips) == (3, 3)


def test_clips_of_two_stays_are_not_joined(open_thread: OpenThread, label: HeldLabel) -> None:
    thread = open_thread(lambda person_id: {1: 5.0}.get(person_id, 0.0))
    thread.put([clip(2, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    thread.put([clip(1, 3.0, 3.4), clip(1, 5.0, 5.4)])
    label.let_go.release(2)
    wait_until(lambda: len(label.labelled) == 2)
    assert label.labelled[1] == (1, 5.0, 5.4)
    assert (thread.stats().joined_clips, thread.stats().dropped_clips) == (0, 1)


def test_whoever_has_waited_longest_comes_first(open_thread: OpenThread, label: HeldLabel) -> None:
    thread = open_thread()
    thread.put([clip(1, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    thread.put([clip(3, 0.0, 0.4), clip(2, 0.1, 0.5)])
    thread.put([clip(1, 0.3, 0.7), clip(3, 0.3, 0.7)])
    label.let_go.release(4)
    wait_until(lambda: len(label.labelled) == 4)
    assert [person_id for person_id, _, _ in label.labelled] == [1, 3, 2, 1]


def test_clips_that_wait_at_the_end_are_labelled(open_thread: OpenThread, label: HeldLabel) -> None:
    thread = open_thread()
    label.let_go.release(10)
    thread.put([clip(1, 0.0, 0.4)])
    wait_until(lambda: len(label.labelled) == 1)
    thread.close([clip(2, 0.2, 0.5)], WAIT_S)
    assert label.labelled[-1] == (2, 0.2, 0.5)
    assert thread.stats().behind_s == pytest.approx(99.55, abs=0.2)


def test_at_most_one_clip_a_person_waits(open_thread: OpenThread, label: HeldLabel) -> None:
    thread = open_thread()
    thread.put([clip(1, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    for k in range(20):
        thread.put([clip(1, 0.3 * k, 0.3 * k + 0.4), clip(2, 0.3 * k, 0.3 * k + 0.4)])
    label.let_go.release(100)
    wait_until(lambda: thread.oldest_wait_s() == 0)
    assert [person_id for person_id, _, _ in label.labelled] == [1, 1, 2]


def test_oldest_wait_counts_from_the_first_clip_without_a_label(open_thread: OpenThread, label: HeldLabel) -> None:
    thread = open_thread()
    assert thread.oldest_wait_s() == 0
    thread.put([clip(1, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    in_work_s = thread.oldest_wait_s()
    assert in_work_s > 0
    thread.put([clip(2, 0.0, 0.4)])
    assert thread.oldest_wait_s() > in_work_s
    label.let_go.release(1)
    assert label.reached.acquire(timeout=WAIT_S)
    thread.put([clip(2, 0.3, 0.7)])
    waits_s = thread.oldest_wait_s()
    assert waits_s > 0
    label.let_go.release(2)
    wait_until(lambda: thread.oldest_wait_s() == 0)
