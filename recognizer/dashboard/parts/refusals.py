"""An explanation of refused uploads. Runs in the browser only: the server does not hear of what a proxy refuses."""

from __future__ import annotations

from typing import Final

import streamlit as st

from recognizer.dashboard import server
from recognizer.dashboard.parts import component_files
from recognizer.files import size_text

_REASONS: Final = {
    "400": "This page has lost its connection to the server: reload the page, then drop the file in again.",
    "401": "You are no longer signed in: reload the page and sign in, then drop the file in again.",
    "403": "The server does not know this page: allow cookies for this site and reload the page, then drop the file in "
    "again. If that does not help, the proxy before the server must pass the page's name on (docs/hosting.md).",
    "413": "The file is too large for this server, which takes {limit} at most, or for the proxy before it: cut it "
    "into shorter pieces, or ask whoever runs the server for more.",
    "502": "The server is being restarted: drop the file in again in a minute.",
    "503": "The server has no room at the moment: drop the file in again in a minute.",
    "504": "The connection is too slow for this file: cut it into shorter pieces, or use another connection.",
    "network": "The connection ended before the file had arrived: drop it in again. If it ends there each time, the "
    "file may be too large for the proxy before this server.",
}
"""By the HTTP status."""

_component = st.components.v2.component("recognizer_refusals", js=component_files.script("parts/refusals.js"))


def explain_refusals() -> None:
    """Have upload fields of this page say why a file was refused, instead of the status alone."""
    limit = size_text(server.max_upload_bytes())
    reasons = {status: reason.format(limit=limit) for status, reason in _REASONS.items()}
    _component(key="refusals", data={"reasons": reasons}, height=0)
