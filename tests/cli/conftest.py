"""Fixtures of tests of the command line: the cache is empty."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Regression: what an interrupted command had saved in the user's cache, another test of the same video went on
    with, in this process or another; and whether a command said that it takes long depended on earlier costs there."""
    if not request.node.get_closest_marker("real"):  # real networks are found and converted once
        monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path_factory.mktemp("cache")))
