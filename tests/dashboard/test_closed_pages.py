"""A page whose browser lost the connection comes back as it was, and takes no memory until then."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server, state
from recognizer.dashboard.streamlit_private import bring_closed_pages_back, lighten_closed_pages
from recognizer.errors import StoreError, WeightsError
from recognizer.networks import loading as models_module
from tests.support.networks import Networks
from tests.support.pages import (
    analyse,
    current_video,
    errors,
    has_button,
    settle,
    shows_result,
    start,
    tab,
    upload_video,
    widget,
)
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.slow

SCRIPT = """
import streamlit as st
from recognizer.dashboard import state

st.text(f"{len(state.tab().compare.rows)} entries, not {st.text_input('Name', key='name')}")
"""

KEPT_S = 3600.0
LIGHT_AFTER_S = 120.0


class Server:
    """The pages of a server, which close and come back on a clock of their own."""

    def __init__(self, script: Path) -> None:
        self.now_s = 0.0
        self.storage = MemorySessionStorage(ttl_seconds=KEPT_S)  # type: ignore[arg-type]  # only compared and added
        self.storage._cache._timer = lambda: self.now_s  # type: ignore[attr-defined]
        uploads = MemoryUploadedFileManager("")
        self._manager = WebsocketSessionManager(self.storage, uploads, ScriptCache(), lambda: None)
        self._session_mgr = self._manager  # as a runtime calls it
        self.media_file_mgr, self.dataframe_source_mgr = MagicMock(), MagicMock()
        self._script = ScriptData(str(script))
        self.received: list[ForwardMsg] = []

    def __getattr__(self, name: str) -> MagicMock:
        return MagicMock()

    def connect(self, session_id: str | None = None) -> AppSession:
        """Connect a browser, with the id of its page if it had one."""
        self.received.clear()
        now_id = self._manager.connect_session(MagicMock(), self._script, {}, existing_session_id=session_id)
        return self._manager._active_session_info_by_id[now_id].session

    def close(self, session: AppSession) -> None:
        """Lose the connection to a browser."""
        self._manager.disconnect_session(session.id)

    async def until(self, session: AppSession, holds: Callable[[], bool]) -> None:
        """Take a page's messages until something holds for them."""
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self.received += session.flush_browser_queue()
                await asyncio.sleep(0.01)

    async def drawn(self, session: AppSession) -> list[str]:
        """Return the texts of a run of the page, as soon as it has ended."""
        await self.until(session, lambda: any(one.WhichOneof("type") == "script_finished" for one in self.received))
        elements = [one.delta.new_element for one in self.received if one.WhichOneof("type") == "delta"]
        return [one.text.body for one in elements if one.WhichOneof("type") == "text"]


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    script = tmp_path / "app.py"
    script.write_text(SCRIPT, "utf-8")
    bring_closed_pages_back()
    served = Server(script)
    monkeypatch.setattr(Runtime, "_instance", served)
    return served


class Result(SimpleNamespace):
    """Stands for a result that takes memory."""


def with_name(session: AppSession, drawn: list[ForwardMsg], name: str) -> ClientState:
    """Return what a browser sends when a user has typed a name."""
    elements = [one.delta.new_element for one in drawn if one.WhichOneof("type") == "delta"]
    (field,) = (one.text_input for one in elements if one.WhichOneof("type") == "text_input")
    typed = ClientState(page_script_hash=session._client_state.page_script_hash)
    typed.widget_states.widgets.add(id=field.id, string_value=name)
    return typed


def test_a_closed_page_comes_back_as_it_was_and_takes_no_memory_until_then(pages: Server) -> None:
    """Regression: after two minutes without a connection, the next click began with an empty page: the video, typed
    names and the entries of a comparison were gone."""

    async def use() -> list[str]:
        session = pages.connect()
        session.request_rerun(ClientState())
        assert await pages.drawn(session) == ["0 entries, not"]
        typed = with_name(session, pages.received, "Anna")
        pages.received.clear()
        kept: state.Tab = session.session_state["tab"]
        kept.compare.rows.append(state.EntryRow(1, "s3d", 8, 10))
        session.request_rerun(typed)
        assert await pages.drawn(session) == ["1 entries, not Anna"]
        await pages.until(session, lambda: session._scriptrunner is None)
        result = Result(analysis_id="an-analysis")
        takes_memory = weakref.ref(result)
        kept.of_video.show(result)  # type: ignore[arg-type]
        del result
        pages.close(session)
        assert not lighten_closed_pages(state.lighten, LIGHT_AFTER_S), "it may have lost the connection for a moment"
        assert takes_memory() is not None
        pages.now_s += LIGHT_AFTER_S + 1.0
        assert lighten_closed_pages(state.lighten, LIGHT_AFTER_S)
        assert not lighten_closed_pages(state.lighten, LIGHT_AFTER_S)
        wait_until(lambda: takes_memory() is None)
        assert kept.of_video.put_away == state.PutAway(None, "an-analysis")
        pages.now_s += KEPT_S / 2
        again = pages.connect(session.id)
        assert again is session
        drawn = await pages.drawn(again)  # without a click
        again.shutdown()
        return drawn

    assert asyncio.run(use()) == ["1 entries, not Anna"]


