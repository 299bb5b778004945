"""The document of a set's file: everything but the numbers. ``set_file.py`` reads and writes the file.

After a change, regenerate ``docs/own-actions.schema.json`` with ``python -m recognizer.actions.set_document``.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from recognizer.files import write_text

SET_VERSION: Final = "1.0"
"""``major.minor``: a new minor version adds fields or arrays, and a new major version changes or removes some."""

SCHEMA_PATH: Final = Path(__file__).parents[2] / "docs" / "own-actions.schema.json"


class ActionDocument(Struct):
    """One action."""

    name: str
    slot: Annotated[int | None, Meta(description="slot of its color in the palette; null for the next free one")] = None


class ExampleDocument(Struct):
    """One example; its features, posture and pictures are in the arrays. Times are seconds, half-open."""

    action: Annotated[str | None, Meta(description="name of its action; null for none of these")]
    video_sha256: Annotated[str | None, Meta(description="hash of the video's bytes; null for a camera")]
    video_name: str
    person_id: int
    start_s: float
    end_s: float
    added_at: datetime
    pictures: Annotated[int, Meta(description="how many of the pictures are its own; they follow one another")] = 0


class BackgroundDocument(Struct):
    """A few clips of a video without names, which tell what all moments share."""

    video: Annotated[str, Meta(description="identifies the video: its hash, or the name of a camera's stream")]
    clips: int


class NetworkDocument(Struct):
    """The network that computed the features, and how clips were cut for it."""

    classifier: str
    weights_sha256: str
    feature_size: Annotated[int, Meta(description="numbers of one view")]
    views: Annotated[int, Meta(description="1 for the crop alone, 2 with the surroundings")]
    samples: int
    skip_frame: int
    backend: str
    clip_s: Annotated[float, Meta(description="length of a clip in seconds")]


class SetDocument(Struct):
    """A set of own actions."""

    schema_version: Annotated[str, Meta(extra_json_schema={"pattern": "^1\\.[0-9]+$"})]
    title: str
    network: Annotated[NetworkDocument | None, Meta(description="null as long as there is no example")]
    actions: list[ActionDocument]
    examples: Annotated[list[ExampleDocument], Meta(description="in the order of the arrays' rows")]
    backgrounds: Annotated[list[BackgroundDocument], Meta(description="in the order of the array's rows")] = []
    head: Annotated[
        list[str] | None, Meta(description="names of the rows of the head's arrays; null if nothing is learned yet")
    ] = None


def json_schema_text() -> str:
    """Return the JSON Schema (draft 2020-12) of the document in the metadata, as it stands in ``docs``."""
    _, components = msgspec.json.schema_components([SetDocument], ref_template="#/$defs/{name}")
    root = components.pop("SetDocument") | {"title": "A set of own actions"}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": components}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_text(SCHEMA_PATH, json_schema_text())
