"""Own actions of real people, taught in some places and named in others, are as good as docs/own-actions.md says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.own_actions import FIVE, FOUR, MEASURED, opened, which
from benchmarks.own_actions_data import Library, read
from tests.support.environment import SHARED_TEACH, skip_or_fail

DRAWS = 6


@pytest.fixture(scope="module")
def library() -> Library:
    if not SHARED_TEACH.is_dir():
        skip_or_fail("the moments to teach with are not here; put them into ../shared/teach")
    return read(SHARED_TEACH)


@pytest.mark.real
def test_five_actions_are_told_apart_in_new_places(library: Library) -> None:
    found = which(library, FIVE, MEASURED, DRAWS)
    assert np.mean([one.f1 for one in found]) >= 0.84
    assert np.mean([one.recall for one in found], axis=0).min() >= 0.65


@pytest.mark.real
def test_other_actions_are_seldom_named(library: Library) -> None:
    found = opened(library, FOUR, MEASURED, DRAWS)
    assert np.mean([one.named_others for one in found]) <= 0.25
    assert np.mean([one.own_kept for one in found]) >= 0.7
    assert np.mean([one.own_named_others for one in found]) <= 0.3
