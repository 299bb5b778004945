"""A file that was made for a download exists until its browser has fetched it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from recognizer.dashboard.parts.downloads import offer_download


class Button:
    """Stands in for the place on the page; keeps what Streamlit is given."""

    def download_button(self, _label: str, data: Callable[[], Any], file_name: str, mime: str, **_options: Any) -> None:
        self.make, self.file_name, self.mime = data, file_name, mime


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MediaFileManager:
    """Streamlit's own files, as a server has them."""
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(media_file_mgr=manager))
    return manager


def pressed(files: MediaFileManager, make: Callable[[], Any]) -> str:
    """The file that a press of the button makes."""
    asked = files.add_deferred(make, "text/csv", "1.2", file_name="a.csv")
    return PurePosixPath(files.execute_deferred(asked)).stem


def others_use_the_server(files: MediaFileManager) -> None:
    """The page is drawn again, and so are those of others."""
    files.clear_session_refs()
    for _ in range(3):
        files.remove_orphaned_files()


def test_made_file_stays_while_others_use_the_server(files: MediaFileManager) -> None:
    """Regression: two people watched their analyses, and one's press now and then ended in nothing."""
    button: Any = Button()
    offer_download(button, "CSV", lambda: "a,b\n", "a.csv", "text/csv")
    made = pressed(files, button.make)
    others_use_the_server(files)
    kept = files.read_file(made)
    assert kept is not None
    assert kept.content == b"a,b\n"

    dropped = pressed(files, lambda: "c,d\n")
    others_use_the_server(files)
    assert files.read_file(dropped) is None, "what Streamlit does by itself; if not, nothing need be held"


def test_few_files_are_held_and_no_large_one(files: MediaFileManager) -> None:
    button: Any = Button()
    made = []
    for k in range(20):
        offer_download(button, "CSV", partial("{}\n".format, k), "a.csv", "text/csv")
        made.append(pressed(files, button.make))
    offer_download(button, "CSV", lambda: bytes(20_000_000), "a.csv", "text/csv")
    large = pressed(files, button.make)
    others_use_the_server(files)
    assert [files.read_file(one) is not None for one in made] == [False] * 12 + [True] * 8
    assert files.read_file(large) is None
