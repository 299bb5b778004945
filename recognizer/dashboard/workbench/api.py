"""The answers of the workbench's addresses; ``routes.py`` says which address asks for which.

Each handler takes an opened analysis or comparison and what the browser sent, and runs on a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from recognizer.dashboard import server
from recognizer.dashboard.parts.ranges import VideoResponse
from recognizer.dashboard.parts.visitor import ONLY_LOOKS, may_correct_of
from recognizer.dashboard.text import for_visitors
from recognizer.dashboard.workbench import documents
from recognizer.dashboard.workbench.boxes import box_bytes
from recognizer.errors import RecognizerError, capitalized
from recognizer.service.comparisons import StoredComparison
from recognizer.service.opened import Opened
from recognizer.service.playable import playable
from recognizer.service.portraits import portrait_at, portrait_jpeg, portrait_of
from recognizer.service.workbench import Kind
from recognizer.timeline.model import PersonTrack

Document = TypeVar("Document")
Asked = TypeVar("Asked")

_encode: Final = msgspec.json.Encoder().encode

_NO_PICTURE: Final = "There is no picture of this person."


class RefusedError(Exception):
    """A request that cannot be answered: an HTTP status, and one sentence for the user."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


@dataclass(frozen=True)
class Request:
    """A browser's request.

    Attributes:
        kind: an analysis or a comparison.
        item_id: its id.
        parameters: those in the path and behind the question mark.
        body: of a POST.
        http: the request itself, which says who asks; None if nobody does.
    """

    kind: Kind
    item_id: str
    parameters: Mapping[str, str]
    body: bytes
    http: HTTPConnection | None = None

    def opened(self) -> Opened:
        """Return what is asked about.

        Raises:
            RefusedError: there is no such analysis or comparison.
        """
        return _found(self, server.context().workbench.opened(self.item_id, self.kind))

    def may_correct(self) -> bool:
        """Return whether whoever asks may correct what is asked about, and not only look at it."""
        return self.http is None or may_correct_of(self.http, self.item_id)

    def document(self, type_: type[Document]) -> Document:
        """Return the body; see ``decoded``."""
        return decoded(self.body, type_)


Handler = Callable[[Request], Response]


def decoded(body: bytes, type_: type[Document]) -> Document:
    """Return the document in a request's body.

    Raises:
        RefusedError: it is not such a document, or an edit contradicts itself.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RefusedError(422, f"The request does not fit ({str(error)[:200]}); load the page again.") from error


def json_response(document: object, status: int = 200) -> Response:
    """Return a document as JSON that only this browser may keep."""
    headers = {"Cache-Control": "private, no-cache"}
    return Response(_encode(document), status, headers, "application/json")


def problem_response(status: int, problem: str) -> Response:
    """Return why a request was refused."""
    return json_response(documents.Problem(for_visitors(capitalized(problem))), status)


def timeline(request: Request) -> Response:
    """Answer with everything but the segments."""
    opened = request.opened()
    server.context().workbench.prepare(opened)
    return _timeline(request, opened)


def revision(request: Request) -> Response:
    """Answer with the number of the latest revision, for a tab that may have missed some."""
    return json_response(documents.RevisionDocument(request.opened().revision.number))


def segments(request: Request) -> Response:
    """Answer with the segments of a view."""
    view = request.document(documents.ViewRequest).view()
    opened = request.opened()
    server.context().workbench.pause_counting()
    shown = opened.show(view)
    document = documents.segments_document(opened.revision.number, shown, server.palette())
    server.save_colours()
    server.context().workbench.count_seconds(shown)
    return json_response(document)


def likely(request: Request) -> Response:
    """Answer with the likely labels of one segment of a view."""
    asked = request.document(documents.LikelyRequest)
    shown = request.opened().show(asked.view())
    if not 0 <= asked.row < len(shown.segments):
        raise RefusedError(404, "This segment is no longer there; load the page again.")
    return json_response(documents.LikelyDocument(shown.likely(asked.row)))


def boxes(request: Request) -> Response:
    """Answer with everyone's boxes in a stretch of time, as bytes; see ``box_bytes``."""
    from_s, to_s = _seconds(request, "fromS"), _seconds(request, "toS")
    return _bytes(box_bytes(request.opened().machine, from_s, to_s))


