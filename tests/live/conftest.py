"""Fixtures of tests of a camera: it is not gone because a busy machine pauses between two pictures."""

from __future__ import annotations

import pytest

from recognizer.live import watchdog
from tests.support.waiting import WORK_S


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GONE_AFTER_S", WORK_S)
    monkeypatch.setattr(watchdog, "BROKEN_AFTER_S", WORK_S)
