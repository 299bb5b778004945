"""The pages with stand-ins for the networks."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from recognizer import weights
from recognizer.dashboard import server as server_module
from recognizer.dashboard.parts import visitor
from recognizer.networks import loading as models_module
from recognizer.service import unforeseen
from tests.support.networks import Networks
from tests.support.pages import (
    choose_preset,
    open_page,
)


@pytest.fixture(scope="session", autouse=True)
def _scanned_once() -> Iterator[None]:
    """Search the installed distributions for components once; every AppTest would spend half of its time on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def _pages_run_through_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every page through ``app.py``, as a server does from its second page on."""
    begin = PagesManager.__init__

    def begin_later(self: PagesManager, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False  # AppTest sets it back before each run

    monkeypatch.setattr(PagesManager, "__init__", begin_later)


@pytest.fixture(autouse=True)
def _no_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest has no browser; once a page has imported streamlit-webrtc, it makes up cookies that are no text.

    The live page's tests need this: their own ``browser`` takes the place of the one below.
    """
    monkeypatch.setattr(visitor, "_number", lambda: None)


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """What the log got about exceptions that nobody foresaw; a test that asks for it expects some."""
    monkeypatch.setattr(unforeseen, "_logged_at_s", OrderedDict())
    return _FAULTS


_FAULTS: list[logging.LogRecord] = []


class _Collecting(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _FAULTS.append(record)


@pytest.fixture(autouse=True)
def _nothing_unforeseen(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which something failed that nobody foresaw: the guard keeps it from ``AppTest.exception``."""
    handler = _Collecting()
    logger = logging.getLogger(unforeseen.__name__)
    _FAULTS.clear()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    if "faults" not in request.fixturenames:
        assert not _FAULTS, [one.exc_info for one in _FAULTS]


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """All pages are opened in one browser; call the fixture to go on in another."""

    def become(number: str) -> None:
        monkeypatch.setattr(visitor, "_number", lambda: number)

    become("0" * 32)
    return become


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Networks]:
    fake = Networks()
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "resolve", fake.resolve)
    monkeypatch.setattr(weights, "is_here", lambda name: name not in fake.missing)
    monkeypatch.setattr(models_module, "load_detector", fake.load_detector)
    monkeypatch.setattr(models_module, "load_clip_classifier", fake.load_clip_classifier)
    shared = (server_module.context, server_module.library, server_module.palette, server_module.readiness)
    for cached in shared:
        cached.clear()
    yield fake
    if fake.hold is not None:
        fake.hold.set()
    for cached in shared:
        cached.clear()


@pytest.fixture
def page(networks: Networks) -> AppTest:
    """A page with the documented settings, because their clips are short, like the tests' videos."""
    at = open_page()
    choose_preset(at, "documented")
    return at


@pytest.fixture
def clip(make_video: Callable[..., Path]) -> Path:
    """Two seconds in which nothing changes color: whoever does gets another number."""
    return make_video("clip.mp4", frames=[np.full((48, 64, 3), 90, np.uint8)] * 60, fps=30)
