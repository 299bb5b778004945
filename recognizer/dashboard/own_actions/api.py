"""The answers of the addresses of a set of actions; ``routes.py`` says which address asks for which.

Whoever knows a set's id may see and change it, and likewise its analyses: neither id can be guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from recognizer.actions.model import ActionSet
from recognizer.dashboard import server
from recognizer.dashboard.own_actions import documents, requests, words
from recognizer.dashboard.workbench.api import Document, RefusedError, decoded, json_response
from recognizer.errors import ActionsError
from recognizer.service.own_actions import OwnActions

_MOST_ALIKE: Final = 12
"""More than these nobody looks through, and each has three pictures to cut out."""


@dataclass(frozen=True)
class Request:
    """A browser's request.

    Attributes:
        set_id: the set.
        parameters: those in the path and behind the question mark.
        body: of a POST.
    """

    set_id: str
    parameters: Mapping[str, str]
    body: bytes

    def document(self, type_: type[Document]) -> Document:
        """Return the body; see ``decoded``."""
        return decoded(self.body, type_)

    def actions(self) -> ActionSet:
        """Return the set.

        Raises:
            RefusedError: there is none.
        """
        found = _own().load(self.set_id)
        if found is None:
            raise RefusedError(404, "This set is not on this machine; load the page again.")
        return found


Handler = Callable[[Request], Response]


def _own() -> OwnActions:
    return server.context().own_actions


def whole(request: Request) -> Response:
    """Answer with the set."""
    return _set(request.actions())


def measured(request: Request) -> Response:
    """Answer with how good the set is, which takes longer than the set itself."""
    actions = request.actions()
    quality = _own().quality(request.set_id)
    return json_response(documents.measured_document(actions, server.palette(), quality))


def picture(request: Request) -> Response:
    """Answer with one picture of an example."""
    number = request.parameters["number"]
    known = number.isascii() and number.isdigit() and len(number) < 3
    content = _own().picture(request.set_id, request.parameters["example_id"], int(number)) if known else None
    if content is None:
        raise RefusedError(404, "There is no such picture.")
    # it is what a file brought, perhaps another person's: never a page
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, media_type="image/jpeg")


def change(request: Request) -> Response:
    """Change the set and answer with it."""
    asked: requests.Change = request.document(requests.Change)  # type: ignore[arg-type]  # a union is a type here
    request.actions()
    changed = asked.apply(_own(), request.set_id)
    if isinstance(asked, requests.Recolor):
        server.palette().recolor(asked.name, asked.slot)
    return _set(changed)


def name(request: Request) -> Response:
    """Make moments examples of an action, and answer with the set and with those that cannot be."""
    asked = request.document(requests.NameRequest)
    request.actions()
    problems: list[str] = []
    for one in asked.moments:
        try:
            _own().add_example(request.set_id, one.analysis_id, one.person_id, one.start_s, one.end_s, asked.action)
        except ActionsError as error:
            problems.append(str(error))
    if len(problems) == len(asked.moments):
        raise ActionsError(problems[0])
    return json_response(documents.NamedDocument(_document(request.actions()), len(asked.moments) - len(problems)))


def prepare(request: Request) -> Response:
    """Get ready to search these analyses, and answer at once."""
    asked = request.document(requests.SearchRequest)
    _own().prepare(asked.analyses)
    return json_response({})


def questions(request: Request) -> Response:
    """Answer with the moments that the set knows least of."""
    asked = request.document(requests.SearchRequest)
    actions = request.actions()
    found = _own().questions(request.set_id, asked.analyses)
    problem = None if found else words.no_questions(actions, bool(asked.analyses))
    return json_response(documents.FoundDocument(documents.moments(found), problem))


def alike(request: Request) -> Response:
    """Answer with the moments that look like an example."""
    asked = request.document(requests.AlikeRequest)
    found = _own().alike_example(request.set_id, asked.example, asked.analyses, _MOST_ALIKE)
    problem = None if found else "Your analysed videos have no other moment like this."
    return json_response(documents.FoundDocument(documents.moments(found), problem))


def groups(request: Request) -> Response:
    """Answer with groups of unknown moments that look alike."""
    asked = request.document(requests.SearchRequest)
    request.actions()
    found = _own().unknown_groups(request.set_id, asked.analyses)
    return json_response(documents.groups_document(found, bool(asked.analyses)))


def _set(actions: ActionSet) -> Response:
    return json_response(_document(actions))


def _document(actions: ActionSet) -> documents.SetDocument:
    own = _own()
    made = documents.set_document(
        actions, server.palette(), own.warnings(actions.set_id), own.undo_words(actions.set_id)
    )
    server.save_colours()
    return made
