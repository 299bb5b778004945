"""Where things are, and what a test does when something it needs is not here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app.py"
SHARED_CLIPS = ROOT.parent / "shared" / "clips"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip; in CI, where RECOGNIZER_REQUIRE_ALL is 1, fail instead: a skip must not pass for a success."""
    if os.environ.get("RECOGNIZER_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
