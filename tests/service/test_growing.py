"""Showing a running analysis takes a bounded share of a core, however long the video is."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from recognizer.service import growing
from recognizer.service.growing import LEAST_S, MOST_SHARE, Growing, Pace
from recognizer.timeline.model import Timeline
from tests.support.workbench import generated_timeline


class Clock:
    """The time of day, and what this thread used of it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.used_s = 0.0

    def work(self, cost_s: float) -> None:
        self.now_s += 3 * cost_s  # others use the processor, too
        self.used_s += cost_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    fake = SimpleNamespace(monotonic=lambda: found.now_s, thread_time=lambda: found.used_s)
    monkeypatch.setattr(growing, "time", fake)
    return found


@pytest.mark.parametrize("cost_s", [0.01, 0.7, 6.0])
def test_pages_get_the_timeline_so_far_for_a_share_of_the_time(clock: Clock, cost_s: float) -> None:
    """Regression: it was made every 0.7 s, looked at or not: two seconds of a core each after two hours."""
    timeline, made = generated_timeline(people=1, duration_s=2.0), []

    def make() -> Timeline:
        clock.work(cost_s)
        made.append(clock.now_s)
        return timeline

    so_far, began_s = Growing(make), clock.now_s
    assert not made, "nobody has looked yet"
    while clock.now_s < began_s + 600:
        assert so_far.timeline() is timeline
        clock.now_s += 0.25  # four looks a second, of several pages
    assert clock.used_s <= MOST_SHARE * (clock.now_s - began_s) + cost_s
    assert len(made) >= 0.5 * MOST_SHARE * 600 / (cost_s + 0.25 * MOST_SHARE), "and for no less"


def test_after_the_end_nothing_is_made_any_more(clock: Clock) -> None:
    timelines: Iterator[Timeline] = iter([generated_timeline(people=1, duration_s=2.0)])
    so_far, never = Growing(lambda: next(timelines)), Growing(lambda: next(timelines))
    latest = so_far.timeline()
    for one in (so_far, never):
        one.end()
    clock.now_s += 1000
    assert so_far.timeline() is latest
    assert never.timeline() is None


def test_a_short_video_is_drawn_every_second_and_a_long_one_for_a_share_of_the_time() -> None:
    pace, changes, spent_s, passed_s = Pace(), 0, 0.0, 0.0
    assert not pace.is_too_fast(1.5), "the first drawing imports what it needs"
    for k in range(2000):
        cost_s = 0.0005 * k  # more of the video each time: a second of a core in the end
        spent_s, passed_s = spent_s + cost_s, passed_s + pace.every_s
        changes += pace.is_too_fast(cost_s)
        if cost_s <= MOST_SHARE * LEAST_S:
            assert pace.every_s == LEAST_S
    assert spent_s <= MOST_SHARE * passed_s
    assert changes <= 6, "each draws the whole page"
    assert pace.every_s <= 2.1 * cost_s / MOST_SHARE
