"""The progress of a batch, brought up to date by itself: one stat of its manifest, and counts if that has changed."""

from __future__ import annotations

from typing import Final

import streamlit as st

from recognizer.batch.places import Batch
from recognizer.batch.tally import video_time
from recognizer.batch.watching import Progress, is_at_work
from recognizer.dashboard import guard
from recognizer.dashboard.batches.known import progress_of
from recognizer.dashboard.batches.words import state_of, videos
from recognizer.dashboard.text import plain
from recognizer.limits import duration_text

_WHILE_WORKING_S: Final = 2.0
_OTHERWISE_S: Final = 10.0


@guard.part
def show_status(batch: Batch) -> None:
    """Draw the name of a batch and how far it is."""
    st.subheader(plain(batch.name), anchor=False)
    is_working = is_at_work(batch.folder)
    guard.fragment(run_every=_WHILE_WORKING_S if is_working else _OTHERWISE_S)(_draw)(batch, is_working)


def _draw(batch: Batch, was_working: bool) -> None:
    is_working = is_at_work(batch.folder)
    if is_working != was_working:  # another pace, and everything below may be another
        st.rerun()
    progress = progress_of(batch)
    st.progress(progress.ended / progress.total if progress.total else 0.0, _line(progress, is_working=is_working))
    if not is_working:
        _say_how_to_go_on(progress)


def _line(progress: Progress, *, is_working: bool) -> str:
    parts = [f"{progress.done:,} of {videos(progress.total)}"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.waiting:
        parts.append(f"{progress.waiting:,} waiting")
    whole_s = progress.expected_s
    of_all = f" of about {video_time(whole_s)}" if whole_s is not None and progress.waiting else ""
    news = progress.news if is_working else None
    # unfinished videos are no part of what is done
    analysed_s = progress.done_s if news is None else max(progress.done_s, news.analysed_s)
    parts.append(f"{video_time(analysed_s)}{of_all} of video" if analysed_s else "nothing analysed yet")
    if news is not None:
        if news.times_real_time is not None:
            parts.append(f"{news.times_real_time:.2g} times real time")
        if news.left_s is not None:
            parts.append(f"about {duration_text(news.left_s)} left")
    return plain(f"{state_of(progress, is_working=is_working).capitalize()}: {', '.join(parts)}")


def _say_how_to_go_on(progress: Progress) -> None:
    if 0 < progress.waiting == progress.again:
        st.caption("Give the same command again to retry the videos that wait; the reasons are below, under Waiting.")
    elif progress.waiting:
        st.caption("No command is running in this folder. Give the same command again: it goes on where it stopped.")
    elif progress.failed:
        st.caption("Failed videos are left alone; the same command with `--retry` tries them once more.")
