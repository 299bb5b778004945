"""Scripts and style sheets of components, which Streamlit takes as text."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

_DASHBOARD: Final = files("recognizer.dashboard")

_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)


def text(path: str) -> str:
    """Return a file's text; its path is relative to ``recognizer/dashboard``."""
    return _DASHBOARD.joinpath(path).read_text("utf-8")


def script(path: str) -> str:
    """Return a script's text, with what it imports from its own folder in place of the imports.

    Streamlit runs it from the page's memory, where it has no neighbours.
    """
    folder = path.rpartition("/")[0]
    return _IMPORT.sub(lambda found: text(f"{folder}/{found[1]}"), text(path))
