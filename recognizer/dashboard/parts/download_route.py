"""The address that answers download buttons: it makes the file then."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from recognizer.dashboard import server
from recognizer.dashboard.text import for_visitors
from recognizer.errors import OutputError, RecognizerError, capitalized
from recognizer.service.offers import Offer
from recognizer.service.unforeseen import reported

GONE: Final = "This page's downloads have ended with its connection; reload the page, then download."

_COMES_S: Final = 0.1
"""A field that is left by the press of a button tells the page so over another connection, at about the same time."""

_LONGEST_S: Final = 5.0
"""A page that takes longer to be drawn, because it waits for something, does not hold up what it offered before."""

_POLL_S: Final = 0.02

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def download_route(prefix: str) -> Route:
    """Return the route of every download, below this address."""
    return Route(f"{prefix}/{{token}}/{{name}}", _download, methods=["GET"])


async def _download(request: Request) -> Response:
    offer = server.offers().get(request.path_params["token"])
    if offer is None:
        return problem_answer(404, GONE)
    try:
        await _draw_first(offer)
        made = await run_in_threadpool(offer.make)
        return _answer(offer, made)
    except RecognizerError as problem:
        return problem_answer(422, str(problem))
    except Exception as error:  # noqa: BLE001 - it is logged, and the button says so
        return problem_answer(500, reported(error))


async def _draw_first(offer: Offer) -> None:
    """Wait until the page has been drawn with what came before the press, or with it; it then offers that."""
    await asyncio.sleep(_COMES_S)
    end_s = time.monotonic() + _LONGEST_S
    while offer.is_being_drawn() and time.monotonic() < end_s:
        await asyncio.sleep(_POLL_S)


def problem_answer(status: int, text: str) -> Response:
    """Return why a file cannot be had, as the scripts in the page read it."""
    return JSONResponse({"problem": for_visitors(capitalized(text))}, status, _HEADERS)


def _answer(offer: Offer, made: str | bytes | Path) -> Response:
    if isinstance(made, Path):
        if not made.is_file():
            raise OutputError(f"'{offer.file_name}' is no longer stored here; make it again.")
        return FileResponse(made, media_type=offer.mime, headers=_HEADERS, filename=offer.file_name)
    # as FileResponse names a file (RFC 6266)
    name = f"attachment; filename*=utf-8''{quote(offer.file_name, safe='')}"
    return Response(made, media_type=offer.mime, headers={**_HEADERS, "Content-Disposition": name})
