"""Naming beside the picture: who comes first, what becomes of clips that wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from recognizer.live.naming import Namer
from recognizer.types import Clip
from tests.support.waiting import WAIT_S, wait_until

STAYS_FROM_START: dict[int, float] = {}


class HeldLabel:
    """Keeps what it is given; holds each clip until it is let go."""

    def __init__(self) -> None:
        self.named: list[tuple[int, float, float]] = []
        self.reached = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)

    def __call__(self, clips: Sequence[Clip]) -> None:
        self.reached.release()
        assert self.let_go.acquire(timeout=WAIT_S)
        self.named += [(clip.person_id, round(clip.start_s, 3), round(clip.end_s, 3)) for clip in clips]


OpenNamer = Callable[..., Namer]


@pytest.fixture
def label() -> HeldLabel:
    return HeldLabel()


@pytest.fixture
def open_namer(label: HeldLabel) -> Iterator[OpenNamer]:
    namers: list[Namer] = []

    def open_it(stay_began_s: Callable[[int], float] = lambda _: 0.0) -> Namer:
        namers.append(Namer(label, stay_began_s, now_s=lambda: 100.0))
        return namers[-1]

    yield open_it
    label.let_go.release(100)
    for namer in namers:
        namer.close([], WAIT_S)


def clip(person_id: int, start_s: float, end_s: float) -> Clip:
    return Clip(person_id, start_s, end_s, np.zeros((4, 2, 2, 3), np.uint8))


def test_clips_that_wait_become_one_over_the_time_of_all(open_namer: OpenNamer, label: HeldLabel) -> None:
    namer = open_namer()
    namer.put([clip(1, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    for k in range(1, 4):
        namer.put([clip(1, 0.3 * k, 0.3 * k + 0.4)])
    label.let_go.release(2)
    wait_until(lambda: len(label.named) == 2)
    assert label.named == [(1, 0.0, 0.4), (1, 0.3, 1.3)]
    assert (namer.stats().joined_clips, namer.stats().dropped_clips) == (2, 0)


def test_clip_that_waits_grows_to_four_times_its_span_and_what_is_older_is_counted(
    open_namer: OpenNamer, label: HeldLabel
) -> None:
    namer = open_namer()
    namer.put([clip(1, 0.0, 0.5)])
    assert label.reached.acquire(timeout=WAIT_S)
    for k in range(1, 8):
        namer.put([clip(1, 0.5 * k, 0.5 * k + 0.5)])
    label.let_go.release(2)
    wait_until(lambda: len(label.named) == 2)
    assert label.named[1] == (1, 2.0, 4.0)
    assert (namer.stats().joined_clips, namer.stats().dropped_clips) == (3, 3)


def test_clips_of_two_stays_are_not_joined(open_namer: OpenNamer, label: HeldLabel) -> None:
    namer = open_namer(lambda person_id: {1: 5.0}.get(person_id, 0.0))
    namer.put([clip(2, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    namer.put([clip(1, 3.0, 3.4), clip(1, 5.0, 5.4)])
    label.let_go.release(2)
    wait_until(lambda: len(label.named) == 2)
    assert label.named[1] == (1, 5.0, 5.4)
    assert (namer.stats().joined_clips, namer.stats().dropped_clips) == (0, 1)


def test_whoever_has_waited_longest_comes_first(open_namer: OpenNamer, label: HeldLabel) -> None:
    namer = open_namer()
    namer.put([clip(1, 0.0, 0.4)])
    assert label.reached.acquire(timeout=WAIT_S)
    namer.put([clip(3, 0.0, 0.4), clip(2, 0.1, 0.5)])
    namer.put([clip(1, 0.3, 0.7), clip(3, 0.3, 0.7)])
    label.let_go.release(4)
    wait_until(lambda: len(label.named) == 4)
    assert [person_id for person_id, _, _ in label.named] == [1, 3, 2, 1]


def test_what_waits_at_the_end_is_named(open_namer: OpenNamer, label: HeldLabel) -> None:
    namer = open_namer()
    label.let_go.release(10)
    namer.put([clip(1, 0.0, 0.4)])
    wait_until(lambda: len(label.named) == 1)
    namer.close([clip(2, 0.2, 0.5)], WAIT_S)
    assert label.named[-1] == (2, 0.2, 0.5)
    assert namer.stats().behind_s == pytest.approx(99.55, abs=0.2)
