"""The recommended settings place changes of action."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.labels import boundaries
from recognizer.networks.cache import ModelCache

pytestmark = pytest.mark.real


def test_a_change_of_action_is_placed_within_three_quarters_of_a_second(clips_dir: Path) -> None:
    """With cuts, and with nothing but the labels to go by."""
    for kind, off_s in boundaries("i3d", clips_dir, ModelCache()):
        assert max(off_s) <= 0.75, kind
