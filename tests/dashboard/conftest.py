"""The pages with stand-ins for the networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from recognizer import weights
from recognizer.dashboard import server as server_module
from recognizer.networks import loading as models_module
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


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Networks]:
    fake = Networks()
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "resolve", fake.resolve)
    monkeypatch.setattr(weights, "is_here", lambda name: name not in fake.missing)
    monkeypatch.setattr(models_module, "load_detector", fake.load_detector)
    monkeypatch.setattr(models_module, "load_clip_classifier", fake.load_clip_classifier)
    shared = (server_module.context, server_module.palette, server_module.readiness)
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
    return make_video("clip.mp4", frames=60, fps=30)
