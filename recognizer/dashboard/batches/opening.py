"""The address that opens what a batch found in a video: the page of results, at a moment if one is given.

Whoever may see the batch may open it. Nothing has to be loaded for links that nobody follows.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from recognizer.batch.places import Batch
from recognizer.batch.remote import is_remote
from recognizer.batch.results import FEATURES, TIMELINE
from recognizer.batch.sources import local_path
from recognizer.batch.watching import Finished, Watcher
from recognizer.dashboard import server
from recognizer.dashboard.batches.known import ONLY_OPERATORS, batch_named, may_see_of
from recognizer.dashboard.text import for_visitors
from recognizer.dashboard.workbench.endpoint import endpoint
from recognizer.errors import RecognizerError, StoreError, capitalized
from recognizer.service.batch_runs import BatchResult, run_of

_ADDRESS: Final = "recognizer/batches"
_GONE: Final = "This video is not in a batch of this server any more; load the page of batches again."

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Not opened</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<body style="font: 1.1rem/1.5 sans-serif; margin: 15vh auto; max-width: 40rem; padding: 0 1rem">
<p>{problem}</p></body></html>"""


def link_to(batch: Batch, result: str, person_id: int | None = None, time_s: float | None = None) -> str:
    """Return the address that opens a result of a batch, from the app's own address; at a moment, if one is given."""
    at = "" if time_s is None else f"?{urlencode({'person': person_id or 0, 'at': f'{time_s:g}'})}"
    return f"/{_below_base(_ADDRESS)}/{batch.batch_id}/{result}{at}"


def batch_routes(prefix: str) -> list[Route]:
    """Return the routes of batches, below this address."""
    return [Route(f"{prefix}/{{batch_id}}/{{result}}", endpoint(_open))]


def _open(http: HttpRequest, parameters: Mapping[str, str], _body: bytes) -> Response:
    """Answer with the address of a result's page."""
    if not may_see_of(http):
        return _problem(403, ONLY_OPERATORS)
    try:
        batch = batch_named(parameters["batch_id"])
        finished = None if batch is None else Watcher(batch).finished(parameters["result"])
        if batch is None or finished is None:
            return _problem(404, _GONE)
        run = run_of(server.context(), _result(batch, finished))
    except RecognizerError as error:
        return _problem(422, str(error))
    address = f"/{_below_base('')}?run={quote(run.run_id, safe='')}{_moment(parameters)}"
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


def _moment(parameters: Mapping[str, str]) -> str:
    """Return the part of the address that the workbench goes to (``workbench/js/opening.js``)."""
    try:
        person_id, time_s = int(parameters["person"]), float(parameters["at"])
    except (KeyError, ValueError):
        return ""
    return f"#person={person_id}&at={time_s:g}" if math.isfinite(time_s) else ""


def _result(batch: Batch, finished: Finished) -> BatchResult:
    recipe, folder = finished.recipe, batch.folder.result(finished.result)
    if not folder.is_dir():
        raise StoreError(f"the result of '{finished.id}' is gone; run the batch's command again.")
    video, state = _video(finished)
    return BatchResult(
        name=finished.result,
        timeline=folder / TIMELINE,
        features=folder / FEATURES,
        title=finished.id,
        group=finished.group,
        video_name=PurePosixPath(finished.place.partition("?")[0]).name if video is None else video.name,
        video=video,
        state=state,
        sha256=finished.sha256,
        stream=recipe.stream,
        frame_rate_hz=recipe.frame_rate_hz,
        thresholds=(recipe.least_confidence, recipe.min_duration_s),
    )


def _video(finished: Finished) -> tuple[Path | None, tuple[int, int] | None]:
    """Return the file with its size and time of change; None for one that an address leads to."""
    if is_remote(finished.place) or finished.size_bytes is None or not finished.changed.isdigit():
        return None, None
    return local_path(finished.place) or Path(finished.place), (finished.size_bytes, int(finished.changed))


def _below_base(address: str) -> str:
    base = server.base_path()
    return f"{base}/{address}" if base else address


def _problem(status: int, text: str) -> Response:
    sentence = for_visitors(capitalized(text))
    return HTMLResponse(_PAGE.format(problem=html.escape(sentence)), status, {"Cache-Control": "no-store"})
