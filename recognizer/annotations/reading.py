"""Read labels from a file of any known format. The reader of a format is only loaded for such a file."""

from __future__ import annotations

from typing import Final

from recognizer.annotations.model import LabelFile
from recognizer.annotations.text import text_of

EXTENSIONS: Final = ("csv", "tsv", "txt")
"""Endings of the files that may be labels."""


def read_labels(data: bytes, name: str) -> LabelFile:
    """Read a file of labels.

    Args:
        data: the file's bytes.
        name: name of the file, for messages.

    Raises:
        TruthError: its format is not known, or it is damaged; the message states the remedy.
    """
    from recognizer.annotations.tables import read_table

    return read_table(text_of(data, name), name)
