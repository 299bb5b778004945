"""A set as a file, and its address: shared, imported, merged."""

from __future__ import annotations

import time
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from recognizer.actions.model import ActionSet
from recognizer.actions.set_file import MOST_FILE_BYTES, SUFFIX
from recognizer.dashboard import server, state
from recognizer.dashboard.address import ACTIONS
from recognizer.dashboard.own_actions.choosing import show, shown_set, tried
from recognizer.dashboard.own_actions.words import counted
from recognizer.dashboard.parts.downloads import offer_download
from recognizer.dashboard.streamlit_private import forget_uploads

_MIME: Final = "application/octet-stream"

_OWN: Final = "a set of its own"


def offer_files(place: DeltaGenerator, shown: ActionSet | None) -> None:
    """Draw what gives a set away, if one is shown, and what takes one in."""
    if shown is not None:
        with place.popover("Share", icon=":material/ios_share:"):
            _share(shown)
    # with another key it is closed after a file: it would hide what is said about that
    with place.popover("Import", icon=":material/upload_file:", key=f"import-{state.tab().own_actions.uploads}"):
        _import(shown)
    tab = state.tab().own_actions
    if tab.note is not None:
        st.success(tab.note.text, icon=":material/check:")
        if tab.note.is_old():
            tab.note = None


def _share(shown: ActionSet) -> None:
    st.markdown("**On this server.** Whoever opens this address sees the set and can change it:")
    address = (st.context.url or "").partition("?")[0]
    st.code(f"{address}?{ACTIONS.parameter}={shown.set_id}", language=None, wrap_lines=True)
    st.markdown("**As a file,** to import it elsewhere, or for `--actions` on the command line:")
    buttons = st.container(horizontal=True)
    _offer(buttons, shown, with_pictures=False)
    _offer(buttons, shown, with_pictures=True)
    st.caption("The pictures show the people in your videos. Give them only to those who may see them.")


def _offer(place: DeltaGenerator, shown: ActionSet, *, with_pictures: bool) -> None:
    own = server.context().own_actions
    label, ending = ("With pictures", "-with-pictures") if with_pictures else ("Without pictures", "")
    name = "".join(one if one.isalnum() else "-" for one in shown.title.lower())
    offer_download(
        place,
        label,
        lambda: own.export(shown.set_id, with_pictures=with_pictures),
        f"{name}{ending}{SUFFIX}",
        _MIME,
    )


def _import(shown: ActionSet | None) -> None:
    tab = state.tab().own_actions
    ways = [_OWN] if shown is None else [_OWN, f"more examples for “{shown.title}”"]
    way = st.radio("The file becomes", ways) if shown is not None else _OWN
    upload = st.file_uploader(
        "A file of actions",
        [SUFFIX[1:]],
        key=f"own-actions-file-{tab.uploads}",
        max_upload_size=server.upload_limit_mib(MOST_FILE_BYTES),
    )
    if upload is None:
        return
    tab.uploads += 1  # the next field has another key and is empty
    own = server.context().own_actions
    content, name = upload.getvalue(), upload.name
    forget_uploads(upload)
    if way == _OWN or shown is None:
        tried(lambda: show(own.import_set(content, name)))
    else:
        tried(lambda: _merge(shown, content, name))
    _adopt_colors()
    st.rerun()


def _merge(shown: ActionSet, content: bytes, name: str) -> None:
    added = server.context().own_actions.merge(shown.set_id, content, name)
    note = f"{counted(added, 'example')} added." if added else "The file has no new examples."
    state.tab().own_actions.note = state.Notice(note, time.monotonic())


def _adopt_colors() -> None:
    """Give the actions that are new on this server the colors that they have in their file."""
    actions = shown_set()
    if actions is not None:
        server.palette().adopt({one.name: one.slot for one in actions.actions if one.slot is not None})
        server.save_colours()
