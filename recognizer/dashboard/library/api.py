"""The answers of the list of runs; ``routes.py`` says which address asks for which.

Whoever knows a run's id may look at it; only who started it, and an operator, may change it.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from PIL import Image
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from recognizer.dashboard import server
from recognizer.dashboard.library import documents
from recognizer.dashboard.parts import visitor
from recognizer.dashboard.workbench.api import RefusedError, decoded, json_response
from recognizer.errors import VideoError
from recognizer.files import write_bytes
from recognizer.service.runs import Run, RunQuery
from recognizer.service.video_files import PICTURE_ENDING
from recognizer.video import VideoSource, poster

Handler = Callable[[HttpRequest, bytes], Response]

_PICTURE_PX: Final = 192
"""Twice the width at which it is drawn, for dense screens."""

_turn = threading.Lock()
"""Pictures are decoded one after the other: a list asks for many at once."""


def runs(http: HttpRequest, body: bytes) -> Response:
    """Answer with the runs of this visitor, those that the browser remembers included; an operator's are all."""
    asked = decoded(body, documents.ListRequest)
    visitor_id, sees_all = visitor.visitor_of(http), visitor.is_operator_of(http)
    if asked.only:
        query = RunQuery(visitor_ids=[], run_ids=asked.only, removed=asked.removed)
    else:
        own = None if sees_all else [visitor_id] if visitor_id else []
        query = RunQuery(visitor_ids=own, run_ids=() if sees_all else asked.ids, removed=asked.removed)
    listing = server.library().listing(query)
    return json_response(documents.list_document(listing, visitor_id, sees_all=sees_all))


def change(http: HttpRequest, body: bytes) -> Response:
    """Change a run, and answer with nothing."""
    asked: documents.ChangeRequest = decoded(body, documents.ChangeRequest)  # type: ignore[arg-type]  # as elsewhere
    library = server.library()
    run = _own(http, asked.id)
    match asked:
        case documents.RenameRequest():
            library.runs.rename(run.run_id, asked.title.strip())
        case documents.TagRequest():
            library.runs.tag(run.run_id, [tag.strip() for tag in asked.tags if tag.strip()])
        case documents.CancelRequest():
            library.cancel(run.run_id)
        case documents.RemoveRequest():
            library.remove(run)
        case documents.RestoreRequest():
            library.restore(run)
    return json_response({})


def picture(http: HttpRequest, _body: bytes) -> Response:
    """Answer with the first picture of a run's video, small; with nothing if the video has none."""
    run = server.library().runs.load(http.path_params["run_id"])
    content = None if run is None or not run.video_file else _picture(run)
    if content is None:
        raise RefusedError(404, "There is no picture of this video.")
    if not content:
        return Response(status_code=204)  # an error would stand in the browser's console
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, media_type="image/jpeg")


def _own(http: HttpRequest, run_id: str) -> Run:
    """Return a run that this visitor may change.

    Raises:
        RefusedError: there is none, or somebody else started it.
    """
    run = server.library().runs.load(run_id)
    if run is None:
        raise RefusedError(404, "This run is not on this machine any more; load the page again.")
    if not visitor.is_operator_of(http) and (not run.visitor_id or run.visitor_id != visitor.visitor_of(http)):
        raise RefusedError(403, "Only who started this run can change it; you can open it and run it again.")
    return run


def _picture(run: Run) -> bytes | None:
    store = server.context().store
    path = store.file_path(run.video_file)
    kept = store.derived_path(path, PICTURE_ENDING)
    if not kept.is_file() and not store.is_here(path):
        return None
    with _turn:
        if kept.is_file():
            return kept.read_bytes()
        encoded = _drawn(store.source(path))
        with suppress(OSError):  # on a full disk, it is made again next time
            write_bytes(kept, encoded)
        return encoded


def _drawn(source: VideoSource) -> bytes:
    """Return a small picture of a video as JPEG; nothing if the video cannot be decoded."""
    try:
        found = Image.fromarray(poster(source).rgb)
    except VideoError:
        return b""
    found.thumbnail((_PICTURE_PX, _PICTURE_PX))
    encoded = io.BytesIO()
    found.save(encoded, "JPEG", quality=80)
    return encoded.getvalue()
