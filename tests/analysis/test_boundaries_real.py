"""The recommended settings place changes of action."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.labels import boundaries
from recognizer.networks.cache import ModelCache

pytestmark = pytest.mark.real


def test_a_change_of_action_is_placed_near_a_cut_and_roughly_without_one(clips_dir: Path, networks: ModelCache) -> None:
    """With cuts, and with nothing but the labels to go by."""
    cut, one_stay = (off_s for _, off_s in boundaries("i3d", clips_dir, networks, each_s=4.0))
    assert max(cut) <= 0.1
    assert max(one_stay) <= 0.75
