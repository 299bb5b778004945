"""A person's corrections of an analysis: as a file, taken back, and as the truth of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.history import local_time
from recognizer.dashboard.parts.named_run import named_run
from recognizer.dashboard.parts.visitor import ONLY_LOOKS, may_correct
from recognizer.dashboard.streamlit_private import forget_uploads
from recognizer.dashboard.text import sentence
from recognizer.errors import RecognizerError
from recognizer.service.opened import Opened
from recognizer.service.store import StoredAnalysis
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.corrections_file import MAX_CORRECTIONS_BYTES, corrections_from_json, corrections_json

_TRUTH_HELP: Final = "Scores classifiers against the corrected timeline, on the page that compares them."

_OTHER_PEOPLE: Final = (
    "the corrections are about people whom this analysis may have given other numbers; analyse the video with the "
    "settings for detection and tracking of the first analysis."
)


@guard.part
def draw_corrections(place: DeltaGenerator, run: StoredAnalysis, opened: Opened) -> None:
    """Draw a popover with all that can be done with the corrections as a whole."""
    corrections = opened.revision.corrections
    count = len(corrections.edits)
    if not may_correct(run.analysis_id):
        if count:
            with place.popover(f"Corrections ({count})", icon=":material/edit_note:"):
                st.caption(ONLY_LOOKS)
                _offer_file(st.container(), run, corrections)
        return
    with place.popover(f"Corrections ({count})" if count else "Corrections", icon=":material/edit_note:"):
        st.caption(
            "You correct in the view below. Every correction is saved at once, and the machine's result stays as it is."
        )
        buttons = st.container(horizontal=True)
        if count:
            _offer_file(buttons, run, corrections)
            buttons.button(
                "Start again without corrections",
                on_click=guard.callback(_undo_all),
                args=(run,),
            )
            if buttons.button("Use as truth in Compare", help=_TRUTH_HELP):
                _use_as_truth(run)
        elif corrections.undone:
            buttons.button(
                f"Bring back {_edits(len(corrections.undone))}", on_click=guard.callback(_redo_all), args=(run,)
            )
        else:
            _offer_earlier(run)
        _load(run)
    _tell(opened)


def _offer_file(place: DeltaGenerator, run: StoredAnalysis, corrections: Corrections) -> None:
    offer_download(
        place,
        "Download",
        lambda: corrections_json(corrections, run.timeline.video.sha256),
        f"{named_run(run.analysis_id, run.video_name).file_stem}-corrections.json",
        "application/json",
        "The corrections of this video, to load them again here or with --corrections on the command line.",
    )


def _use_as_truth(run: StoredAnalysis) -> None:
    state.tab().compare.truth_from = state.WaitingTruth(
        run.analysis_id, named_run(run.analysis_id, run.video_name).name, run.video_path
    )
    st.switch_page("pages/compare.py")


def _offer_earlier(run: StoredAnalysis) -> None:
    """Draw a button for each corrected analysis of the same video, whose corrections this one can begin with."""
    own = [one for one in state.tab().history.own.get("analyses", []) if one != run.analysis_id]
    for one in server.context().workbench.corrected_analyses(own, run.video_path):
        st.button(
            f"Take over the corrections of {local_time(one.created_at)}",
            icon=":material/content_copy:",
            key=f"corrections-of-{one.item_id}",
            on_click=guard.callback(_take_over),
            args=(one.item_id, run),
        )


def _take_over(from_id: str, run: StoredAnalysis) -> None:
    analyse = state.tab().analyse
    try:
        is_done = server.context().workbench.carry_over(from_id, run.analysis_id)
    except RecognizerError as error:
        analyse.corrections_problem = str(error)
    else:
        analyse.corrections_problem = None if is_done else _OTHER_PEOPLE


def _undo_all(run: StoredAnalysis) -> None:
    """Undo each edit, so that each can be made again."""
    _change(run, lambda now: Corrections((), (*now.edits, *now.undone)))


def _redo_all(run: StoredAnalysis) -> None:
    _change(run, lambda now: Corrections((*now.edits, *now.undone)))


def _change(run: StoredAnalysis, change: Callable[[Corrections], Corrections]) -> None:
    # as they are stored by now: the workbench may have stored some since the page was drawn
    opened = server.context().workbench.opened(run.analysis_id)
    if opened is not None:
        _replace(run, change(opened.revision.corrections))


def _load(run: StoredAnalysis) -> None:
    analyse = state.tab().analyse
    upload = st.file_uploader(
        "Corrections from a file",
        ["json"],
        key=f"corrections-{analyse.corrections_uploads}",
        help="They replace the corrections of this analysis. Undone ones come with them.",
        max_upload_size=server.upload_limit_mib(MAX_CORRECTIONS_BYTES),
    )
    if upload is not None:
        analyse.corrections_uploads += 1  # the next field has another key and is empty
        forget_uploads(upload)
        try:
            loaded = corrections_from_json(upload.getvalue(), upload.name, run.timeline.video.sha256)
        except RecognizerError as error:
            analyse.corrections_problem = str(error)
        else:
            _replace(run, loaded)
        st.rerun()


def _replace(run: StoredAnalysis, corrections: Corrections) -> None:
    analyse = state.tab().analyse
    try:
        server.context().workbench.replace_corrections(run.analysis_id, corrections)
    except RecognizerError as error:
        analyse.corrections_problem = str(error)
    else:
        analyse.corrections_problem = None


def _tell(opened: Opened) -> None:
    """Say what went wrong last, and how many corrections do not fit."""
    problem = state.tab().analyse.corrections_problem
    if problem is not None:
        st.error(sentence(problem), icon=":material/error:")
    unfit = len(opened.corrected.unfit)
    if unfit:
        verb = "is" if unfit == 1 else "are"
        st.info(
            f"{_edits(unfit).capitalize()} {verb} about people or moments that this analysis does not have, and {verb} "
            "left out.",
            icon=":material/info:",
        )


def _edits(count: int) -> str:
    return "1 correction" if count == 1 else f"{count} corrections"
