"""The workbench's files, under an address that changes with their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
"""Holds ``workbench.css`` and the folder ``js`` with the modules."""


@cache
def static_path() -> str:
    """Return the address of the files, relative to the app's."""
    content = hashlib.sha256()
    for path in sorted(FOLDER.glob("js/*.js")):
        content.update(path.name.encode() + path.read_bytes())
    return f"recognizer/static/{content.hexdigest()[:16]}"
