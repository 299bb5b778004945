"""The two fields for a user's own checkpoint: the weights and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from recognizer.dashboard import guard, server, state
from recognizer.dashboard.parts import visitor
from recognizer.dashboard.streamlit_private import forget_uploads
from recognizer.dashboard.text import plain
from recognizer.limits import limits
from recognizer.networks.classifiers.labels import MAX_LABEL_FILE_BYTES
from recognizer.service.store import StoredFile
from recognizer.settings import SETTING_SPECS

if TYPE_CHECKING:
    from recognizer.dashboard.streamlit_private import UploadedFile


def choose_checkpoint(key: str) -> tuple[StoredFile | None, StoredFile | None]:
    """Draw the fields; return the stored checkpoint and label file, or None for each that is missing.

    Args:
        key: names the fields; with another key they are empty.
    """
    checkpoint = _choose(
        f"{key}-checkpoint",
        "checkpoint_path",
        ["pt", "pth", "safetensors"],
        limits().max_checkpoint_bytes,
        " Save them with torch.save(state_dict).",
    )
    return checkpoint, _choose(f"{key}-labels", "labels_path", ["txt", "csv", "json"], MAX_LABEL_FILE_BYTES)


def _choose(key: str, setting: str, endings: list[str], most_bytes: int, more_help: str = "") -> StoredFile | None:
    field = state.tab().upload_fields.setdefault(key, state.UploadField())
    spec = SETTING_SPECS[setting]
    upload = st.file_uploader(
        spec.title,
        endings,
        key=f"{key}-{field.uploads}",
        help=f"{spec.help}{more_help}",
        max_upload_size=server.upload_limit_mib(most_bytes),
    )
    if upload is not None:
        field.uploads += 1  # the next field has another key and is empty
        try:
            field.file = _stored(upload)
        finally:
            forget_uploads(upload)
        st.rerun()
    line = st.container(horizontal=True, vertical_alignment="center")  # always there, so that the field below stays
    if field.file is not None:
        line.markdown(plain(field.file.name))
        line.button("Remove", key=f"{key}-remove", type="tertiary", on_click=guard.callback(field.clear))
    return field.file


def _stored(upload: UploadedFile) -> StoredFile:
    own = visitor.visitor_id()
    server.library().make_room(own, upload.size)
    file = server.context().store.add_file(upload, upload.name, visitor_id=own)
    state.tab().stored_uploads.append(file)
    server.library().uploaded(file, own, "file")
    return file
