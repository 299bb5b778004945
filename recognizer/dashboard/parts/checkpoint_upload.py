"""The two fields for a user's own checkpoint: the weights and their labels."""

from __future__ import annotations

from typing import Any

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.dashboard.parts import visitor
from recognizer.limits import limits
from recognizer.networks.classifiers.labels import MAX_LABEL_FILE_BYTES
from recognizer.service.store import StoredFile
from recognizer.settings import SETTING_SPECS


def choose_checkpoint(key: str) -> tuple[StoredFile | None, StoredFile | None]:
    """Draw the fields; return the stored checkpoint and label file, or None for each that is missing.

    Args:
        key: names the fields; with another key they are empty.
    """
    checkpoint = st.file_uploader(
        SETTING_SPECS["checkpoint_path"].title,
        ["pt", "pth", "safetensors"],
        key=f"{key}-checkpoint",
        help=f"{SETTING_SPECS['checkpoint_path'].help} Save them with torch.save(state_dict).",
        max_upload_size=server.upload_limit_mib(limits().max_checkpoint_bytes),
    )
    labels = st.file_uploader(
        SETTING_SPECS["labels_path"].title,
        ["txt", "csv", "json"],
        key=f"{key}-labels",
        help=SETTING_SPECS["labels_path"].help,
        max_upload_size=server.upload_limit_mib(MAX_LABEL_FILE_BYTES),
    )
    return _stored(checkpoint), _stored(labels)


def with_upload_names(message: str) -> str:
    """Return a message with the names of uploaded files instead of the paths where they are stored."""
    for file in state.tab().stored_uploads.values():
        message = message.replace(str(file.path), file.name)
    return message


def _stored(upload: Any) -> StoredFile | None:
    if upload is None:
        return None
    stored = state.tab().stored_uploads
    # identified by the upload's own id: a retrained checkpoint may have the same name and size
    if upload.file_id not in stored:
        upload.seek(0)
        own = visitor.visitor_id()
        server.library().make_room(own, upload.size)
        file = server.context().store.add_file(upload, upload.name, visitor_id=own)
        stored[upload.file_id] = file
        server.library().uploaded(file, own, "file")
    return stored[upload.file_id]
