"""What a run of the page has drawn, and what a browser asked for, reaches the browser, whatever comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLsRequest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from recognizer.dashboard.streamlit_private import keep_answers, keep_finished_runs, page_is_being_drawn
from tests.support.waiting import WAIT_S

SCRIPT = """
import streamlit as st

@st.fragment(run_every=1)
def follow():
    st.text("growing")

st.text("all of the page")
follow()
"""


class Tab:
    """A browser's side of a session: it takes what the server sends."""

    def __init__(self, script: Path) -> None:
        self.received: list[ForwardMsg] = []
        uploads = MemoryUploadedFileManager("")
        self.session = AppSession(ScriptData(str(script)), uploads, ScriptCache(), lambda: None, {})

    async def until(self, holds: Callable[[], bool]) -> None:
        """Take messages until something holds for them."""
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self.received += self.session.flush_browser_queue()
                await asyncio.sleep(0.01)

    def finished(self, status: ForwardMsg.ScriptFinishedStatus.ValueType) -> int:
        """Return how many runs ended like this."""
        return sum(
            one.WhichOneof("type") == "script_finished" and one.script_finished == status for one in self.received
        )


def ended(tab: Tab) -> None:
    """Wait for the script's end. What it sends waits for the event loop, which is busy here."""
    assert tab.session._scriptrunner is not None
    thread = tab.session._scriptrunner._script_thread
    assert thread is not None
    thread.join(WAIT_S)


async def run_a_fragment_as_the_page_ends(tab: Tab) -> None:
    """Run the page twice; ask for a fragment after the second run's end, before its messages are taken."""
    tab.session.request_rerun(ClientState())
    await tab.until(lambda: tab.finished(ForwardMsg.FINISHED_SUCCESSFULLY) == 1)
    (fragment_id,) = {one.auto_rerun.fragment_id for one in tab.received if one.WhichOneof("type") == "auto_rerun"}
    tab.received.clear()
    tab.session.request_rerun(ClientState())
    ended(tab)
    tab.session.request_rerun(ClientState(fragment_id=fragment_id, is_auto_rerun=True))
    await tab.until(lambda: tab.finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY) == 1)


async def ask_for_an_address_as_the_page_begins(tab: Tab) -> None:
    """Drop a file in while a run is about to begin."""
    tab.session.request_rerun(ClientState())
    ended(tab)
    tab.session.handle_backmsg(BackMsg(file_urls_request=FileURLsRequest(request_id="asked", file_names=["match.mp4"])))
    await asyncio.sleep(0)  # now this loop hears that the run has begun
    await tab.until(lambda: tab.finished(ForwardMsg.FINISHED_SUCCESSFULLY) == 1)


async def look_whether_it_is_drawn(tab: Tab) -> None:
    """Ask before, during and after a run."""
    server: Any = Runtime.instance()
    server._session_mgr.get_active_session_info = {"": SimpleNamespace(session=tab.session)}.get
    is_being_drawn = page_is_being_drawn()
    assert not is_being_drawn()
    tab.session.request_rerun(ClientState())
    assert is_being_drawn(), "it is about to"
    ended(tab)
    assert is_being_drawn(), "what it has drawn is on its way"
    await tab.until(lambda: tab.finished(ForwardMsg.FINISHED_SUCCESSFULLY) == 1)
    await tab.until(lambda: not is_being_drawn())


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Tab], Awaitable[None]]], Tab]:
    """Returns a function that has a browser tab used, and returns what it got."""
    script = tmp_path / "app.py"
    script.write_text(SCRIPT, "utf-8")
    keep_finished_runs()
    keep_answers()
    monkeypatch.setattr(Runtime, "_instance", MagicMock())  # which a run asks to forget its media files

    async def used(actions: Callable[[Tab], Awaitable[None]]) -> Tab:
        tab = Tab(script)
        try:
            await actions(tab)
        finally:
            tab.session.shutdown()
        return tab

    def use_it(actions: Callable[[Tab], Awaitable[None]]) -> Tab:
        with ThreadPoolExecutor(1) as apart:  # the thread of a test that drove a browser has an event loop already
            return apart.submit(asyncio.run, used(actions)).result()

    return use_it


def test_a_fragments_timer_does_not_lose_the_page_that_was_drawn_before(
    use: Callable[[Callable[[Tab], Awaitable[None]]], Tab],
) -> None:
    """Regression: the page stood still, because the timers that it lost are begun by the run whose end was ignored."""
    tab = use(run_a_fragment_as_the_page_ends)
    assert tab.finished(ForwardMsg.FINISHED_SUCCESSFULLY) == 1
    assert [one.auto_rerun.interval for one in tab.received if one.WhichOneof("type") == "auto_rerun"] == [1]
    elements = [one.delta.new_element for one in tab.received if one.WhichOneof("type") == "delta"]
    texts = [one.text.body for one in elements if one.WhichOneof("type") == "text"]
    # the fragment's text replaces that of the page, unless the browser has taken it meanwhile
    assert texts in (["all of the page", "growing"], ["all of the page", "growing", "growing"])


def test_a_file_that_is_dropped_in_as_a_run_begins_gets_its_address(
    use: Callable[[Callable[[Tab], Awaitable[None]]], Tab],
) -> None:
    """Regression: the address was taken out of the queue with what an earlier run had drawn; nothing happened then."""
    tab = use(ask_for_an_address_as_the_page_begins)
    answers = [one.file_urls_response for one in tab.received if one.WhichOneof("type") == "file_urls_response"]
    assert [one.response_id for one in answers] == ["asked"]
    assert len(answers[0].file_urls) == 1


def test_a_page_is_being_drawn_from_when_a_run_is_asked_for_until_its_end(
    use: Callable[[Callable[[Tab], Awaitable[None]]], Tab],
) -> None:
    use(look_whether_it_is_drawn)
