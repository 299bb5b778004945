"""The workbench's answers about a user's own actions; ``routes.py`` says which address asks for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from recognizer.dashboard import server
from recognizer.dashboard.workbench import own_actions_documents as documents
from recognizer.dashboard.workbench.api import (
    Request,
    json_response,
    refuse_comparison,
    refuse_correction,
    timeline_of,
)
from recognizer.service.clip_index import FoundMoment
from recognizer.service.opened import Opened
from recognizer.service.own_actions import OwnActions
from recognizer.service.set_editing import FIRST_TITLE
from recognizer.service.store import StoredAnalysis

MOST_IDS: Final = 100
"""Sets or analyses that a request may name: as many as a browser remembers."""

_ONCE_MORE: Final = "“My actions” above the picture offers to analyse the video once more."


def actions(request: Request) -> Response:
    """Answer with the names that can be taught, or why nothing can be."""
    refuse_comparison(request)
    own = server.context().own_actions
    features, remark = _features(own, request.opened())
    set_id = _taught_set(own, request.item_id, request.parameters.get("sets", "").split(","))
    known = None if set_id is None else own.load(set_id)
    return json_response(
        documents.ActionsDocument(
            set=set_id,
            title=FIRST_TITLE if known is None else known.title,
            names=() if known is None else known.names,
            features=features,
            remark=remark,
        )
    )


def teach(request: Request) -> Response:
    """Add an example, in a first set if there is none, and answer with the analysis as that set names it."""
    asked = request.document(documents.ExampleRequest)
    refuse_correction(request)
    request.opened()
    own = server.context().own_actions
    moment = request.item_id, asked.person_id, asked.start_s, asked.end_s, asked.action
    set_id = _taught_set(own, request.item_id, asked.sets)
    if set_id is None:
        set_id, example = own.add_first_example(*moment)
    else:
        example = own.add_example(set_id, *moment)
    chosen = own.chosen(request.item_id)
    opened = request.opened() if chosen.set_id == set_id else own.choose(request.item_id, set_id, chosen.mode)
    names = opened.own
    return json_response(
        documents.TaughtDocument(
            timeline=timeline_of(request, opened),
            set=set_id,
            title=FIRST_TITLE if names is None else names.actions.title,
            example=example.example_id,
            action=example.action,
            remark=None if names is None else names.problem,
        )
    )


def forget(request: Request) -> Response:
    """Remove an example, or bring it back, and answer with the analysis as it is named then."""
    asked = request.document(documents.ForgetRequest)
    refuse_comparison(request)
    request.opened()
    own = server.context().own_actions
    if asked.forgotten:
        own.remove_example(asked.set, asked.example)
    else:
        own.restore_example(asked.set, asked.example)
    return json_response(documents.ForgottenDocument(timeline_of(request, request.opened())))


def alike(request: Request) -> Response:
    """Answer with the moments of several analyses that look like one."""
    asked = request.document(documents.AlikeRequest)
    refuse_comparison(request)
    request.opened()
    analysis_ids = list(dict.fromkeys([request.item_id, *asked.analyses]))[:MOST_IDS]
    found = server.context().own_actions.alike(
        request.item_id, asked.person_id, asked.start_s, asked.end_s, analysis_ids
    )
    return json_response(documents.AlikeDocument([_moment(one) for one in found if one.likeness > 0]))


def _features(own: OwnActions, opened: Opened) -> tuple[documents.Features, str | None]:
    """Return whether an analysis can be taught from, and one sentence that says why not."""
    if isinstance(opened.stored, StoredAnalysis) and own.naming.space(opened.stored) is not None:
        return "kept", None
    if not opened.machine.settings.keep_features:
        return "off", f"Nothing can be taught here, because Keep features was off. {_ONCE_MORE}"
    return "gone", f"Nothing can be taught here, because no features are kept. {_ONCE_MORE}"


def _taught_set(own: OwnActions, analysis_id: str, set_ids: Sequence[str]) -> str | None:
    """Return the set that an example goes to: the chosen one, or else the latest that fits; None if there is none."""
    chosen = own.chosen(analysis_id).set_id
    if chosen is not None and own.load(chosen) is not None:
        return chosen
    latest = [one.set_id for one in own.summaries(set_ids[-MOST_IDS:])][::-1]
    return next((set_id for set_id in latest if own.fit(set_id, analysis_id).fits), None)


def _moment(found: FoundMoment) -> documents.MomentDocument:
    middle_s = (found.start_s + found.end_s) / 2
    picture = f"../{found.analysis_id}/moment/{found.person_id}?atS={middle_s:.3f}"
    return documents.MomentDocument(
        found.analysis_id,
        found.video_name,
        found.person_id,
        found.start_s,
        found.end_s,
        found.likeness,
        picture,
    )
