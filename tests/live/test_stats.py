"""The figures of a live stream are those of now, also on a machine that has just become busy."""

from __future__ import annotations

import pytest

from recognizer.live.stats import MEASURED, RECENT_S, Rate, Recent


def test_rate_is_that_of_the_last_seconds() -> None:
    """Regression: detections that fell from fifteen a second to one were told as fifteen for a minute more."""
    rate = Rate()
    assert rate.per_s(0.0) == 0
    for k in range(75):
        rate.add(k / 15)
    assert rate.per_s(5.0) == pytest.approx(15, rel=0.05)
    for k in range(20):
        rate.add(6.0 + k)
    assert rate.per_s(25.0) == pytest.approx(1, rel=0.05)


def test_rate_of_rarer_events_than_seconds_is_that_of_the_last_two() -> None:
    rate = Rate()
    rate.add(0.0)
    rate.add(3 * RECENT_S)
    assert rate.per_s(3 * RECENT_S) == pytest.approx(1 / (3 * RECENT_S))
    assert rate.per_s(6 * RECENT_S) == pytest.approx(1 / (6 * RECENT_S)), "it falls while none come"
    assert rate.silent_s(6 * RECENT_S) == 3 * RECENT_S


def test_median_is_that_of_the_last_seconds_and_the_latest_always_counts() -> None:
    times_s = Recent()
    assert times_s.percentile(50, 0.0) is None
    for k in range(MEASURED):
        times_s.add(k / 10, 0.4)
    assert times_s.percentile(50, MEASURED / 10) == 0.4
    times_s.add(60.0, 20.0)
    assert times_s.percentile(50, 60.0) == 20.0
    assert times_s.percentile(50, 600.0) == 20.0
    for k in range(2 * MEASURED):
        times_s.add(601 + k / 100, 1.0)
    assert times_s.percentile(95, 603.0) == 1.0
