"""The GPUs of a machine: how PyTorch is asked, and which worker sees which."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recognizer.batch import gpus as module
from recognizer.batch.gpus import Gpu, gpus
from recognizer.batch.local import starts_workers
from recognizer.batch.results import BatchFolder
from recognizer.errors import SettingsError


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DRIVERS", (str(tmp_path),))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_a_driver_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DRIVERS", ("/nowhere",))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("PyTorch was asked"))
    assert gpus() == ()


@pytest.mark.usefixtures("driver")
def test_gpus_have_the_names_that_this_process_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUESTION", "print([8000, 9000])")
    assert gpus() == (Gpu("0", 8000), Gpu("1", 9000))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8f1c")
    assert gpus() == (Gpu("3", 8000), Gpu("GPU-8f1c", 9000))


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("question", ["raise SystemExit('the driver is too old')", "print('no list')"])
def test_a_gpu_that_cannot_be_asked_is_a_sentence(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUESTION", question)
    with pytest.raises(
        SettingsError, match=r"the GPU cannot be asked for its memory \(.*\); mend it, or give --device cpu"
    ):
        gpus()


class _Process:
    """A process that ends when it is told to."""

    def __init__(self, _: list[str], env: dict[str, str], **__: object) -> None:
        self.sees = env.get("CUDA_VISIBLE_DEVICES")
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


def test_workers_are_spread_over_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes the place of a dead one sees the GPU of that one."""
    monkeypatch.setattr(subprocess, "Popen", _Process)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    start: Callable[[], Any] = starts_workers(BatchFolder(tmp_path), 1, gpus=[Gpu("0", 1), Gpu("2", 1)])
    started = [start() for _ in range(4)]
    assert [one.sees for one in started] == ["0", "2", "0", "2"]
    started[1].code = -9
    assert start().sees == "2"
    anywhere: Any = starts_workers(BatchFolder(tmp_path), 1)()
    assert anywhere.sees is None
