"""When a camera is gone: told by a clock that the test moves on."""

from __future__ import annotations

import pytest

from recognizer.live import watchdog as watchdog_module
from recognizer.live.watchdog import CHECK_EVERY_S, UNWATCHED_AFTER_S, Signs

GONE_AFTER_S, BROKEN_AFTER_S = 10.0, 4.0
STANDSTILL_S = 600.0
"""A busy machine pauses for seconds, a laptop sleeps for hours."""


class Session:
    """A camera's and a page's signs of life, and the clock of the server that checks them."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.is_watched = True
        self._picture_s = self.now_s
        self.signs = Signs(lambda: self.now_s - self._picture_s, lambda: self.is_watched, lambda: self.now_s)

    def send(self) -> None:
        self._picture_s = self.now_s

    def check_in(self, pause_s: float) -> bool:
        """Let the next check come after this long; return whether the session lives."""
        self.now_s += pause_s
        return self.signs.check()

    def checks_until_gone(self) -> int:
        checks = 1
        while self.check_in(CHECK_EVERY_S):
            assert checks < STANDSTILL_S, "it is never gone"
            checks += 1
        return checks


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(watchdog_module, "GONE_AFTER_S", GONE_AFTER_S)
    monkeypatch.setattr(watchdog_module, "BROKEN_AFTER_S", BROKEN_AFTER_S)
    return Session()


def test_a_camera_that_sends_nothing_is_gone_after_ten_seconds(session: Session) -> None:
    assert session.check_in(CHECK_EVERY_S)
    session.send()
    assert session.checks_until_gone() * CHECK_EVERY_S == GONE_AFTER_S + CHECK_EVERY_S


def test_a_closed_page_is_gone_after_five_seconds(session: Session) -> None:
    assert session.check_in(CHECK_EVERY_S)
    session.is_watched = False
    checks = 1
    session.send()
    while session.check_in(CHECK_EVERY_S):
        session.send()
        checks += 1
    assert checks * CHECK_EVERY_S == UNWATCHED_AFTER_S + CHECK_EVERY_S


def test_a_server_that_stood_still_takes_what_waits_before_it_ends_a_session(session: Session) -> None:
    """Regression: after a standstill, the check could come before the first picture, and ended the session."""
    for _ in range(5):
        assert session.check_in(STANDSTILL_S), "the picture comes next"
        session.send()
        assert session.check_in(CHECK_EVERY_S)
        assert session.signs.no_picture.lasted_s == CHECK_EVERY_S


def test_a_page_that_seemed_closed_while_the_server_stood_still_may_come_back(session: Session) -> None:
    session.is_watched = False
    session.send()
    assert session.check_in(CHECK_EVERY_S)
    session.now_s += STANDSTILL_S
    session.send()
    assert session.signs.check()
    session.is_watched = True
    assert session.check_in(CHECK_EVERY_S)
    assert session.signs.no_page.lasted_s == 0


def test_a_camera_that_was_gone_when_the_server_stood_still_is_still_gone(session: Session) -> None:
    assert session.check_in(STANDSTILL_S)
    assert session.checks_until_gone() * CHECK_EVERY_S <= GONE_AFTER_S


@pytest.mark.parametrize("late_s", [1.2, 3.0])
def test_a_server_that_is_always_late_ends_a_session_in_the_end(session: Session, late_s: float) -> None:
    checks = 1
    while session.check_in(late_s):
        assert checks < STANDSTILL_S
        checks += 1
    assert GONE_AFTER_S < checks * late_s <= 3 * GONE_AFTER_S


def test_page_tells_no_silence_that_the_server_itself_made(session: Session) -> None:
    assert session.check_in(STANDSTILL_S)
    assert session.signs.no_picture.lasted_s < 2 * CHECK_EVERY_S


@pytest.mark.parametrize("waited_s", [0.0, 1.0])
def test_an_end_after_a_standstill_is_no_stop_unless_the_browser_sends_on(session: Session, waited_s: float) -> None:
    """Regression: the browser gave up a server that stood still for 12 s, and the page took that for a Stop."""
    session.send()
    assert session.check_in(CHECK_EVERY_S)
    session.send()
    assert not session.signs.is_given_up
    session.now_s += 12.0
    assert session.signs.is_given_up, "before the first check"
    assert session.check_in(waited_s)
    session.send()  # it waited on its way
    assert session.check_in(CHECK_EVERY_S)
    assert session.signs.is_given_up
    for _ in range(3):
        session.send()
        assert session.check_in(CHECK_EVERY_S)
    assert not session.signs.is_given_up


@pytest.mark.parametrize("late_s", [1.2, 3.0])
def test_a_stop_on_a_busy_server_is_a_stop(session: Session, late_s: float) -> None:
    for _ in range(5):
        session.send()
        assert session.check_in(late_s)
        assert not session.signs.is_given_up
