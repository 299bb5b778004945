"""A value that is made when it is first needed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recognizer.networks.once import Once


def test_nothing_is_made_until_it_is_needed() -> None:
    once = Once(object)
    assert not once.is_made
    assert once() is once()
    assert once.is_made


def test_two_threads_that_ask_at_once_get_the_same() -> None:
    second_asks = threading.Event()
    made: list[object] = []

    def make() -> object:
        second_asks.wait(5)
        made.append(object())
        return made[-1]

    once = Once(make)

    def ask_second() -> object:
        second_asks.set()
        return once()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(once)
        second = threads.submit(ask_second)
        assert first.result() is second.result() is made[0]
    assert len(made) == 1


def test_an_error_reaches_who_asked_and_the_next_tries_again() -> None:
    answers = iter([ValueError("gone"), None])

    def make() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "here"

    once = Once(make)
    with pytest.raises(ValueError, match="gone"):
        once()
    assert once() == "here"
