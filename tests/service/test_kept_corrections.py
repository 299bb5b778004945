"""Corrections are kept while the database cannot take them, and stored in their order when it can."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from recognizer.errors import CorrectionsError, StoreError
from recognizer.service.corrections import CorrectionStore, Revision
from recognizer.service.database import Database
from recognizer.service.kept_corrections import KeptCorrections, unsaved_id
from recognizer.service.unsaved import Unsaved
from recognizer.timeline.edits import Hide, Name
from tests.support.failing import failing

HIDE, NAME = Hide(1), Name(2, "Ana")


class Storage:
    """A database that can be switched off, and what stores corrections in it."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.unsaved = Unsaved(first_wait_s=10**6)
        self.kept = KeptCorrections(self.database, self.unsaved)
        self.stored = CorrectionStore(Database(path))

    def off(self, *methods: str) -> AbstractContextManager[None]:
        return failing(self.database, *methods, problem="the disk is full; make room.")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "analyses.sqlite3")


def accept(_: Revision) -> None:
    pass


def test_corrections_that_cannot_be_stored_are_kept_told_and_stored_later(storage: Storage) -> None:
    kept = storage.kept
    kept.add("a", HIDE, accept)
    with storage.off():
        after = kept.add("a", NAME, accept)
        assert after.corrections.edits == (HIDE, NAME)
        assert kept.load("a") == after
        assert kept.number("a") == after.number == 2
        assert kept.problem("a") == "the disk is full; make room."
        assert kept.undo("a").corrections.edits == (HIDE,)
        assert kept.redo("a").corrections.edits == (HIDE, NAME)
        storage.unsaved.save_now(unsaved_id("a"))
        assert kept.problem("a") is not None
    assert storage.stored.load("a").corrections.edits == (HIDE,)
    storage.unsaved.save_now(unsaved_id("a"))
    assert kept.problem("a") is None
    assert storage.stored.load("a").corrections.edits == (HIDE, NAME)
    assert kept.load("a") == storage.stored.load("a")
    kept.undo("a")
    assert storage.stored.load("a").corrections.edits == (HIDE,)


def test_kept_corrections_are_made_on_what_another_server_stored_meanwhile(storage: Storage) -> None:
    storage.kept.load("a")
    with storage.off("transaction"):
        storage.kept.add("a", NAME, accept)
    storage.stored.add("a", HIDE, accept)
    storage.unsaved.save_now(unsaved_id("a"))
    assert storage.stored.load("a").corrections.edits == (HIDE, NAME)


def test_kept_correction_that_no_longer_fits_is_left_out_and_the_others_are_stored(storage: Storage) -> None:
    def check(after: Revision) -> None:
        if HIDE in after.corrections.edits:
            raise CorrectionsError("person 2 is hidden.")

    storage.kept.load("a")
    with storage.off("transaction"):
        storage.kept.add("a", NAME, check)
        storage.kept.set_groups("a", None)
    storage.stored.add("a", HIDE, accept)
    storage.unsaved.save_now(unsaved_id("a"))
    assert storage.stored.load("a").corrections.edits == (HIDE,)
    assert storage.stored.load("a").number == 2
    assert storage.kept.problem("a") is None


def test_correction_that_does_not_fit_is_refused_without_a_database_too(storage: Storage) -> None:
    def refuse(_: Revision) -> None:
        raise CorrectionsError("there is no person 7.")

    storage.kept.expect_none("a")
    with storage.off(), pytest.raises(CorrectionsError, match="person 7"):
        storage.kept.add("a", NAME, refuse)
    assert storage.kept.problem("a") is None


def test_new_analysis_can_be_corrected_without_a_database_and_an_unknown_one_cannot(storage: Storage) -> None:
    storage.kept.expect_none("new")
    with storage.off():
        assert storage.kept.add("new", HIDE, accept).number == 1
        assert storage.kept.copy("new", "new") is False
        with pytest.raises(StoreError):
            storage.kept.add("never seen", HIDE, accept)
        with pytest.raises(StoreError):
            storage.kept.number("never seen")


def test_corrections_are_carried_over_while_they_are_kept(storage: Storage) -> None:
    storage.kept.expect_none("before")
    storage.kept.expect_none("after")
    with storage.off():
        storage.kept.add("before", HIDE, accept)
        assert storage.kept.copy("before", "after")
        assert storage.kept.load("after").corrections.edits == (HIDE,)
    for one in ("before", "after"):
        storage.unsaved.save_now(unsaved_id(one))
        assert storage.stored.load(one).corrections.edits == (HIDE,)
