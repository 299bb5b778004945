"""The progress of background jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.dashboard import guard, server
from recognizer.dashboard.parts.visitor import may_change
from recognizer.dashboard.text import plain, sentence
from recognizer.limits import duration_text
from recognizer.service.jobs import Job
from recognizer.service.tasks import Status

_BAR_KEY: Final = "job-bar"
_BAR: Final = f"[class*=st-key-{_BAR_KEY}] [role=progressbar][aria-valuenow='0'] [data-testid=stProgressBarTrack] > *"
_BAR_CSS: Final = f"""<style>
@keyframes {_BAR_KEY} {{ from {{ transform: translateX(-100%); }} to {{ transform: translateX(400%); }} }}
@keyframes {_BAR_KEY}-still {{ from {{ opacity: 0.2; }} to {{ opacity: 0.7; }} }}
{_BAR} {{ width: 25%; animation: {_BAR_KEY} 1.8s ease-in-out infinite; }}
@media (prefers-reduced-motion: reduce) {{
    {_BAR} {{ width: 100%; transform: none !important; animation: {_BAR_KEY}-still 1.8s infinite alternate; }}
}}
</style>"""
"""While a job's share is 0 or unknown, a stripe moves along its bar to show that work goes on: for up to a minute."""

_POLL_S: Final = 1.0
_POLL_BAR_S: Final = 0.5
_POLL_HELD_S: Final = 0.2


def wait_for(job: Job[Any], waiting: str = "Waiting in the queue", *, prefix: str = "") -> None:
    """Hold the page until a job has finished, and draw its progress.

    Args:
        job: the job.
        waiting: the text before its first report.
        prefix: precedes every text.
    """
    if job.wait(_POLL_HELD_S):
        return
    place = st.empty()
    bar = _bar_place(place, job).empty()
    while not job.wait(_POLL_HELD_S):
        status = job.progress or Status(waiting)
        bar.progress(status.share or 0.0, f"{prefix}{plain(status.text)}")
    place.empty()


@guard.fragment(run_every=_POLL_BAR_S)
def show_bar(job: Job[Any], text: str) -> None:
    """Draw a bar under a fixed text, and run the whole page again when the job has finished."""
    if job.finished:
        st.rerun()
    _bar_place(st.container(), job).progress(job.progress.share or 0.0 if job.progress else 0.0, text)


@guard.fragment(run_every=_POLL_S)
def show_progress(job: Job[Any], stopping: str, look: Callable[[], None] | None = None) -> None:
    """Draw the progress of a job, and run the whole page again when the job has finished.

    Who started the job can cancel it; who has only its link cannot.

    Args:
        job: the job.
        stopping: the text after Cancel, while the job is still stopping.
        look: looks at what the job has done so far.
    """
    if job.finished:
        st.rerun()
    status = job.progress or Status(_waiting_text(job))
    text = stopping if job.cancelled else plain(status.text)
    if may_change(job.visitor_id):
        bar, button = st.columns([5, 1], vertical_alignment="center")
        _bar_place(bar, job).progress(status.share or 0.0, text)
        # a callback: the click may arrive with a run of the whole page, during which a fragment cannot rerun itself
        button.button("Cancel", disabled=job.cancelled, width="stretch", on_click=guard.callback(job.cancel))
    else:
        _bar_place(st.container(), job).progress(status.share or 0.0, text)
    with st.container():  # always there: what is below must not move to another place in the page's tree
        if job.remark:
            st.caption(f":material/restart_alt: {plain(job.remark)}")
        if job.unsaved_because is not None:
            st.caption(f":material/save: {sentence(unsaved_text(job.unsaved_because))}")
    if look is not None:
        look()


def _bar_place(place: DeltaGenerator, job: Job[Any]) -> DeltaGenerator:
    """Return the place of a job's bar."""
    own = place.container(key=f"{_BAR_KEY}-{job.job_id}")
    own.html(_BAR_CSS)
    return own


def unsaved_text(problem: str) -> str:
    """Return in a sentence that work goes on although it cannot be saved now, and why."""
    fact = problem.partition("; ")[0].removesuffix(".")
    return f"nothing can be saved now, because {fact}; the work goes on in memory, and is saved once that is put right."


def _waiting_text(job: Job[Any]) -> str:
    """Return a waiting job's place in line and about how long that takes, in words."""
    place = server.context().jobs.waiting_before(job)
    if place.number == 0:
        return "Starting"
    starts = "" if place.starts_in_s is None else f"; starts in about {duration_text(place.starts_in_s)}"
    return f"Waiting in line, at place {place.number}{starts}"
