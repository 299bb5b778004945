"""The addresses of the list of runs, below ``recognizer/library/``."""

from __future__ import annotations

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from recognizer.dashboard.library import api
from recognizer.dashboard.workbench.api import answer
from recognizer.dashboard.workbench.endpoint import answering


def library_routes(prefix: str) -> list[Route]:
    """Return the routes of the list, below this address."""
    return [
        Route(f"{prefix}/runs", answering(_answer(api.runs)), methods=["POST"]),
        Route(f"{prefix}/change", answering(_answer(api.change)), methods=["POST"]),
        Route(f"{prefix}/picture/{{run_id}}", answering(_answer(api.picture))),
    ]


def _answer(handler: api.Handler) -> api.Handler:
    def respond(http: HttpRequest, body: bytes) -> Response:
        return answer(lambda request: handler(request, body), http)

    return respond
