"""The address that answers download buttons: it makes the file then."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from recognizer.dashboard import server
from recognizer.errors import RecognizerError
from recognizer.service.offers import Offer

GONE: Final = "This page's downloads have ended with its connection; reload the page, then download."

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def download_route(prefix: str) -> Route:
    """Return the route of every download, below this address."""
    return Route(f"{prefix}/{{token}}/{{name}}", _download, methods=["GET"])


async def _download(request: Request) -> Response:
    offer = server.offers().get(request.path_params["token"])
    if offer is None:
        return JSONResponse({"problem": GONE}, 404, _HEADERS)
    try:
        made = await run_in_threadpool(offer.make)
    except RecognizerError as problem:
        return JSONResponse({"problem": str(problem)}, 422, _HEADERS)
    return _answer(offer, made)


def _answer(offer: Offer, made: str | bytes | Path) -> Response:
    if isinstance(made, Path):
        return FileResponse(made, media_type=offer.mime, headers=_HEADERS, filename=offer.file_name)
    # as FileResponse names a file (RFC 6266)
    name = f"attachment; filename*=utf-8''{quote(offer.file_name, safe='')}"
    return Response(made, media_type=offer.mime, headers={**_HEADERS, "Content-Disposition": name})
