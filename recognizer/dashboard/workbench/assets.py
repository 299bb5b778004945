"""The JavaScript modules, under an address that changes with their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
"""Holds the workbench's style sheets and the folder ``js`` with its modules; other folders lie next to it."""


def module_folders() -> list[Path]:
    """Return the folders of modules; their addresses lie to one another as they do, so they import from each other."""
    return sorted(path for path in FOLDER.parent.glob("*/js") if path.is_dir())


@cache
def static_path() -> str:
    """Return the address of all folders, relative to the app's."""
    content = hashlib.sha256()
    for path in (path for folder in module_folders() for path in sorted(folder.glob("*.js"))):
        content.update(path.name.encode() + path.read_bytes())
    return f"recognizer/static/{content.hexdigest()[:16]}"


def modules_path(folder: str = "workbench") -> str:
    """Return the address of the modules in one folder of the dashboard, relative to the app's."""
    return f"{static_path()}/{folder}/js"
