"""The address of the installed plotly.js. It names the version, so that browsers may keep the script, compiled."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from recognizer.dashboard.workbench.endpoint import answering

_NAME: Final = "plotly.min.js"


@cache
def _file() -> Path | None:
    spec = find_spec("plotly")  # importing Plotly is slow, and its Python is not needed
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "package_data" / _NAME
    return file if file.is_file() else None


def library_address() -> str | None:
    """Return the script's address, relative to the app's; None if Plotly came without it."""
    return None if _file() is None else f"recognizer/static/plotly/{version('plotly')}/{_NAME}"


def library_route(prefix: str) -> Route:
    """Return the script's route, below the address of what browsers keep."""
    return Route(f"{prefix}/plotly/{{version}}/{_NAME}", answering(_library))


def _library(request: Request, _body: bytes) -> Response:
    file = _file()
    if file is None:
        raise HTTPException(404)
    is_current = request.path_params["version"] == version("plotly")
    keeping = "max-age=31536000, immutable" if is_current else "no-cache"
    # Windows may have another idea of its type
    return FileResponse(file, media_type="text/javascript; charset=utf-8", headers={"Cache-Control": keeping})
