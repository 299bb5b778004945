"""A result as the Library knows it: the name that its user gave it, and what happened to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from recognizer.dashboard import server
from recognizer.errors import StoreError
from recognizer.export.content import plain_text
from recognizer.service.runs import Run

_log = logging.getLogger(__name__)

_NO_PATH = str.maketrans("/\\:", "---")


@dataclass(frozen=True)
class NamedRun:
    """A run as pages name it.

    Attributes:
        name: its name, or that of its video.
        file_stem: what the names of its downloads begin with.
        remark: what its user should know of it, in a sentence; empty for nothing.
    """

    name: str
    file_stem: str
    remark: str = ""


def named_run(result_id: str, video_name: str) -> NamedRun:
    """Return how a result is named; by its video, if it has no other name or that cannot be read now."""
    run = _run(result_id)
    title = "" if run is None else run.title
    stem = _as_file(title) or _as_file(Path(video_name).stem) or "video"
    return NamedRun(title or video_name, stem, "" if run is None else run.remark)


def name_tab(named: NamedRun) -> None:
    """Name the browser's tab after a result."""
    st.set_page_config(page_title=plain_text(named.name))


def _as_file(name: str) -> str:
    """Return a name as the beginning of a file's name: in one line, in no other folder, and not hidden."""
    return plain_text(name.translate(_NO_PATH)).strip(" .")


def _run(result_id: str) -> Run | None:
    try:
        return server.context().runs.load(result_id)
    except StoreError as error:  # what cannot be read is said where it matters
        _log.info("the name of a run cannot be read: %s", error)
        return None
