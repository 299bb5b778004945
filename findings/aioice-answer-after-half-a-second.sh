#!/usr/bin/env bash
# aioice 0.13.0 (below aiortc): a peer whose answers take more than half a second loses its connection, while its data comes.
# To stay connected, a peer must confirm that it wants what is sent: RFC 7675, section 5.1, lets consent expire 30 s after
# the last valid answer. aioice asks about every five seconds, without repeating a question, and forgets a question after
# 0.5 s: an answer that takes longer counts as none, and after six questions the connection is closed, 27 to 39 s after it
# was made. Data that arrives all the time changes nothing, and neither do the peer's own questions. Browsers on a busy
# machine, or at the end of a slow line, answer that late: a camera's session then ends about half a minute after its start.
# Takes a minute and a half. Fails if that changes. Needs Python 3, a network interface and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check aioice==0.13.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import asyncio
import time
from importlib.metadata import version

import aioice

WATCHED_S = 45.0
print("aioice", version("aioice"))


def delay_answers(connection, by_s):
    """Let a connection answer questions later; its data and its own questions are not late."""
    answer = connection.request_received

    def later(*arguments, **named):
        asyncio.get_running_loop().call_later(by_s, lambda: answer(*arguments, **named))

    connection.request_received = later


async def connected(answers_after_s):
    """Connect two peers; return when the first one closed, and how long before that data had last arrived there."""
    first, second = aioice.Connection(ice_controlling=True), aioice.Connection(ice_controlling=False)
    for one, other in ((first, second), (second, first)):
        await one.gather_candidates()
        for candidate in one.local_candidates:
            await other.add_remote_candidate(candidate)
        await other.add_remote_candidate(None)
        other.remote_username, other.remote_password = one.local_username, one.local_password
    await asyncio.gather(first.connect(), second.connect())
    started_s = time.monotonic()
    delay_answers(second, answers_after_s)
    arrived_s = started_s

    async def send():
        while True:
            await second.send(b"a picture")
            await asyncio.sleep(0.05)

    async def receive():
        nonlocal arrived_s
        while True:
            await first.recv()
            arrived_s = time.monotonic()

    sending, receiving = asyncio.create_task(send()), asyncio.create_task(receive())
    done, _ = await asyncio.wait([receiving], timeout=WATCHED_S)
    closed_after_s = time.monotonic() - started_s if done else None
    silent_s = time.monotonic() - arrived_s
    if done:
        print("  ends with:", type(receiving.exception()).__name__, receiving.exception())
    for task in (sending, receiving):
        task.cancel()
    await asyncio.gather(first.close(), second.close())
    return closed_after_s, silent_s


for answers_after_s, stays in ((0.3, True), (0.7, False)):
    print(f"answers after {answers_after_s} s:")
    closed_after_s, silent_s = asyncio.run(connected(answers_after_s))
    after = f"open after {WATCHED_S:.0f} s" if closed_after_s is None else f"closed after {closed_after_s:.0f} s"
    print(f"  {after}; data last came {silent_s:.2f} s before")
    assert (closed_after_s is None) == stays
    assert silent_s < 1.0, "data came all the time"
PYTHON
