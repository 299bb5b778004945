"""The visitor of a page: somebody who has signed in, else a browser, known by a cookie that only this server reads.

The cookie holds a random number. What is stored with a visitor's runs is its hash, so that whoever reads the database
cannot take a visitor's place.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Final

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recognizer.dashboard import server, state
from recognizer.dashboard.parts import sign_in
from recognizer.errors import CorrectionsError, StoreError
from recognizer.limits import limits

COOKIE_NAME: Final = "recognizer_visitor"

ONLY_LOOKS: Final = "Only who analysed this video may correct it, or an operator; you can look, compare and download."
"""Says why ``may_correct`` is False."""

_COOKIE_FORM: Final = re.compile(r"[0-9a-f]{32}")
_COOKIE_LASTS_S: Final = 400 * 24 * 3600
"""The longest that Chromium keeps a cookie; every visit begins it anew."""


def visitor_id() -> str:
    """Return who uses this browser tab; a browser that refuses cookies is another visitor in each tab."""
    user = sign_in.user()
    if user is not None:
        return user.visitor_id
    return _id_from(_number()) or f"tab:{state.tab().visitor}"


def visitor_of(request: HTTPConnection) -> str:
    """Return who sends a request; empty if the browser sent no cookie."""
    user = sign_in.user_of(request.cookies)
    if user is not None:
        return user.visitor_id
    return _id_from(request.cookies.get(COOKIE_NAME))


def is_operator() -> bool:
    """Return whether this visitor sees and may end everybody's runs."""
    return _is_operator(sign_in.user())


def is_operator_of(request: HTTPConnection) -> bool:
    """Return whether who sends a request sees and may end everybody's runs."""
    return _is_operator(sign_in.user_of(request.cookies))


def may_change(owner_id: str) -> bool:
    """Return whether this visitor may cancel, rename or delete what ``owner_id`` started."""
    return is_operator() or owner_id == visitor_id()


def may_correct(result_id: str) -> bool:
    """Return whether this visitor may change an analysis or a comparison that a link leads to, and not only look.

    Without sign-in, everybody who has the link may: a browser is no person, and people work together by link.
    """
    return _may_correct(result_id, sign_in.user)


def may_correct_of(request: HTTPConnection, result_id: str) -> bool:
    """Return whether whoever sends a request may change an analysis or a comparison; see ``may_correct``."""
    return _may_correct(result_id, lambda: sign_in.user_of(request.cookies))


def refuse_looking(result_id: str) -> None:
    """Raise if this visitor may only look at an analysis or a comparison.

    Raises:
        CorrectionsError: somebody else made it, and people sign in.
    """
    if not may_correct(result_id):
        raise CorrectionsError(ONLY_LOOKS)


def _may_correct(result_id: str, who: Callable[[], sign_in.User | None]) -> bool:
    if not sign_in.is_on():
        return True
    user = who()
    if _is_operator(user):
        return True
    try:
        run = server.context().runs.load(result_id)
    except StoreError:  # whose it is cannot be asked: then it is nobody's who has signed in
        return False
    if run is None or not run.visitor_id:
        return True
    return user is not None and user.visitor_id == run.visitor_id


def _is_operator(user: sign_in.User | None) -> bool:
    if not sign_in.is_on():
        return limits().alone
    known = {email.casefold() for email in limits().operators}
    return user is not None and user.email is not None and user.email.casefold() in known


class VisitorCookie:
    """ASGI middleware that gives each browser a cookie with the page itself, before its WebSocket opens."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") or message["status"] == 304:
                    headers.append("set-cookie", _cookie(request))
            await send(message)

        wants_page = "text/html" in request.headers.get("accept", "")
        await self._app(scope, receive, send_with_cookie if wants_page else send)


def _cookie(request: HTTPConnection) -> str:
    """Return the header that gives the browser its number: the one that it has, or a new one."""
    number = request.cookies.get(COOKIE_NAME, "")
    if not _COOKIE_FORM.fullmatch(number):
        number = secrets.token_hex(16)
    parts = [
        f"{COOKIE_NAME}={number}",
        f"Path=/{server.base_path()}",
        f"Max-Age={_COOKIE_LASTS_S}",
        "HttpOnly",
        "SameSite=Lax",
    ]
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    if request.url.scheme == "https" or forwarded == "https":
        parts.append("Secure")
    return "; ".join(parts)


def _number() -> str | None:
    """Return the number in this tab's cookie; None without one."""
    return st.context.cookies.get(COOKIE_NAME)


def _id_from(number: str | None) -> str:
    if number is None or not _COOKIE_FORM.fullmatch(number):
        return ""
    return f"browser:{hashlib.sha256(number.encode()).hexdigest()[:32]}"