def frames(request: Request) -> Response:
    """Answer with the times of all frames: float64, little-endian."""
    return _bytes(request.opened().machine.frame_times_s.astype("<f8").tobytes())


def picture(request: Request) -> Response:
    """Answer with a small picture of a person."""
    opened = request.opened()
    portrait = portrait_of(_track(request, opened))
    return _jpeg(None if portrait is None else portrait_jpeg(server.context(), opened, portrait))


def moment(request: Request) -> Response:
    """Answer with a small picture of a person at a time."""
    opened = request.opened()
    portrait = portrait_at(_track(request, opened), _seconds(request, "atS"))
    return _jpeg(None if portrait is None else portrait_jpeg(server.context(), opened, portrait))


def edits(request: Request) -> Response:
    """Apply edits and answer with the timeline."""
    asked = request.document(documents.EditsRequest)
    refuse_correction(request)
    return _timeline(request, _found(request, server.context().workbench.edit(request.item_id, asked.edits)))


def undo(request: Request) -> Response:
    """Take the last edit back and answer with the timeline."""
    refuse_correction(request)
    return _timeline(request, _found(request, server.context().workbench.undo(request.item_id)))


def redo(request: Request) -> Response:
    """Make the last undone edit again and answer with the timeline."""
    refuse_correction(request)
    return _timeline(request, _found(request, server.context().workbench.redo(request.item_id)))


def video(request: Request) -> Response:
    """Answer with the file that browsers play, or a range of it, from the disk."""
    found = playable(server.context(), request.opened())
    if found.path is None:
        raise RefusedError(404, found.note or "There is no video to play.")
    return VideoResponse(found.path)


def _track(request: Request, opened: Opened) -> PersonTrack:
    number = request.parameters["person_id"]
    for track in opened.corrected.timeline.people:
        if str(track.person_id) == number:
            return track
    raise RefusedError(404, _NO_PICTURE)


def _seconds(request: Request, name: str) -> float:
    """Return a time from the address."""
    try:
        return float(request.parameters[name])
    except (KeyError, ValueError):
        raise RefusedError(422, f"The request needs {name} in seconds; load the page again.") from None


def _jpeg(content: bytes | None) -> Response:
    if content is None:
        raise RefusedError(404, _NO_PICTURE)
    return Response(content, headers={"Cache-Control": "private, max-age=86400"}, media_type="image/jpeg")


def _found(request: Request, opened: Opened | None) -> Opened:
    if opened is None:
        raise RefusedError(404, f"This {request.kind} is not on this machine; load the page again.")
    return opened


def refuse_comparison(request: Request) -> None:
    """Raise if what is asked about is a comparison.

    Raises:
        RefusedError: it is.
    """
    if request.kind == "comparison":
        raise RefusedError(422, "A comparison cannot be corrected; correct one of its analyses.")


def refuse_correction(request: Request) -> None:
    """Raise if what is asked about cannot be corrected, or not by whoever asks.

    Raises:
        RefusedError: it is a comparison, or somebody else's.
    """
    refuse_comparison(request)
    if not request.may_correct():
        raise RefusedError(403, ONLY_LOOKS)


def _bytes(content: bytes) -> Response:
    return Response(content, headers={"Cache-Control": "private, no-cache"}, media_type="application/octet-stream")


def timeline_of(request: Request, opened: Opened) -> documents.TimelineDocument:
    """Return everything but the segments of an opened item."""
    context = server.context()
    stored, workbench = opened.stored, context.workbench
    is_saved = isinstance(stored, StoredComparison) or workbench.corrections_problem(stored.analysis_id) is None
    return documents.timeline_document(
        opened, playable(context, opened), is_saved=is_saved, may_correct=request.may_correct()
    )


def _timeline(request: Request, opened: Opened) -> Response:
    return json_response(timeline_of(request, opened))


def answer(handler: Callable[[Asked], Response], request: Asked) -> Response:
    """Return the answer of a handler, or the sentence of the error that it raised."""
    try:
        return handler(request)
    except RefusedError as error:
        return problem_response(error.status, str(error))
    except RecognizerError as error:
        return problem_response(422, str(error))
