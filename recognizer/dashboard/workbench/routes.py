"""The app's own addresses on Streamlit's server (docs/decisions/066).

Those of the workbench lie below ``recognizer/analysis/<id>/`` and ``recognizer/comparison/<id>/``; see also
``own_actions/routes.py`` and ``library/routes.py``. No id can be guessed, and whoever has it may see the result, as
with the page's address; ``parts/visitor.py`` says who may correct it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from recognizer.dashboard import server, state
from recognizer.dashboard.batches.opening import batch_routes
from recognizer.dashboard.library.routes import library_routes
from recognizer.dashboard.own_actions.routes import set_routes
from recognizer.dashboard.parts.chart_route import library_route
from recognizer.dashboard.parts.download_route import download_route
from recognizer.dashboard.parts.player_route import player_route
from recognizer.dashboard.streamlit_private import lighten_closed_pages
from recognizer.dashboard.workbench import api, own_actions_api
from recognizer.dashboard.workbench.api import problem_response
from recognizer.dashboard.workbench.assets import module_folders, static_path
from recognizer.dashboard.workbench.endpoint import Answer, endpoint
from recognizer.memory import collect_and_give_back_memory
from recognizer.service.jobs import end_all
from recognizer.service.unforeseen import reported
from recognizer.service.workbench import Kind
from recognizer.video.workers import warm_up

_LIGHTEN_AFTER_S: Final = 120.0
_LIGHTEN_EVERY_S: Final = 60.0

_GETS: Final[dict[str, api.Handler]] = {
    "timeline": api.timeline,
    "revision": api.revision,
    "boxes": api.boxes,
    "frames": api.frames,
    "picture/{person_id}": api.picture,
    "moment/{person_id}": api.moment,
    "actions": own_actions_api.actions,
    "video": api.video,
}

_POSTS: Final[dict[str, api.Handler]] = {
    "segments": api.segments,
    "likely": api.likely,
    "edits": api.edits,
    "undo": api.undo,
    "redo": api.redo,
    "examples": own_actions_api.teach,
    "forget": own_actions_api.forget,
    "alike": own_actions_api.alike,
}


def routes() -> list[BaseRoute]:
    """Return all routes, below the configured base of the app's addresses."""
    base = server.base_path()
    prefix = f"/{base}/recognizer" if base else "/recognizer"
    found: list[BaseRoute] = [
        *(
            Mount(f"{prefix}/static/{{digest}}/{folder.parent.name}/js", _Modules(directory=folder))
            for folder in module_folders()
        ),
        library_route(f"{prefix}/static"),
        download_route(f"{prefix}/download"),
        player_route(f"{prefix}/play"),
        *set_routes(f"{prefix}/actions"),
        *library_routes(f"{prefix}/library"),
        *batch_routes(f"{prefix}/batches"),
    ]
    kinds: tuple[Kind, ...] = ("analysis", "comparison")
    for kind in kinds:
        address = f"{prefix}/{kind}/{{item_id}}"
        found += [Route(f"{address}/{name}", endpoint(_answer(kind, handler))) for name, handler in _GETS.items()]
        found += [
            Route(f"{address}/{name}", endpoint(_answer(kind, handler)), methods=["POST"])
            for name, handler in _POSTS.items()
        ]
    return found


@asynccontextmanager
async def ending(_app: object) -> AsyncIterator[None]:
    """Have a decoder ready, go on with what another server left behind, and leave this one's work in order at its end.

    Meanwhile, let go of what closed pages hold.

    Uvicorn ends the process by the signal that it received, before Python's own handlers at exit.
    """
    warm_up(keep_spare=True)
    recovery = await run_in_threadpool(server.recovery)
    lightening = asyncio.create_task(_lighten_closed_pages())
    yield
    lightening.cancel()
    await run_in_threadpool(end_all)
    if recovery is not None:
        await run_in_threadpool(recovery.end)


async def _lighten_closed_pages() -> None:
    while True:
        await asyncio.sleep(_LIGHTEN_EVERY_S)
        if lighten_closed_pages(state.lighten, _LIGHTEN_AFTER_S):
            await run_in_threadpool(collect_and_give_back_memory)


class _Modules(StaticFiles):
    """The JavaScript modules; browsers keep them, because another content has another address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - an odd path or a damaged installation; it is logged
            return problem_response(500, reported(error))
        is_current = static_path().endswith(scope["path_params"]["digest"])
        response.headers["Cache-Control"] = "max-age=31536000, immutable" if is_current else "no-cache"
        response.headers["Content-Type"] = "text/javascript; charset=utf-8"  # Windows may have another idea
        return response


def _answer(kind: Kind, handler: api.Handler) -> Answer:
    def answer(http: HttpRequest, parameters: Mapping[str, str], body: bytes) -> Response:
        return api.answer(handler, api.Request(kind, parameters["item_id"], parameters, body, http))

    return answer
