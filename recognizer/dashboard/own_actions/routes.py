"""The addresses of a set of actions, below ``recognizer/actions/<id>/``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from recognizer.dashboard.own_actions import api
from recognizer.dashboard.workbench.api import answer
from recognizer.dashboard.workbench.endpoint import Answer, endpoint

_GETS: Final[dict[str, api.Handler]] = {
    "set": api.whole,
    "measured": api.measured,
    "picture/{example_id}/{number}": api.picture,
}

_POSTS: Final[dict[str, api.Handler]] = {
    "change": api.change,
    "name": api.name,
    "prepare": api.prepare,
    "questions": api.questions,
    "alike": api.alike,
    "groups": api.groups,
}


def set_routes(prefix: str) -> list[Route]:
    """Return the routes of sets, below this address."""
    address = f"{prefix}/{{set_id}}"
    gets = [Route(f"{address}/{name}", endpoint(_answer(handler))) for name, handler in _GETS.items()]
    posts = [
        Route(f"{address}/{name}", endpoint(_answer(handler)), methods=["POST"]) for name, handler in _POSTS.items()
    ]
    return [*gets, *posts]


def _answer(handler: api.Handler) -> Answer:
    def respond(_http: HttpRequest, parameters: Mapping[str, str], body: bytes) -> Response:
        return answer(handler, api.Request(parameters["set_id"], parameters, body))

    return respond
