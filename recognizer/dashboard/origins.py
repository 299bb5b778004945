"""The pages that may act through a visitor's browser: this server's own, and no other site's or port's."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS: Final = {"http": 80, "https": 443}

_FOREIGN: Final = "Another site's page cannot do this; use the app's own page."
_ASKED_FIRST: Final = "/_stcore/host-config"
_RENAMED: Final = (
    "The proxy before this server does not pass on the name by which your browser asks for it, so the page cannot "
    "connect: whoever runs it sets the header Host (docs/hosting.md)."
)

_POLICY_VIOLATION: Final = 1008
"""Closes a WebSocket (RFC 6455, 7.4.1)."""

_METRICS: Final = "/_stcore/metrics"


class OwnPages:
    """Refuse connections and changes that another origin's page asks for.

    Streamlit takes every port of localhost for its own, and asks a service on the internet for this machine's address
    when it knows no other answer. Here, an origin is this server's if it has the name and the port that the browser
    asked for, or if the operator lists it in ``server.corsAllowedOrigins``. With ``server.enableCORS=false``, the
    operator allows all. What is no browser sends no origin, and no page can make it send a request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._allows_all = not st.get_option("server.enableCORS")
        self._listed = {_place(one) for one in st.get_option("server.corsAllowedOrigins")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._is_renamed(scope):
            await JSONResponse(_RENAMED, 421, {"Cache-Control": "no-store"})(scope, receive, send)
        elif self._is_answered(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await JSONResponse({"problem": _FOREIGN}, 403, {"Cache-Control": "no-store"})(scope, receive, send)

    def _is_answered(self, scope: Scope) -> bool:
        if self._allows_all or scope["type"] not in ("http", "websocket"):
            return True
        if scope["type"] == "http" and scope["method"] in _READS:
            return True  # browsers keep the answer from another origin's page
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        return origin is None or self._is_own(headers, origin)

    def _is_renamed(self, scope: Scope) -> bool:
        """Return whether a proxy names this server otherwise than the browser does.

        The page's WebSocket will be refused, and Streamlit would show an empty page. What it asks for before, it shows
        if it is refused, and the browser says for which page it asks.
        """
        if self._allows_all or scope["type"] != "http" or not scope["path"].endswith(_ASKED_FIRST):
            return False
        headers = Headers(scope=scope)
        page = headers.get("referer")
        return page is not None and not self._is_own(headers, page)

    def _is_own(self, headers: Headers, address: str) -> bool:
        place = _place(address)
        if place is None:
            return False
        # a proxy may have taken the encryption off, so the scheme is the browser's
        return place in self._listed or place == _place(f"{place[0]}://{headers.get('host', '')}")


def _place(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin; None for one without, such as that of a file."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname.lower(), port) if parts.hostname else None


class NoMetrics:
    """Do not serve Streamlit's figures about sessions, memory and uploads; they are no visitor's business."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_metrics = scope["type"] == "http" and scope["path"].rstrip("/").endswith(_METRICS)
        app: ASGIApp = PlainTextResponse("Not found.", 404) if is_metrics else self._app
        await app(scope, receive, send)
