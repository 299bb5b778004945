"""Running a comparison: the button, the progress, and taking over what comes out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import streamlit as st

from recognizer.comparison.model import Comparison, Entry, check_comparable, named
from recognizer.dashboard import state
from recognizer.dashboard.compare.entries import adopt
from recognizer.dashboard.parts.sidebar import adopt as adopt_settings
from recognizer.dashboard.parts.video_card import restore_video
from recognizer.dashboard.server import context, max_upload_bytes
from recognizer.dashboard.text import plain, sentence
from recognizer.errors import RecognizerError, SettingsError
from recognizer.service.comparison_tasks import ComparisonRequest, start_comparison
from recognizer.service.comparisons import StoredComparison
from recognizer.service.jobs import Job
from recognizer.service.store import StoredFile
from recognizer.service.tasks import Status

_POLL_S = 1.0


def take_up_address() -> None:
    """After a refresh: take up the comparison that the address names, running or finished."""
    compare = state.tab().compare
    comparison_id = state.comparison_in_address()
    if comparison_id is None:
        if compare.shown is not None:  # another page was visited, and its address had no place for this
            state.name_comparison_in_address(compare.shown.comparison_id)
        return
    if comparison_id == compare.taken_up:
        return
    compare.taken_up, compare.job, compare.partial, compare.problem = comparison_id, None, None, None
    try:
        compare.shown = context().comparisons.load(comparison_id)
    except RecognizerError as error:
        compare.problem = str(error)
        return
    job = context().jobs.get(comparison_id)
    if job is not None and isinstance(job.about, ComparisonRequest) and not job.finished:
        compare.job = job
        request = job.about
        asked = zip(request.settings, request.checkpoint_names, strict=True)
        _show_again(request.video, [Entry("", settings, name) for settings, name in asked])
    elif compare.shown is not None:
        _show_again(compare.shown.video, compare.shown.comparison.entries)
    else:
        compare.problem = "The comparison in the address is not on this machine; drop the video in and compare again."
        state.name_comparison_in_address(None)


def _show_again(video: StoredFile, entries: Sequence[Entry]) -> None:
    restore_video(video.path, video.name, video.sha256)
    adopt_settings(entries[0].settings)
    adopt(entries)


def take_over_finished() -> None:
    """If the comparison has ended: show what came out, or why nothing did."""
    compare = state.tab().compare
    job = compare.job
    if job is None or not job.finished:
        return
    compare.job = None
    compare.problem = job.error
    _show_latest(job)


def _show_latest(job: Job[StoredComparison]) -> None:
    compare = state.tab().compare
    latest = job.result or job.partial
    if latest is not compare.partial:  # else it is shown, perhaps with labels that were added to it since
        compare.shown = compare.partial = latest


def show_problem() -> None:
    """Draw the one sentence about what went wrong last."""
    tab = state.tab()
    for problem in (tab.problem, tab.compare.problem):
        if problem is not None:
            st.error(sentence(problem), icon=":material/error:")


def offer_comparison(wanted: Sequence[Entry]) -> None:
    """Draw the Compare button, unless a comparison runs."""
    tab = state.tab()
    if tab.video is None or tab.compare.job is not None:
        return
    settings = tuple(entry.settings for entry in wanted)
    try:
        check_comparable(settings)
    except SettingsError as error:
        st.warning(sentence(str(error)), icon=":material/warning:")
        return
    known = _known(wanted)
    to_run = len(wanted) - len(known)
    title = "Compare" if not known else f"Run what is missing ({to_run})"
    if not to_run:
        return
    if st.button(title, type="primary", icon=":material/play_arrow:", disabled=len(wanted) < 2):
        # what is added to a comparison goes on under its name
        comparison_id = tab.compare.shown.comparison_id if known and tab.compare.shown else uuid.uuid4().hex
        names = tuple(entry.checkpoint_name for entry in wanted)
        tab.compare.problem = None
        request = ComparisonRequest(tab.video.file, settings, names)
        tab.compare.partial = None
        tab.compare.job = start_comparison(context(), comparison_id, request, known, max_upload_bytes())
        tab.compare.taken_up = comparison_id
        state.name_comparison_in_address(comparison_id)
        st.rerun()


def _known(wanted: Sequence[Entry]) -> list[Entry]:
    """Those of the shown comparison that ran, on this video, with what is wanted now."""
    tab = state.tab()
    shown = tab.compare.shown
    if shown is None or tab.video is None or shown.video.sha256 != tab.video.file.sha256:
        return []
    asked = [entry.settings for entry in wanted]
    return [entry for entry in shown.comparison.finished if entry.settings in asked]


def as_wanted(comparison: Comparison, wanted: Sequence[Entry]) -> Comparison:
    """What is there of a comparison for the rows that are wanted now, in their order."""
    asked = [entry.settings for entry in wanted]
    there = {id(entry): entry for one in asked for entry in comparison.entries if entry.settings == one}
    return Comparison(named(tuple(there.values())))


def show_progress() -> None:
    """Draw how far the comparison is, if one runs."""
    if state.tab().compare.job is not None:
        _progress()


@st.fragment(run_every=_POLL_S)
def _progress() -> None:
    compare = state.tab().compare
    job = compare.job
    if job is None or job.finished:
        st.rerun()
        return
    status = job.progress or Status("Waiting for a turn")
    if job.partial is not compare.partial:
        _show_latest(job)
        st.rerun()
    bar, button = st.columns([5, 1], vertical_alignment="center")
    text = "Stopping; the classifiers that are finished are kept." if job.cancelled else status.text
    bar.progress(status.share or 0.0, plain(text))
    # a callback, because the click may come with a run of the whole page, where a fragment cannot be rerun
    button.button("Cancel", disabled=job.cancelled, width="stretch", on_click=job.cancel)
