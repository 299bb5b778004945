"""Running a comparison: start, progress and outcome."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import streamlit as st

from recognizer.comparison.model import Comparison, Entry, check_comparable, named
from recognizer.dashboard import guard, server, state
from recognizer.dashboard.address import COMPARISON
from recognizer.dashboard.compare.entries import adopt
from recognizer.dashboard.parts import progress
from recognizer.dashboard.parts.sidebar import adopt as adopt_settings
from recognizer.dashboard.parts.video_card import frame_rate_hz, restore_video
from recognizer.dashboard.parts.visitor import may_correct, visitor_id
from recognizer.dashboard.text import sentence
from recognizer.errors import RecognizerError, SettingsError
from recognizer.service.comparison_tasks import ComparisonRequest, start_comparison
from recognizer.service.comparisons import StoredComparison
from recognizer.service.estimates import estimate_comparison
from recognizer.service.jobs import Job
from recognizer.service.store import StoredFile


def restore_from_address() -> None:
    """After a refresh, or a long time without a connection, restore this page's comparison, running or finished."""
    compare = state.tab().compare
    COMPARISON.bring_back(compare, _stored, server.context().jobs.get)
    shown_id = compare.shown.comparison_id if compare.shown is not None else None
    if compare.job is None:
        problem = COMPARISON.restore(shown_id, _restore, _leave)
    else:
        problem = COMPARISON.restore(compare.job.job_id, _restore)
    if problem is not None:
        compare.problem = problem


def _leave() -> None:
    compare = state.tab().compare
    compare.shown, compare.problem = None, None


def _restore(comparison_id: str) -> bool:
    compare = state.tab().compare
    compare.job, compare.partial, compare.problem = None, None, None
    compare.shown = _stored(comparison_id)
    job = server.context().jobs.get(comparison_id)
    if job is not None and isinstance(job.about, ComparisonRequest) and not job.finished:
        compare.job = job
        request = job.about
        asked = zip(request.settings, request.checkpoint_names, strict=True)
        _show_again(request.video, [Entry("", settings, name) for settings, name in asked])
    elif compare.shown is not None:
        server.library().opened(comparison_id, compare.shown.video.path.name)
        _show_again(compare.shown.video, compare.shown.comparison.entries)
    return compare.job is not None or compare.shown is not None


def _stored(comparison_id: str) -> StoredComparison | None:
    kept = server.context().unsaved.content(comparison_id)
    return kept if isinstance(kept, StoredComparison) else server.context().comparisons.load(comparison_id)


def _show_again(video: StoredFile, entries: Sequence[Entry]) -> None:
    restore_video(video.path, video.name, video.sha256)
    adopt_settings(entries[0].settings, frame_rate_hz())
    adopt(entries)


def take_over_finished() -> None:
    """If the comparison has ended, show its result, or why there is none."""
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
    if latest is not compare.partial:  # otherwise it is already shown, perhaps with labels that were added since
        compare.shown = compare.partial = latest


@guard.part
def offer_comparison(wanted: Sequence[Entry]) -> None:
    """Draw the Compare button, unless a comparison is running; pressing it starts one and runs the page again."""
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
    if not to_run:
        return
    title = "Compare" if not known else f"Run missing classifiers ({to_run})"
    missing = [one for one in settings if all(one != entry.settings for entry in known)]
    expected = estimate_comparison(tab.video.info, missing, server.context().costs.all())
    if st.button(title, type="primary", icon=":material/play_arrow:", disabled=len(wanted) < 2):
        request = ComparisonRequest(tab.video.file, settings, tuple(entry.checkpoint_name for entry in wanted))
        _start(request, known, None if expected is None else expected.expected_s)
        st.rerun()
    if expected is not None and expected.is_long:
        st.warning(expected.text, icon=":material/hourglass:")
    elif expected is not None:
        st.caption(expected.text)


def _start(request: ComparisonRequest, known: Sequence[Entry], expected_s: float | None) -> None:
    compare = state.tab().compare
    # an entry that is added to a comparison is stored with it, unless it is somebody else's
    shown_id = compare.shown.comparison_id if known and compare.shown else None
    comparison_id = shown_id if shown_id is not None and may_correct(shown_id) else uuid.uuid4().hex
    compare.problem = None
    compare.partial = None
    server.library().make_room()
    try:
        compare.job = start_comparison(
            server.context(),
            comparison_id,
            request,
            known,
            server.max_upload_bytes(),
            visitor_id=visitor_id(),
            expected_s=expected_s,
        )
    except RecognizerError as error:  # this visitor has too many runs already
        compare.problem = str(error)
    else:
        COMPARISON.name(comparison_id)


def _known(wanted: Sequence[Entry]) -> list[Entry]:
    """Return the entries of the shown comparison that ran on this video with wanted settings."""
    tab = state.tab()
    shown = tab.compare.shown
    if shown is None or tab.video is None or shown.video.path != tab.video.file.path:
        return []
    asked = [entry.settings for entry in wanted]
    return [entry for entry in shown.comparison.finished if entry.settings in asked]


def as_wanted(comparison: Comparison, wanted: Sequence[Entry]) -> Comparison:
    """Return the comparison with only the entries of the rows, in the order of the rows."""
    asked = [entry.settings for entry in wanted]
    there = {id(entry): entry for one in asked for entry in comparison.entries if entry.settings == one}
    return Comparison(named(tuple(there.values())))


@guard.part
def show_progress() -> None:
    """Draw the progress of the comparison, if one is running."""
    job = state.tab().compare.job
    if job is not None:
        stopping = "Stopping; finished classifiers are saved."
        progress.show_progress(job, stopping, lambda: _show_more(job))


def _show_more(job: Job[StoredComparison]) -> None:
    """Run the whole page again when another classifier is finished."""
    if job.partial is not state.tab().compare.partial:
        _show_latest(job)
        st.rerun()
