"""Storage that fails while people work: what is done stays on the page, can be downloaded, and is saved later."""

from __future__ import annotations

import errno
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.dashboard.workbench.routes import routes
from recognizer.errors import StoreError
from recognizer.service.kept_corrections import unsaved_id
from tests.support.failing import failing
from tests.support.networks import Networks
from tests.support.pages import (
    analyse,
    button,
    downloads,
    errors,
    has_button,
    open_page,
    shows_result,
    tab,
    upload_video,
    words,
    workbench_data,
)

pytestmark = pytest.mark.slow

FULL = "there is no room on the disk; make room and try again."
TOLD = f"T{FULL[1:]}"
MODES = {"full or read-only": ("transaction",), "gone or damaged": ("reading", "transaction")}


def without_room(*methods: str) -> AbstractContextManager[None]:
    """Let the server's database refuse what these methods do."""
    return failing(server.context().store.database, *methods, problem=FULL)


def shown_id(at: AppTest) -> str:
    shown = tab(at).analyse.shown
    assert shown is not None
    return shown.analysis_id


def downloaded(at: AppTest, label: str) -> str:
    """Return what a download button of the page gives."""
    (offer,) = [one for (name, _), one in tab(at).downloads._offers.items() if name == label]
    made = offer.make()
    assert isinstance(made, bytes)
    return made.decode()


@pytest.mark.parametrize("methods", MODES.values(), ids=MODES)
def test_result_that_cannot_be_saved_is_whole_on_the_page_and_saved_at_a_click(
    page: AppTest, clip: Path, methods: tuple[str, ...]
) -> None:
    """Regression: the page turned red, and asked to download a table that was not there."""
    upload_video(page, clip)
    with without_room(*methods):
        analyse(page)
        assert shows_result(page)
        assert "This analysis is not saved yet: there is no room on the disk" in words(page)
        assert "Timeline as CSV" in downloads(page)
        assert "waving" in downloaded(page, "Timeline as CSV")
        assert set(errors(page)) <= {TOLD}
        workbench = TestClient(Starlette(routes=routes()))
        api = f"/{workbench_data(page)['api']}"
        assert workbench.get(f"{api}timeline").status_code == 200
        view = {"minConfidence": 0.4, "minDurationS": 0.0, "showsBrief": False, "filter": None}
        assert workbench.post(f"{api}segments", json=view).status_code == 200
        edited = workbench.post(f"{api}edits", json={"edits": [{"edit": "name", "person_id": 1, "name": "Ana"}]})
        assert edited.status_code == 200
        assert edited.json()["isSaved"] is False
        page.run()
        assert "What you changed in this analysis is not saved yet" in words(page)
        assert "Ana" in downloaded(page, "Timeline as CSV")
        button_of(page, shown_id(page)).click()
        page.run()
        assert "not saved yet" in words(page), "there is still no room"

        again = open_page(run=shown_id(page))  # a refresh
        assert shows_result(again)
        assert "not saved yet" in words(again)
    for waiting in (shown_id(page), unsaved_id(shown_id(page))):
        button_of(page, waiting).click()
        page.run()
    assert "not saved yet" not in words(page)
    assert server.context().store.load_analysis(shown_id(page)) is not None
    server.context.clear()
    fresh = open_page(run=shown_id(page))
    assert shows_result(fresh)
    assert "Ana" in downloaded(fresh, "Timeline as CSV")


def button_of(at: AppTest, waiting: str) -> Any:
    (found,) = [one for one in at.button if one.key == f"save-{waiting}"]
    return found


def test_shown_result_stays_while_the_database_is_gone(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    tab(page).history.own["analyses"] = [shown_id(page)]  # as the browser reports them
    with without_room("reading", "transaction"):
        page.run()
        assert shows_result(page)
        assert "waving" in downloaded(page, "Timeline as CSV")
        assert set(errors(page)) <= {TOLD}
    page.run()
    assert not page.error


def test_upload_that_cannot_be_stored_is_one_sentence_and_the_field_is_there_again(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("recognizer.service.store.StagedFile.commit", no_room)
        upload_video(page, clip)
        (told,) = errors(page)
        assert told.startswith("'clip.mp4' could not be stored (No space left on device)")
    upload_video(page, clip)
    assert not page.error
    assert has_button(page, "Analyse")


def test_folders_that_are_removed_meanwhile_cost_no_result(page: AppTest, clip: Path, tmp_path: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    shutil.rmtree(tmp_path / "data" / "files")
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    page.run()
    assert shows_result(page)
    assert "waving" in downloaded(page, "Timeline as CSV")
    assert "no longer stored here" in words(page)
    upload_video(page, clip)
    analyse(page)
    assert shows_result(page)
    assert not page.error


def test_video_that_goes_before_its_analysis_is_one_sentence(
    page: AppTest, clip: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_video(page, clip)
    video = tab(page).video
    assert video is not None
    video.file.path.unlink()
    if has_button(page, "Analyse"):
        button(page, "Analyse").click()
    page.run()
    assert len(page.error) == 1
    assert not shows_result(page)
    upload_video(page, clip)
    analyse(page)
    assert shows_result(page)


def test_drawing_that_has_no_room_is_one_sentence_and_the_result_stays(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    upload_video(page, clip)
    analyse(page)
    with monkeypatch.context() as patch:
        patch.setattr("recognizer.files.StagedFile.commit", no_room)
        button(page, "Make the annotated video").click()
        page.run()
        rendering = tab(page).analyse.rendering
        assert rendering is not None
        assert rendering.job.wait(60)
        page.run()
    assert shows_result(page)
    (told,) = errors(page)
    assert "no space left" in told


def test_what_else_cannot_be_saved_is_one_sentence_and_changes_nothing(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    with without_room("transaction"):
        own = server.context().own_actions
        with pytest.raises(StoreError, match="no room"):
            own.create("My actions")
        at = open_page("pages/my_actions.py")
        button(at, "New set").click()
        at.run()
        assert errors(at) == [TOLD]
        assert has_button(at, "New set")
    button(at, "New set").click()
    at.run()
    assert not at.error
