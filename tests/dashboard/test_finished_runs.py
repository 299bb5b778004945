"""A run of the page that has ended reaches the browser, whatever comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from recognizer.dashboard.streamlit_private import keep_finished_runs
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


async def run_a_fragment_as_the_page_ends(tab: Tab) -> None:
    """Run the page twice; ask for a fragment after the second run's end, before its messages are taken."""
    tab.session.request_rerun(ClientState())
    await tab.until(lambda: tab.finished(ForwardMsg.FINISHED_SUCCESSFULLY) == 1)
    (fragment_id,) = {one.auto_rerun.fragment_id for one in tab.received if one.WhichOneof("type") == "auto_rerun"}
    tab.received.clear()
    tab.session.request_rerun(ClientState())
    assert tab.session._scriptrunner is not None
    thread = tab.session._scriptrunner._script_thread
    assert thread is not None
    thread.join(WAIT_S)  # what it sends waits for this loop, which is busy here
    tab.session.request_rerun(ClientState(fragment_id=fragment_id, is_auto_rerun=True))
    await tab.until(lambda: tab.finished(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY) == 1)


def test_a_fragments_timer_does_not_lose_the_page_that_was_drawn_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the page stood still, because the timers that it lost are begun by the run whose end was ignored."""
    script = tmp_path / "app.py"
    script.write_text(SCRIPT, "utf-8")
    keep_finished_runs()
    monkeypatch.setattr(Runtime, "_instance", MagicMock())  # which a run asks to forget its media files

    async def use() -> Tab:
        tab = Tab(script)
        try:
            await run_a_fragment_as_the_page_ends(tab)
        finally:
            tab.session.shutdown()
        return tab

    with ThreadPoolExecutor(1) as apart:  # the thread of a test that drove a browser has an event loop already
        tab = apart.submit(asyncio.run, use()).result()
    assert tab.finished(ForwardMsg.FINISHED_SUCCESSFULLY) == 1
    assert [one.auto_rerun.interval for one in tab.received if one.WhichOneof("type") == "auto_rerun"] == [1]
    elements = [one.delta.new_element for one in tab.received if one.WhichOneof("type") == "delta"]
    texts = [one.text.body for one in elements if one.WhichOneof("type") == "text"]
    # the fragment's text replaces that of the page, unless the browser has taken it meanwhile
    assert texts in (["all of the page", "growing"], ["all of the page", "growing", "growing"])
