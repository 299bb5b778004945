"""What a command has printed, as tests read it."""

from __future__ import annotations

import pytest


def only_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """Return standard error, which must be one sentence; standard output must be empty."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("error: ")
    assert captured.err.endswith(".\n")
    return captured.err
