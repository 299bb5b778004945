"""Read labels from a file of any known format. The reader of a format is only loaded for such a file."""

from __future__ import annotations

import json
from typing import Any, Final

from recognizer.annotations.model import LabelFile
from recognizer.annotations.text import text_of
from recognizer.errors import TruthError

EXTENSIONS: Final = ("csv", "tsv", "txt", "eaf", "textgrid", "json", "boris", "xml")
"""Endings of the files that may be labels."""


def read_labels(data: bytes, name: str) -> LabelFile:
    """Read a file of labels.

    Args:
        data: the file's bytes.
        name: name of the file, for messages.

    Raises:
        TruthError: its format is not known, or it is damaged; the message states the remedy.
    """
    text = text_of(data, name)
    begin = text.lstrip()[:200]
    if begin.startswith("<"):
        return _read_xml(text, name)
    if begin.startswith(("{", "[")):
        return _read_json(text, name)
    if "ooTextFile" in begin:
        from recognizer.annotations.praat import read_textgrid

        return read_textgrid(text, name)
    from recognizer.annotations.tables import read_table

    return read_table(text, name)


def _read_xml(text: str, name: str) -> LabelFile:
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text:  # none of the formats has one, and entities can fill the memory
        raise TruthError(f"'{name}' has a DOCTYPE, which no file of labels needs; save it again without one.")
    try:
        root = ElementTree.fromstring(text.encode())  # noqa: S314 - without a DOCTYPE there are no entities
    except ElementTree.ParseError as error:
        raise TruthError(f"'{name}' is damaged ({error}); save it again in the program that wrote it.") from error
    if root.tag == "ANNOTATION_DOCUMENT":
        from recognizer.annotations.elan import read_eaf

        return read_eaf(root, name)
    raise _unknown(name)


def _read_json(text: str, name: str) -> LabelFile:
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise TruthError(f"'{name}' is damaged ({error}); save it again in the program that wrote it.") from error
    if isinstance(document, dict) and {"class_names", "labels"} <= document.keys():
        from recognizer.annotations.per_frame import read_feral

        return read_feral(document, name)
    raise _unknown(name)


def _unknown(name: str) -> TruthError:
    return TruthError(
        f"'{name}' is none of the formats that are read here; give a table with the columns action, start_s, end_s and "
        "optionally person_id."
    )
