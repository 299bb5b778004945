"""Corrections as a JSON file: the edits of one video in order, and those that were undone.

After a change of the edits, regenerate ``docs/corrections.schema.json`` with
``python -m recognizer.timeline.corrections_file``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from recognizer.errors import CorrectionsError, inert_json
from recognizer.files import write_text
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.edits import Edit

CORRECTIONS_VERSION: Final = "1.1"
"""``major.minor``: a new minor version adds fields or edits, and a new major version changes or removes some."""

MAX_CORRECTIONS_BYTES: Final = 50_000_000
"""Half a million edits; a larger file is something else."""

SCHEMA_PATH: Final = Path(__file__).parents[2] / "docs" / "corrections.schema.json"


class CorrectionsDocument(Struct):
    """A person's corrections of one video. Times are seconds from its start, and intervals are half-open."""

    schema_version: Annotated[str, Meta(extra_json_schema={"pattern": "^1\\.[0-9]+$"})]
    video_sha256: Annotated[
        str | None,
        Meta(
            description="hash of the video's bytes; null for a camera", extra_json_schema={"pattern": "^[0-9a-f]{64}$"}
        ),
    ]
    edits: Annotated[list[Edit], Meta(description="the edits that apply, in the order in which they were made")]
    undone: Annotated[list[Edit], Meta(description="the edits that can be made again, the last undone first")] = []


def corrections_json(corrections: Corrections, video_sha256: str | None) -> str:
    """Return a document with one edit a line; it ends in a line feed."""
    document = CorrectionsDocument(CORRECTIONS_VERSION, video_sha256, list(corrections.edits), list(corrections.undone))
    values: dict[str, Any] = msgspec.to_builtins(document)
    text = ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in values.items())
    return inert_json(f"{{\n{text}\n}}\n")


def corrections_from_json(text: str | bytes, name: str, video_sha256: str | None = None) -> Corrections:
    """Read corrections that ``corrections_json`` wrote.

    Args:
        text: the document.
        name: the file's name, for messages.
        video_sha256: the video to correct; None to accept the corrections of any.

    Raises:
        CorrectionsError: it is no such document or too large, an edit contradicts itself, or it belongs to another
            video.
    """
    if len(text) > MAX_CORRECTIONS_BYTES:
        raise CorrectionsError(
            f"'{name}' is {len(text):,} bytes long, more than corrections take; export the corrections again."
        )
    try:
        document = msgspec.json.decode(text, type=CorrectionsDocument)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CorrectionsError(
            f"'{name}' is not a file of corrections ({str(error)[:200]}); export the corrections again."
        ) from error
    if document.schema_version.partition(".")[0] != CORRECTIONS_VERSION.partition(".")[0]:
        raise CorrectionsError(
            f"'{name}' has schema version {document.schema_version[:20]!r}, and this program reads version "
            f"{CORRECTIONS_VERSION}; use the program that wrote it."
        )
    if None not in (video_sha256, document.video_sha256) and video_sha256 != document.video_sha256:
        raise CorrectionsError(
            f"'{name}' corrects another video (its hash begins with {str(document.video_sha256)[:8]}, this video's "
            f"with {str(video_sha256)[:8]}); give the corrections of this video."
        )
    return Corrections(tuple(document.edits), tuple(document.undone))


def json_schema_text() -> str:
    """Return the JSON Schema (draft 2020-12) of the document, as it stands in ``docs``."""
    _, components = msgspec.json.schema_components([CorrectionsDocument], ref_template="#/$defs/{name}")
    root = components.pop("CorrectionsDocument") | {"title": "Corrections of a timeline"}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": components}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _lines(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False, allow_nan=False) for one in value) + "\n]"
    return json.dumps(value)


if __name__ == "__main__":
    write_text(SCHEMA_PATH, json_schema_text())
