#!/usr/bin/env bash
# Streamlit 1.67.0: a fragment's timer that fires as a run of the page ends makes the server drop what that run drew.
# A full run's elements reach the browser as events of its script runner, through the server's event loop. If the loop is
# behind, as under load, a runner can have ended while its last events wait there. When the request of a timer
# (st.fragment(run_every=...)) is handled first, the ended runner refuses it, the session makes a new runner, and all
# events of the old one are ignored from then on, "script finished" included.
# The browser ends its timers when a full run begins and begins them again when that run sends them (frontend of 1.67),
# so the page stands still until somebody clicks. Nothing is logged.
# The comment in runtime/app_session.py (`request_rerun`; github.com/streamlit/streamlit/issues/9921) describes this for
# fragments that the run removed, and guards only those; a fragment that the run drew again is not guarded.
# Fails if that changes. Needs Python 3.11 or newer and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check streamlit==1.67.0
cd "$folder"
cat >app.py <<'PYTHON'
import streamlit as st


@st.fragment(run_every=1)
def clock():
    st.text("clock")


st.text("page")
clock()
PYTHON
venv/bin/python - 2>/dev/null <<'PYTHON'
import asyncio
from unittest.mock import MagicMock

import streamlit
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

Runtime._instance = MagicMock()  # the server, of which a run only asks to forget its media files


async def use():
    session = AppSession(ScriptData("app.py"), MemoryUploadedFileManager(""), ScriptCache(), lambda: None, {})

    async def messages(last):
        """Return what the browser gets, up to the end of a run that ends like this."""
        found = []
        async with asyncio.timeout(30):
            while not any(one.WhichOneof("type") == "script_finished" and one.script_finished == last for one in found):
                await asyncio.sleep(0.01)
                found += session.flush_browser_queue()
        return found

    session.request_rerun(ClientState())
    first = await messages(ForwardMsg.FINISHED_SUCCESSFULLY)
    (timer,) = [one.auto_rerun.fragment_id for one in first if one.WhichOneof("type") == "auto_rerun"]

    session.request_rerun(ClientState())  # somebody clicks
    session._scriptrunner._script_thread.join()  # the run ends while the event loop is busy
    session.request_rerun(ClientState(fragment_id=timer, is_auto_rerun=True))  # the timer fires
    second = await messages(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
    session.shutdown()
    return first, second


def summary(found):
    kinds = [one.WhichOneof("type") for one in found]
    texts = [one.delta.new_element.text.body for one in found if one.delta.new_element.WhichOneof("type") == "text"]
    ended = [one.script_finished for one in found if one.WhichOneof("type") == "script_finished"]
    return texts, kinds.count("auto_rerun"), ForwardMsg.FINISHED_SUCCESSFULLY in ended


first, second = asyncio.run(use())
print("Streamlit", streamlit.__version__)
print("a run alone: texts, timers, whether its end is told:", *summary(first))
print("a run whose end a timer meets:                      ", *summary(second))
assert summary(first) == (["page", "clock"], 1, True)
assert summary(second) == (["clock"], 0, False), "the run's elements are there: this has changed"
print("The browser gets the fragment alone: not the page, not its timers, not its end.")
PYTHON
