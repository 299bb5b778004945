"""The address from which a page's player plays a stored video, range by range."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recognizer.dashboard import server
from recognizer.dashboard.parts.download_route import problem_answer
from recognizer.dashboard.parts.ranges import VideoResponse
from recognizer.service.unforeseen import reported

ENDED: Final = "This page's player has ended with its connection; reload the page."
GONE: Final = "The video is no longer stored here; drop it in again to play it."


def player_route(prefix: str) -> Route:
    """Return the route of everything that is played before its analysis, below this address."""
    return Route(f"{prefix}/{{token}}/{{name}}", _play, methods=["GET"])


def _play(request: Request) -> Response:
    played = server.played().get(request.path_params["token"])
    if played is None:
        return problem_answer(404, ENDED)
    try:
        return VideoResponse(played.path)
    except FileNotFoundError:
        return problem_answer(404, GONE)
    except Exception as error:  # noqa: BLE001 - it is logged, and the player says so
        return problem_answer(500, reported(error))
