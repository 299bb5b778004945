"""No page becomes Streamlit's red box: whatever fails is one sentence on the page, and the rest of the page stays.

Everything that Streamlit calls goes through here: the pages, each fragment, each dialog and each callback. A
``RecognizerError`` is shown as it is; anything else has a number, under which the log has the traceback
(``service/unforeseen.py``). Streamlit's own exceptions, which rerun or stop a script, are no ``Exception`` and pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload

import streamlit as st

from recognizer.dashboard import state
from recognizer.dashboard.text import sentence
from recognizer.service.unforeseen import sentence_of

Given = ParamSpec("Given")
Value = TypeVar("Value")

_said: ContextVar[set[str] | None] = ContextVar("said", default=None)
"""What this run of a page or fragment has said: parts often fail for one reason. None outside of a run."""


@contextmanager
def page() -> Iterator[None]:
    """Run a page in this block: what goes wrong in it or in a callback before it is said at its top."""
    place = st.container()  # always there: what comes and goes at the top must not move what is below it
    with _run(place), _said_in(place):
        yield


def part(draw: Callable[Given, None]) -> Callable[Given, None]:
    """Make a function that draws a part of a page fail alone: the other parts are drawn."""

    @wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> None:
        with _said_in(st):
            draw(*args, **kwargs)

    return drawn


def fragment(*, run_every: float | None = None) -> Callable[[Callable[Given, None]], Callable[Given, None]]:
    """Return a decorator like ``st.fragment``, with a guard.

    Args:
        run_every: interval in seconds at which the fragment is drawn again; None if it is not.
    """

    def decorate(draw: Callable[Given, None]) -> Callable[Given, None]:
        @wraps(draw)
        def drawn(*args: Given.args, **kwargs: Given.kwargs) -> None:
            place = st.container()
            with _run(place), _said_in(place):
                draw(*args, **kwargs)

        made: Callable[Given, None] = st.fragment(drawn, run_every=run_every)
        return made

    return decorate


@overload
def callback(act: None) -> None: ...


@overload
def callback(act: Callable[..., object]) -> Callable[..., None]: ...


def callback(act: Callable[..., object] | None) -> Callable[..., None] | None:
    """Return a widget's callback with a guard: what goes wrong is said when the page is drawn; None stays None."""
    if act is None:
        return None

    def called(*args: Any, **kwargs: Any) -> None:
        attempt(act, *args, **kwargs)

    return called


def attempt(act: Callable[Given, Value], *args: Given.args, **kwargs: Given.kwargs) -> Value | None:
    """Do something before the page runs again; return None if it fails, which the page then says."""
    try:
        return act(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - it is logged, and said on the page
        state.tab().notices.append(state.Notice(sentence_of(error), time.monotonic()))
        return None


@contextmanager
def _run(place: Any) -> Iterator[None]:
    """Say what went wrong before this run of a page or fragment, unless it is part of another run."""
    if _said.get() is not None:
        yield
        return
    entered = _said.set(set())
    try:
        _draw_notices(place)
        yield
    finally:
        _said.reset(entered)


@contextmanager
def _said_in(place: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - it is logged, and said on the page
        _draw(place, sentence_of(error))


def _draw_notices(place: Any) -> None:
    tab = state.tab()
    for notice in tab.notices:
        _draw(place, notice.text)
    tab.notices = [one for one in tab.notices if not one.is_old()]


def _draw(place: Any, text: str) -> None:
    said = _said.get()
    if said is not None:
        if text in said:
            return
        said.add(text)
    place.error(sentence(state.tab().with_upload_names(text)), icon=":material/error:")
