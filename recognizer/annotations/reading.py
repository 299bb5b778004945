"""Read labels from a file of any known format. The reader of a format is only loaded for such a file."""

from __future__ import annotations

import json
from typing import Any, Final

from recognizer.annotations.model import LabelFile
from recognizer.annotations.text import text_of
from recognizer.annotations.unread import json_refusal, refuse_known, refuse_text, xml_refusal
from recognizer.errors import TruthError


def read_labels(data: bytes, name: str) -> LabelFile:
    """Read a file of labels.

    Args:
        data: the file's bytes.
        name: name of the file, for messages.

    Raises:
        TruthError: its format is not known, or it is damaged; the message states the remedy.
    """
    refuse_known(data, name)
    text = text_of(data, name)
    try:
        return _read(text, name)
    except _DAMAGED as error:  # a value of another kind than its format has in that place
        raise TruthError(
            f"'{name}' is damaged ({str(error)[:200]}); save it again in the program that wrote it."
        ) from error


_DAMAGED: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def _read(text: str, name: str) -> LabelFile:
    begin = text.lstrip()[:200]
    if begin.startswith("<"):
        return _read_xml(text, name)
    if begin.startswith(("{", "[")):
        return _read_json(text, name)
    if "ooTextFile" in begin:
        from recognizer.annotations.praat import read_textgrid

        return read_textgrid(text, name)
    refuse_text(text, name)
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
    if root.tag == "annotations":
        from recognizer.annotations.cvat import read_tracks

        return read_tracks(root, name)
    raise xml_refusal(root.tag, name)


def _read_json(text: str, name: str) -> LabelFile:
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TruthError(f"'{name}' is damaged ({error}); save it again in the program that wrote it.") from error
    if isinstance(document, dict) and {"class_names", "labels"} <= document.keys():
        from recognizer.annotations.per_frame import read_feral

        return read_feral(document, name)
    from recognizer.annotations import boris_project, label_studio

    if boris_project.is_project(document):
        return boris_project.read_project(document, name)
    if label_studio.is_export(document):
        return label_studio.read_export(document, name)
    raise json_refusal(document, name)
