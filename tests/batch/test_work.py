"""One video of a batch: what it says while it waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from recognizer.batch.messages import Task
from recognizer.batch.results import BatchFolder, key_of
from recognizer.batch.work import Hooks, work
from recognizer.weights import file_sha256
from tests.support.batch import RECIPE, ScriptedNetworks, small_video


def task_of(video: Path, folder: BatchFolder) -> Task:
    return Task(1, str(video), RECIPE, RECIPE.digest, str(folder.root))


def lock_of(video: Path, folder: BatchFolder) -> FileLock:
    """The lock of whoever analyzes the same bytes."""
    return FileLock(folder.work / f"{key_of(file_sha256(video), RECIPE.digest)}.lock")


@pytest.mark.slow
def test_a_copy_waits_for_its_original_and_does_not_seem_to_stand_still(tmp_path: Path) -> None:
    """Regression: a copy of a video that takes more than 15 minutes failed, because it made no progress."""
    video, folder = small_video(tmp_path / "a.mkv"), BatchFolder(tmp_path / "out")
    folder.make()
    lock = lock_of(video, folder)
    lock.acquire()
    begun: list[float] = []

    def begin() -> None:
        begun.append(0.0)
        if len(begun) == 2:
            lock.release()

    assert work(task_of(video, folder), ScriptedNetworks(), Hooks(begin=begin)).state == "done"
    assert len(begun) == 3, "twice while it waited, and once when the networks were loaded"


def test_a_copy_that_waits_can_be_stopped(tmp_path: Path) -> None:
    video, folder = small_video(tmp_path / "a.mkv"), BatchFolder(tmp_path / "out")
    folder.make()
    networks, begun = ScriptedNetworks(), list[bool]()
    hooks = Hooks(begin=lambda: begun.append(True), is_stopped=lambda: bool(begun))
    with lock_of(video, folder):
        outcome = work(task_of(video, folder), networks, hooks)
    assert (outcome.state, outcome.error, networks.asked) == ("waiting", "", [])
