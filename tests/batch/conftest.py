"""Fixtures of tests about batches: files are decoded in this process, and the cache is empty."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOGNIZER_DECODER", "inline")
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
