#!/usr/bin/env bash
# Streamlit 1.67.0: a file that is dropped into st.file_uploader as a run of the page begins is never uploaded.
# The browser first asks the server where to send a file. The answer waits in the session's queue with what runs draw.
# A run that begins empties that queue (runtime/app_session.py, `_clear_queue`) except for messages of a script's life,
# toasts and, in a fragment's run, others' elements (runtime/forward_msg_queue.py, `clear`); the answer is in none of
# these. The browser waits for it without a time limit: no request, no error, no file, until the page is opened again.
# It takes a run that is asked for just before, as by a component that sends its value when the page has loaded; the
# longer the server needs to begin the run, as under load, the longer is the moment in which a file is lost.
# This asks a real server for both in one go, as a browser does, and counts the answers.
# Fails if that changes. Needs Python 3.11 or newer and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check streamlit==1.67.0 websockets==15.0.1
cd "$folder"
cat >app.py <<'PYTHON'
import streamlit as st

st.file_uploader("A file")
PYTHON
cat >ask.py <<'PYTHON'
import asyncio
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import streamlit
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

TIMES = 20


def rerun():
    message = BackMsg()
    message.rerun_script.SetInParent()
    return message.SerializeToString()


def asked(number):
    return BackMsg(file_urls_request={"request_id": str(number), "file_names": ["a.mp4"]}).SerializeToString()


async def answers(port, meanwhile):
    """Return how many of TIMES questions are answered."""
    found = set()
    async with websockets.connect(f"ws://localhost:{port}/_stcore/stream", max_size=None) as browser:

        async def take(seconds):
            try:
                async with asyncio.timeout(seconds):
                    while True:
                        message = ForwardMsg.FromString(await browser.recv())
                        if message.WhichOneof("type") == "file_urls_response":
                            found.add(message.file_urls_response.response_id)
            except TimeoutError:
                pass

        await browser.send(rerun())
        await take(2)
        for number in range(TIMES):
            if meanwhile:
                await browser.send(rerun())
            await browser.send(asked(number))
            await take(0.5)
        await take(3)
    return len(found)


with socket.socket() as free:
    free.bind(("localhost", 0))
    port = free.getsockname()[1]
server = subprocess.Popen(
    [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.address=localhost",
     f"--server.port={port}", "--browser.gatherUsageStats=false"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
try:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).read()
            break
        except (urllib.error.URLError, TimeoutError):
            asyncio.run(asyncio.sleep(0.2))
    alone = asyncio.run(answers(port, meanwhile=False))
    meanwhile = asyncio.run(answers(port, meanwhile=True))
finally:
    server.terminate()
    server.wait(20)
print("Streamlit", streamlit.__version__)
print(f"answers to {TIMES} questions alone:             {alone}")
print(f"answers to {TIMES} questions as a run begins:   {meanwhile}")
assert alone == TIMES
assert meanwhile < TIMES, "every question is answered: this has changed"
PYTHON
venv/bin/python ask.py
