"""``python -m recognizer limits``."""

from __future__ import annotations

import pytest

from recognizer.cli import main
from recognizer.limits import limit_values


def test_table_has_every_limit_its_value_and_its_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOGNIZER_LIMIT_MAX_RUNS", "5")
    assert main(["limits"]) == 0
    printed = capsys.readouterr().out
    for one in limit_values():
        assert one.name in printed
        assert one.text in printed
    assert "RECOGNIZER_LIMIT_MAX_RUNS" in printed


def test_unknown_limit_is_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOGNIZER_LIMIT_MAX_CATS", "5")
    assert main(["limits"]) == 2
    assert capsys.readouterr().err.startswith("error: RECOGNIZER_LIMIT_MAX_CATS sets 'max_cats'")
