"""Segments as a file of ELAN, EAF 3.0: one tier per person, times in milliseconds."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from pympi import Elan

from recognizer.export.content import Content, label_spans_ms

_TIER_TYPE: Final = "action"

_MEDIA_TYPES: Final = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg", ".mpeg": "video/mpeg"}
"""The media types that ELAN writes itself; it calls every other video ``video/*``."""


def eaf(content: Content) -> bytes:
    """Return an EAF file; it refers to the video by name, so ELAN finds it in the same folder."""
    document = Elan.Eaf(author="")
    document.remove_tier("default")
    document.linguistic_types.clear()
    document.constraints.clear()
    document.properties.clear()
    # pympi writes version 2.8 into new files; nothing that is used here differs in 3.0
    document.adocument |= {
        "DATE": content.made_at.isoformat(timespec="seconds"),
        "VERSION": "3.0",
        "FORMAT": "3.0",
        "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
    }
    document.header |= {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    name = content.file_name
    media_type = _MEDIA_TYPES.get(PurePath(name).suffix.lower(), "video/*")
    document.add_linked_file(f"./{name}", relpath=f"./{name}", mimetype=media_type)
    document.add_linguistic_type(_TIER_TYPE)
    for name in content.people_names.values():
        document.add_tier(name, ling=_TIER_TYPE, part=name)
    for span in label_spans_ms(content):
        document.add_annotation(content.people_names[span.person_id], span.start_ms, span.end_ms, span.label)
    text: str = Elan.to_string(document)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()
