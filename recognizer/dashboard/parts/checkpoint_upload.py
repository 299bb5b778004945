"""The two fields for a person's own checkpoint: the weights and their labels."""

from __future__ import annotations

from typing import Any

import streamlit as st

from recognizer.dashboard import server, state
from recognizer.service.store import StoredFile


def choose_checkpoint(key: str) -> tuple[StoredFile | None, StoredFile | None]:
    """Draw the fields; return the stored checkpoint and label file, None for each that is missing.

    Args:
        key: names the fields; with another key they are empty.
    """
    checkpoint = st.file_uploader(
        "Checkpoint",
        ["pt", "pth", "safetensors"],
        key=f"{key}-checkpoint",
        help="Weights that you trained for this network, saved with torch.save(state_dict). Nothing in them is run.",
    )
    labels = st.file_uploader(
        "Labels",
        ["txt", "csv", "json"],
        key=f"{key}-labels",
        help="One label per line, in the order of the training.",
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
    # by the upload's own id: a retrained checkpoint may have the same name and size
    if upload.file_id not in stored:
        upload.seek(0)
        stored[upload.file_id] = server.context().store.add_file(upload, upload.name)
    return stored[upload.file_id]
