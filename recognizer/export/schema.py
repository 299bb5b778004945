"""Generate the JSON Schema of a timeline's document; ``python -m recognizer.export.schema`` writes it to ``docs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from recognizer.export.document import Document
from recognizer.files import write_text

SCHEMA_PATH: Final = Path(__file__).parents[2] / "docs" / "timeline.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the document."""
    _, components = msgspec.json.schema_components([Document], ref_template="#/$defs/{name}")
    root = components.pop("Document")
    root |= {"title": "Timeline of people and actions", "description": " ".join(root["description"].split())}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": components}


def json_schema_text() -> str:
    """Return the text of the schema in ``docs``."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_text(SCHEMA_PATH, json_schema_text())
