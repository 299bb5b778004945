"""What cannot be saved is kept in memory, and saved as soon as it can be."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from recognizer.errors import StoreError
from recognizer.service import unsaved as unsaved_module
from recognizer.service.unsaved import Unsaved
from tests.support.waiting import wait_until


class Disk:
    """What is saved on it while it has room."""

    def __init__(self) -> None:
        self.has_room = False
        self.tried = 0
        self.saved: list[str] = []

    def saving(self, what: str) -> Any:
        def save() -> str:
            self.tried += 1
            if not self.has_room:
                raise StoreError("the disk is full; make room.")
            self.saved.append(what)
            return what

        return save


def test_what_can_be_saved_is_returned_as_saved_and_does_not_wait() -> None:
    disk, unsaved = Disk(), Unsaved()
    disk.has_room = True
    assert unsaved.save("one", disk.saving("stored"), lambda: "in memory") == "stored"
    assert unsaved.problem("one") is None


def test_what_cannot_be_saved_is_kept_and_saved_by_itself_when_there_is_room() -> None:
    disk, unsaved = Disk(), Unsaved(first_wait_s=0.01, longest_wait_s=0.02)
    assert unsaved.save("one", disk.saving("first"), lambda: "in memory") == "in memory"
    assert unsaved.problem("one") == "the disk is full; make room."
    assert unsaved.content("one") == "in memory"
    wait_until(lambda: disk.tried > 2)
    disk.has_room = True
    wait_until(lambda: unsaved.problem("one") is None)
    assert disk.saved == ["first"]
    assert unsaved.content("one") is None
    disk.has_room = False
    unsaved.save("two", disk.saving("second"), lambda: "in memory")
    disk.has_room = True
    wait_until(lambda: unsaved.problem("two") is None)
    assert disk.saved == ["first", "second"], "the thread begins again"


def test_only_the_latest_of_an_item_is_saved() -> None:
    disk, unsaved = Disk(), Unsaved(first_wait_s=60)
    for what in ("one entry", "two entries"):
        unsaved.save("comparison", disk.saving(what), lambda: "in memory")
    disk.has_room = True
    unsaved.save_now("comparison")
    assert disk.saved == ["two entries"]
    unsaved.save("comparison", disk.saving("three entries"), lambda: "in memory")
    unsaved.save_now("comparison")
    assert disk.saved == ["two entries", "three entries"]


def test_a_bug_while_saving_leaves_the_result_and_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    unsaved = Unsaved(first_wait_s=0.01)
    broken, mended = threading.Event(), threading.Event()

    def save() -> str:
        if mended.is_set():
            return "saved"
        if not broken.is_set():
            raise StoreError("the disk is full; make room.")
        raise ZeroDivisionError

    unsaved.save("one", save, lambda: "in memory")
    broken.set()
    wait_until(lambda: "logged as" in (unsaved.problem("one") or ""))
    assert unsaved.content("one") == "in memory"
    assert "ZeroDivisionError" in caplog.text
    mended.set()  # and no later test in this process hears of the bug
    wait_until(lambda: unsaved.problem("one") is None)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsaved_module, "MOST_KEPT", 3)
    disk, unsaved = Disk(), Unsaved(first_wait_s=60)
    for k in range(5):
        unsaved.save(str(k), disk.saving(str(k)), lambda: "in memory")
    assert [unsaved.problem(str(k)) is not None for k in range(5)] == [False, False, True, True, True]
