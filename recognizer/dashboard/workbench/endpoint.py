"""The steps of every address of our own before and after it answers a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from recognizer.dashboard.streamlit_private import send_at_once
from recognizer.dashboard.workbench.api import problem_response
from recognizer.service.unforeseen import reported

_MOST_BODY_BYTES: Final = 4_000_000
"""A request of ten thousand edits has one megabyte."""

Answer = Callable[[HttpRequest, Mapping[str, str], bytes], Response]
"""Answers a request by its parameters, those in the path and behind the question mark, and its body."""


def endpoint(answer: Answer) -> Callable[[HttpRequest], Awaitable[Response]]:
    """Return what Starlette calls to answer by a request's parameters; see ``answering``."""
    return answering(lambda http, body: answer(http, {**http.query_params, **http.path_params}, body))


def answering(answer: Callable[[HttpRequest, bytes], Response]) -> Callable[[HttpRequest], Awaitable[Response]]:
    """Return what Starlette calls: it refuses changes by other sites, and answers on a thread of its own."""

    async def respond(http: HttpRequest) -> Response:
        send_at_once(http)
        if http.method == "POST" and (problem := _foreign(http)) is not None:
            return problem_response(403, problem)
        try:
            body = await _body(http)
        except _TooLargeError:
            return problem_response(413, "This is too much for one request; make fewer changes at a time.")
        try:
            return await run_in_threadpool(answer, http, body)
        except Exception as error:  # noqa: BLE001 - a bug must not show a path of this server; it is logged
            return problem_response(500, reported(error))

    return respond


class _TooLargeError(Exception):
    """A request is larger than any that the pages send."""


async def _body(http: HttpRequest) -> bytes:
    body = bytearray()
    async for piece in http.stream():
        body += piece
        if len(body) > _MOST_BODY_BYTES:
            raise _TooLargeError
    return bytes(body)


def _foreign(http: HttpRequest) -> str | None:
    """Return why a change is refused: another site's page must not make it. None if this app's page sends it.

    Browsers say where a request comes from: in ``Sec-Fetch-Site`` on encrypted pages and this machine, in ``Origin``
    everywhere. What is no browser sends neither, and nobody can make it send a request.
    """
    if http.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return "A change must be sent as JSON; use the app's own page."
    site, origin = http.headers.get("sec-fetch-site"), http.headers.get("origin")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = origin is None or urlsplit(origin).netloc == http.headers.get("host")
    return None if is_own else "Another site's page cannot change this; use the app's own page."
