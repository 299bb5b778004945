"""Detection runs less often while labels are late, and as often as before when they keep up again."""

from __future__ import annotations

import pytest

from recognizer.live.pace import LONGEST_REST_S, DetectionPace


class Labels:
    """How long the oldest clip has waited, and the clock."""

    wait_s = 0.0
    now_s = 100.0

    def pace(self) -> DetectionPace:
        return DetectionPace(lambda: self.wait_s, lambda: self.now_s)


def test_detection_never_rests_while_labels_keep_up() -> None:
    labels = Labels()
    pace = labels.pace()
    assert pace.rest_s() == 0
    pace.end()
    assert pace.rest_s() == 0
    labels.wait_s = 0.4
    assert pace.rest_s() == 0


def test_detection_rests_longer_the_longer_a_clip_waits_up_to_a_bound() -> None:
    labels = Labels()
    pace = labels.pace()
    pace.end()
    rests_s = []
    for wait_s in (0.6, 1.0, 1.4, 10.0, 1000.0):
        labels.wait_s = wait_s
        rests_s.append(pace.rest_s())
    assert rests_s == sorted(rests_s)
    assert 0 < rests_s[0] < rests_s[1] < rests_s[2] < rests_s[3]
    assert rests_s[3:] == [LONGEST_REST_S] * 2


def test_rest_counts_from_the_end_of_a_detection() -> None:
    labels = Labels()
    pace = labels.pace()
    pace.end()
    labels.wait_s = 1000.0
    labels.now_s += 0.2
    assert pace.rest_s() == pytest.approx(LONGEST_REST_S - 0.2)
    labels.now_s += LONGEST_REST_S
    assert pace.rest_s() == 0


def test_detection_goes_on_at_once_when_the_label_comes() -> None:
    labels = Labels()
    pace = labels.pace()
    pace.end()
    labels.wait_s = 1000.0
    assert pace.rest_s() > 0
    labels.wait_s = 0.0
    assert pace.rest_s() == 0