def test_a_page_that_was_away_for_a_moment_is_not_run_again(pages: Server) -> None:
    async def use() -> None:
        session = pages.connect()
        session.request_rerun(ClientState())
        await pages.drawn(session)
        await pages.until(session, lambda: session._scriptrunner is None)
        pages.close(session)
        assert pages.connect(session.id) is session
        assert session._scriptrunner is None
        session.shutdown()

    asyncio.run(use())


def test_a_closed_page_is_let_go_in_the_end_although_no_other_closes(pages: Server) -> None:
    """Regression: what the last visitor had stayed in memory until the next one left."""
    page = Result(session=Result(id="closed"))
    closed = weakref.ref(page)
    pages.storage.save(page)  # type: ignore[arg-type]
    del page
    pages.now_s += KEPT_S + 1.0
    assert closed() is not None
    assert lighten_closed_pages(state.lighten, LIGHT_AFTER_S)
    wait_until(lambda: closed() is None)
    assert not lighten_closed_pages(state.lighten, LIGHT_AFTER_S)


def test_a_page_shows_its_result_again_with_what_was_chosen_since(
    page: AppTest, clip: Path, make_video: Callable[..., Path]
) -> None:
    upload_video(page, clip)
    analyse(page)
    before = tab(page).analyse.shown
    assert before is not None
    upload_video(page, make_video("other.mp4"))
    widget(page, "Sequence length").set_value(4)
    page.run()
    tab(page).lighten()
    assert tab(page).analyse.shown is None
    page.run()
    assert not page.exception
    after = tab(page).analyse.shown
    assert after is not None
    assert after.analysis_id == before.analysis_id
    assert shows_result(page)
    assert current_video(page).file.name == "other.mp4"
    assert widget(page, "Sequence length").value == 4
    assert not page.error


def test_a_result_that_is_gone_or_cannot_be_read_by_then_is_told(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the page was empty, without a word, since its address had been restored before."""
    upload_video(page, clip)
    analyse(page)

    def refuse(*_: Any) -> Any:
        raise StoreError("the database is locked; try again.")

    tab(page).lighten()
    with monkeypatch.context() as patch:
        patch.setattr(type(server.context().workbench), "analysis", refuse)
        page.run()
    assert errors(page) == ["The database is locked; try again."]
    analyse(page)
    tab(page).lighten()
    with monkeypatch.context() as patch:
        patch.setattr(type(server.context().workbench), "analysis", lambda *_: None)
        page.run()
    assert any("is not on this machine" in one for one in errors(page))


@pytest.mark.parametrize("is_remembered", [True, False])
def test_an_analysis_that_ended_meanwhile_is_shown(
    page: AppTest, clip: Path, networks: Networks, is_remembered: bool
) -> None:
    networks.hold = threading.Event()
    upload_video(page, clip)
    start(page)
    job = tab(page).analyse.job
    assert job is not None
    tab(page).lighten()
    page.run()
    assert tab(page).analyse.job is job
    assert has_button(page, "Cancel")
    tab(page).lighten()
    networks.hold.set()
    assert job.wait(WAIT_S)
    del job  # nobody has its result now but the store
    if not is_remembered:
        server.context().jobs._jobs.clear()
    settle(page)
    assert shows_result(page)
    assert not page.error


def test_an_analysis_that_failed_meanwhile_says_why(page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def refuse(*_: Any) -> Any:
        assert go_on.wait(WAIT_S)
        raise WeightsError("the weights cannot be had; put them into the folder.")

    monkeypatch.setattr(models_module, "load_detector", refuse)
    upload_video(page, clip)
    start(page)
    job = tab(page).analyse.job
    assert job is not None
    tab(page).lighten()
    go_on.set()
    assert job.wait(WAIT_S)
    page.run()
    assert errors(page) == ["The weights cannot be had; put them into the folder."]
