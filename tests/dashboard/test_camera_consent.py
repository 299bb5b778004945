"""How long a camera's connection waits for its browser's consent, on a clock that never waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from aioice import Candidate, Connection, stun
from aioice.ice import CandidatePair, StunProtocol

from recognizer.dashboard.streamlit_private import wait_for_consent

PASSWORD = "a-password-of-the-browser"
SESSION_S = 600.0
SENDS_EVERY_S = 5.0
"""Browsers report on what they receive about as often, whether or not they have a camera."""


class NoWait(selectors.SelectSelector):
    """Moves the loop's clock on instead of waiting."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += timeout or 0.0
        return super().select(0)


def run(what: Coroutine[Any, Any, float | None]) -> float | None:
    selector = NoWait()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now_s  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(what)
    finally:
        loop.close()


class Browser(asyncio.DatagramTransport):
    """Answers each question after a time; None if it never does."""

    def __init__(self, protocol: StunProtocol, answers_after_s: float | None) -> None:
        super().__init__()
        self._protocol = protocol
        self._answers_after_s = answers_after_s

    def sendto(self, data: Any, addr: Any = None) -> None:
        asked = stun.parse_message(bytes(data))
        answer = stun.Message(asked.message_method, stun.Class.RESPONSE, asked.transaction_id)
        answer.add_message_integrity(PASSWORD.encode())
        if self._answers_after_s is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._answers_after_s, self._protocol.datagram_received, bytes(answer), addr)


async def closed_after_s(answers_after_s: float | None, sends_until_s: float = 0.0) -> float | None:
    """Return when a connection was closed; None if it was open for all of the session."""
    connection = Connection(ice_controlling=False)
    connection.remote_username, connection.remote_password = "browser", PASSWORD
    protocol = StunProtocol(connection)
    protocol.local_candidate = Candidate("1", 1, "udp", 1, "127.0.0.1", 40001, "host")
    protocol.connection_made(Browser(protocol, answers_after_s))
    remote = Candidate("1", 1, "udp", 1, "127.0.0.1", 40002, "host")
    remote._network_host = remote.host
    connection._nominated[1] = CandidatePair(protocol, remote)
    asking = asyncio.create_task(connection.query_consent())
    loop = asyncio.get_running_loop()
    for k in range(round(sends_until_s / SENDS_EVERY_S)):
        loop.call_at(k * SENDS_EVERY_S, protocol.datagram_received, b"\x80picture", (remote.host, remote.port))
    done, _ = await asyncio.wait([asking], timeout=SESSION_S)
    asking.cancel()
    return loop.time() if done else None


@pytest.mark.parametrize("answers_after_s", [0.01, 0.6, 3.0, 7.0])
def test_a_browser_on_a_busy_machine_that_answers_late_keeps_its_camera(answers_after_s: float) -> None:
    """Regression: half a minute after Start the connection was closed, while pictures came."""
    wait_for_consent()
    assert run(closed_after_s(answers_after_s)) is None


def test_a_browser_that_answers_no_more_loses_its_camera() -> None:
    wait_for_consent()
    after_s = run(closed_after_s(None))
    assert after_s is not None
    assert 25 < after_s < 45


def test_a_browser_whose_pictures_come_keeps_its_camera_without_an_answer() -> None:
    """Regression: answers that queued behind the pictures of a busy machine came too late, or never."""
    wait_for_consent()
    assert run(closed_after_s(None, sends_until_s=SESSION_S)) is None


def test_a_browser_that_sends_no_more_and_answers_no_more_loses_its_camera() -> None:
    wait_for_consent()
    after_s = run(closed_after_s(None, sends_until_s=300.0))
    assert after_s is not None
    assert 320 < after_s < 355
