"""A separate cache of weights for a test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache; unset RECOGNIZER_WEIGHTS."""
    monkeypatch.delenv("RECOGNIZER_WEIGHTS", raising=False)
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
