"""A server lets go of pages that nobody looks at any more."""

from __future__ import annotations

import time
import weakref
from types import SimpleNamespace

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from recognizer.dashboard.streamlit_private import forget_closed_pages
from tests.support.waiting import wait_until


class Page(SimpleNamespace):
    """Stands for a session and its info."""


def test_a_closed_page_is_let_go_although_no_other_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: what the last visitor had stayed in memory until the next one left."""
    storage = MemorySessionStorage(ttl_seconds=0)
    manager = WebsocketSessionManager(storage, None, None, lambda: None)  # type: ignore[arg-type]
    monkeypatch.setattr(Runtime, "_instance", SimpleNamespace(_session_mgr=manager))
    page = Page(session=Page(id="closed"))
    closed = weakref.ref(page)
    storage.save(page)  # type: ignore[arg-type]
    del page
    time.sleep(0.01)  # longer than it is kept
    assert closed() is not None
    assert forget_closed_pages()
    wait_until(lambda: closed() is None)
    assert not forget_closed_pages()
