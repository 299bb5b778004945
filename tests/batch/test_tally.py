"""How far a batch is, as it is told while it works."""

from __future__ import annotations

import pytest

from recognizer.batch import tally as tally_module
from recognizer.batch.manifest import Counts, Due
from recognizer.batch.messages import Advanced, Outcome
from recognizer.batch.tally import Tally
from tests.support.batch import RECIPE


class Clock:
    """Stands for the module ``time``."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tally_module, "time", clock)
    return clock


def tally_of(clock: Clock, *sizes_bytes: int) -> Tally:
    tally = Tally.of(Counts(done=0, failed=0, waiting=len(sizes_bytes), waiting_bytes=sum(sizes_bytes)))
    tally._began_s = clock.now_s
    for number, size_bytes in enumerate(sizes_bytes):
        tally.give(Due(number, f"/in/{number}.mp4", RECIPE, "", size_bytes))
    return tally


def test_time_left_is_told_before_the_first_video_ends(clock: Clock) -> None:
    """Regression: nothing was told for hours where the first videos are long."""
    tally = tally_of(clock, 600, 400)
    clock.now_s = 100.0
    assert tally.left_s is None
    tally.hear(Advanced(0, 30.0, 60.0))
    assert tally.left_s == pytest.approx(100.0 / 300 * 700)
    tally.hear(Advanced(1, 30.0))  # of unknown length
    assert tally.left_s == pytest.approx(100.0 / 300 * 700)
    tally.hear(Outcome(0, "done", video_s=60.0, took_s=100.0))
    assert tally.left_s == pytest.approx(100.0 / 600 * 400)
    tally.hear(Outcome(1, "done", video_s=40.0, took_s=100.0))
    assert tally.left_s is None


def test_a_video_that_fails_at_once_does_not_make_the_others_seem_quick(clock: Clock) -> None:
    """Regression: its bytes counted as work that had been done."""
    tally = tally_of(clock, 800, 100, 100)
    clock.now_s = 10.0
    tally.hear(Outcome(0, "failed", took_s=0.1))
    assert tally.left_s is None
    tally.hear(Outcome(1, "done", video_s=5.0, took_s=9.0))
    assert tally.left_s == pytest.approx(10.0)


def test_the_first_seconds_are_not_extrapolated(clock: Clock) -> None:
    tally = tally_of(clock, 600, 400)
    clock.now_s = 2.0
    tally.hear(Advanced(0, 1.0, 60.0))
    assert (tally.left_s, tally.times_real_time) == (None, None)
