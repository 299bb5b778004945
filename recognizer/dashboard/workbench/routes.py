"""The workbench's own addresses on Streamlit's server (docs/decisions/066).

They lie below ``recognizer/analysis/<id>/`` and ``recognizer/comparison/<id>/``. The id cannot be guessed, and whoever
has it may see and correct the result, as with the page's address.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from recognizer.dashboard.parts.download_route import download_route
from recognizer.dashboard.streamlit_private import send_at_once
from recognizer.dashboard.workbench import api
from recognizer.dashboard.workbench.assets import FOLDER, static_path
from recognizer.service.jobs import end_all
from recognizer.service.workbench import Kind

_log = logging.getLogger(__name__)

_MOST_BODY_BYTES: Final = 4_000_000
"""A request of ten thousand edits has one megabyte."""

_GETS: Final[dict[str, api.Handler]] = {
    "timeline": api.timeline,
    "boxes": api.boxes,
    "frames": api.frames,
    "picture/{person_id}": api.picture,
    "video": api.video,
}

_POSTS: Final[dict[str, api.Handler]] = {
    "segments": api.segments,
    "likely": api.likely,
    "edits": api.edits,
    "undo": api.undo,
    "redo": api.redo,
}


def routes() -> list[BaseRoute]:
    """Return all routes, below the configured base of the app's addresses."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    prefix = f"/{base}/recognizer" if base else "/recognizer"
    found: list[BaseRoute] = [
        Mount(f"{prefix}/static/{{digest}}/js", _Modules(directory=FOLDER / "js")),
        download_route(f"{prefix}/download"),
    ]
    kinds: tuple[Kind, ...] = ("analysis", "comparison")
    for kind in kinds:
        address = f"{prefix}/{kind}/{{item_id}}"
        found += [Route(f"{address}/{name}", _endpoint(kind, handler)) for name, handler in _GETS.items()]
        found += [
            Route(f"{address}/{name}", _endpoint(kind, handler), methods=["POST"]) for name, handler in _POSTS.items()
        ]
    return found


@asynccontextmanager
async def ending(_app: object) -> AsyncIterator[None]:
    """Let running jobs save their results when the server ends.

    Uvicorn ends the process by the signal that it received, before Python's own handlers at exit.
    """
    yield
    await run_in_threadpool(end_all)


class _Modules(StaticFiles):
    """The JavaScript modules; browsers keep them, because another content has another address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        response = await super().get_response(path, scope)
        is_current = static_path().endswith(scope["path_params"]["digest"])
        response.headers["Cache-Control"] = "max-age=31536000, immutable" if is_current else "no-cache"
        response.headers["Content-Type"] = "text/javascript; charset=utf-8"  # Windows may have another idea
        return response


def _endpoint(kind: Kind, handler: api.Handler) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def endpoint(http: HttpRequest) -> Response:
        send_at_once(http)
        if http.method == "POST" and (problem := _foreign(http)) is not None:
            return api.problem_response(403, problem)
        try:
            body = await _body(http)
        except _TooLargeError:
            return api.problem_response(413, "This is too much for one request; make fewer changes at a time.")
        parameters = {**http.query_params, **http.path_params}
        request = api.Request(kind, http.path_params["item_id"], parameters, body)
        try:
            return await run_in_threadpool(api.answer, handler, request)
        except Exception:  # noqa: BLE001 - a bug must not show a path of this server; it is logged
            _log.exception("a request to the workbench failed")
            return api.problem_response(500, "Internal error; the server's log has the details.")

    return endpoint


class _TooLargeError(Exception):
    """A request is larger than any that the workbench sends."""


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
