"""Who gets an answer: by the name they ask for this server, and by whether they have signed in."""

from __future__ import annotations

import html
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from recognizer.dashboard import server
from recognizer.dashboard.parts import sign_in
from recognizer.dashboard.streamlit_private import host_is_allowed

_CLOSED: Final = frozenset({"_stcore", "media", "recognizer", "app"})
"""The first words of the addresses that answer with a visitor's own files; the others have the page itself."""

_OPEN: Final = ("_stcore/health", "_stcore/host-config", "_stcore/stream", "recognizer/static/")
"""Open among these. Over ``_stcore/stream``, a visitor who has not signed in gets the page that asks for it."""

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not this name</title>
<body style="font: 1.1rem/1.5 sans-serif; margin: 15vh auto; max-width: 40rem; padding: 0 1rem">
<p>{problem}</p></body></html>"""

_SIGN_IN_FIRST: Final = "Sign in first: load the page again."


class Hosts:
    """Refuse requests for a name that is not this server's, and say so; Streamlit would show an empty page.

    Whether the server is well may be asked by any name: monitors use the machine's own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        if scope["type"] != "http" or scope["path"].endswith("/_stcore/health") or host_is_allowed(host):
            await self._app(scope, receive, send)
            return
        problem = (
            f"This server does not answer to the name '{host}': whoever runs it can add the name to "
            "server.allowedHosts (docs/hosting.md)."
        )
        # 421: the server is not the one for this name (RFC 9110, 15.5.20)
        await HTMLResponse(_PAGE.format(problem=html.escape(problem)), 421)(scope, receive, send)


class SignedInOnly:
    """Where sign-in is on, refuse whoever has not signed in.

    The page's own script checks as well (``sign_in.require``): this is for what browsers fetch next to it, such as
    videos, timelines and pictures.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_on = sign_in.is_on()
        self._base = f"/{server.base_path()}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        app: ASGIApp = self._app if self._lets_in(scope) else _refusal()
        await app(scope, receive, send)

    def _lets_in(self, scope: Scope) -> bool:
        if not self._is_on or scope["type"] != "http" or not self._is_closed(scope["path"]):
            return True
        return sign_in.user_of(HTTPConnection(scope).cookies) is not None

    def _is_closed(self, path: str) -> bool:
        below = path.removeprefix(self._base).lstrip("/")
        return below.partition("/")[0] in _CLOSED and not below.startswith(_OPEN)


def _refusal() -> Response:
    return JSONResponse({"problem": _SIGN_IN_FIRST}, 401, {"Cache-Control": "no-store"})
