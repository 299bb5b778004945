"""The downloads of an analysis: the table, the annotated video, and a menu of all other formats."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Final

import streamlit as st

from recognizer import export
from recognizer.dashboard import guard, server
from recognizer.dashboard.analyse.annotated import offer_annotated
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.parts.named_run import named_run
from recognizer.export import Content
from recognizer.service.store import StoredAnalysis
from recognizer.types import Segment

_FIRST: Final = ".csv"
"""The format with a button of its own."""

_MENU: Final = "formats"
_ENTRY_REM: Final = 2.0
"""Height of an entry of a menu (``downloads.css``)."""


@guard.part
def draw_downloads(run: StoredAnalysis, content: Content, shown: str) -> None:
    """Draw the downloads of an analysis.

    Args:
        run: the analysis.
        content: what is exported of it.
        shown: identifies what is shown.
    """
    name = named_run(run.analysis_id, run.video_name).file_stem
    row = st.container(horizontal=True)
    offer_download(
        row,
        "Timeline as CSV",
        partial(export.format_of(_FIRST).write, content),
        f"{name}{_FIRST}",
        "text/csv",
        "One row per segment, for everyone, as chosen above. Opens in any spreadsheet or statistics program.",
    )
    formats = [export.BUNDLE, *(one for one in export.FORMATS if one.in_menu and one.ending != _FIRST)]
    menu = row.popover("More formats", icon=":material/download:").container(gap=None, key=_MENU)
    # the entries are drawn after the menu has chosen its side, which must be one where they have room
    menu.html(f"<style>.st-key-{_MENU} {{ min-height: {len(formats) * _ENTRY_REM}rem; }}</style>")
    for one in formats:
        offer_download(
            menu,
            one.title,
            partial(one.write, content),
            f"{name}{one.ending}",
            one.mime,
            one.meaning,
            in_menu=True,
        )
    # the last in the row: a button that appears before the menu would close it
    offer_annotated(row, run, content, shown)


@guard.part
def draw_excerpt(run: StoredAnalysis, segment: Segment) -> None:
    """Draw the download of one segment as a video; nothing if the video has gone."""
    store = server.context().store
    if not store.is_here(run.video_path):
        return

    def make() -> bytes:
        from recognizer.export.excerpt import write_excerpt

        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "segment.mp4"
            source = store.source(run.video_path)
            write_excerpt(source, run.timeline, segment.start_s, segment.end_s, target, name=run.video_name)
            return target.read_bytes()

    stem = named_run(run.analysis_id, run.video_name).file_stem
    name = f"{stem}-person-{segment.person_id}-{segment.start_s:.1f}s.mp4"
    offer_download(
        st.container(), "This segment (MP4)", make, name, "video/mp4", "The frames of the chosen row, with their sound."
    )
