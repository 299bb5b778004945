"""The track of pictures that the server sends ends with its connection, and leaves the page's state alone."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from streamlit_webrtc.webrtc import _reset_factory_cache_on_webrtc_session_end as connection_ends

from recognizer.dashboard.streamlit_private import webrtc_source_track


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def test_a_connection_that_ends_deletes_nothing_while_a_page_may_run(state: dict[str, Any]) -> None:
    """Regression: another thread deleted from the state, and a page that looked through it ended with a KeyError."""
    ended: list[str] = []
    track = webrtc_source_track(lambda *_: None, "track", 30, lambda: ended.append("first"))
    keys = set(state)
    assert keys
    assert webrtc_source_track(lambda *_: None, "track", 30, lambda: ended.append("first")) is track, "of this tab"
    connection_ends(track)
    assert set(state) == keys
    assert track.readyState == "ended"
    assert ended == ["first"]


def test_the_next_connection_has_a_track_of_its_own(state: dict[str, Any]) -> None:
    track = webrtc_source_track(lambda *_: None, "track", 30, lambda: None)
    connection_ends(track)
    following = webrtc_source_track(lambda *_: None, "track", 30, lambda: None)
    assert following is not track
    assert following.readyState == "live"
