"""Tests of networks read checkpoints in their own process: another one loads PyTorch for seconds each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import recognizer.networks.vision  # noqa: F401 - before any test imports torchvision, and with it PyTorch's compiler
from recognizer.processes import WHERE_VARIABLE


@pytest.fixture(scope="module", autouse=True)
def _in_this_process() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WHERE_VARIABLE, "inline")
        yield
